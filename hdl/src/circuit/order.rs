//! An order in which nothing is read before it is driven.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Orders `steps`, each a slot that is driven and the slots that are read:
/// indices into it, the earliest first wherever there is a choice, so that what
/// is in order already stays as it is.
///
/// # Errors
/// A slot on a loop.
pub(super) fn order(steps: &[(usize, Vec<usize>)]) -> Result<Vec<usize>, usize> {
    let driver: HashMap<usize, usize> = steps.iter().enumerate().map(|(index, (slot, _))| (*slot, index)).collect();
    let mut waits = vec![0_usize; steps.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (index, (_, reads)) in steps.iter().enumerate() {
        for before in reads.iter().filter_map(|slot| driver.get(slot)) {
            waits[index] += 1;
            readers[*before].push(index);
        }
    }
    let mut ready: BinaryHeap<_> = (0..steps.len()).filter(|index| waits[*index] == 0).map(Reverse).collect();
    let mut ordered = Vec::with_capacity(steps.len());
    while let Some(Reverse(index)) = ready.pop() {
        ordered.push(index);
        for reader in &readers[index] {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                ready.push(Reverse(*reader));
            }
        }
    }
    match waits.iter().position(|waits| *waits > 0) {
        Some(stuck) => Err(steps[stuck].0),
        None => Ok(ordered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_order_stays_and_the_rest_is_moved_behind_what_it_reads() {
        assert_eq!(order(&[(0, vec![9]), (1, vec![0]), (2, vec![])]), Ok(vec![0, 1, 2]));
        assert_eq!(order(&[(0, vec![2]), (1, vec![0]), (2, vec![9])]), Ok(vec![2, 0, 1]));
    }

    #[test]
    fn a_loop_has_no_order() {
        assert_eq!(order(&[(5, vec![]), (0, vec![1]), (1, vec![0])]), Err(0));
    }
}

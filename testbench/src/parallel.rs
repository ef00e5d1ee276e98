//! Several proofs or runs of a tool at a time, one on each core.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// What `work` makes of each item, in their order, or the error of the first
/// item that has one. After an error nothing more is begun.
pub(crate) fn all<T: Sync, P: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<P, E> + Sync,
) -> Result<Vec<P>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Items are begun in their order, and what is begun is finished: all items
    // before one that fails have a result.
    let worker = || {
        let mut results = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = work(item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.push((index, result));
        }
        results
    };
    let mut results = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let others: Vec<_> = (1..cores.min(items.len())).map(|_| scope.spawn(worker)).collect();
        let mut results = worker();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_the_first_error_wins() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(all(&items, |item| Ok::<_, u32>(item + 1)), Ok((1..101).collect()));
        let odd_ones_fail = |item: &u32| if *item > 40 && item % 2 == 1 { Err(*item) } else { Ok(()) };
        assert_eq!(all(&items, odd_ones_fail), Err(41));
        assert_eq!(all(&[], odd_ones_fail), Ok(Vec::new()));
    }
}

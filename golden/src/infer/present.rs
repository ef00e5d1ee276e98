//! Products of activations that lie side by side, each of a class of its own.
//!
//! A memory tells thousands of classes apart, but the activations of one sample are of
//! a few of them. Where these are few enough, the products of a weight with them fit
//! registers, in which they are found much sooner than in memory.

use super::lanes::{Lanes, Line, Table, WIDTH};

/// The classes that occur among a layer's activations.
pub(super) struct Present {
    /// In the order in which they occur.
    pub members: Vec<u16>,
    /// For each activation the index of its class among them.
    indices: Vec<u16>,
}

impl Present {
    /// None if there are more than `most`.
    pub(super) fn new(classes: &[u16], most: usize) -> Option<Self> {
        const UNSEEN: u16 = u16::MAX;
        let mut index_of = vec![UNSEEN; usize::from(classes.iter().max().copied().unwrap_or(0)) + 1];
        let (mut members, mut indices) = (Vec::new(), vec![0; classes.len()]);
        for (slot, class) in indices.iter_mut().zip(classes) {
            let index = &mut index_of[usize::from(*class)];
            if *index == UNSEEN {
                if members.len() == most {
                    return None;
                }
                *index = members.len() as u16;
                members.push(*class);
            }
            *slot = *index;
        }
        Some(Self { members, indices })
    }
}

/// Products by weight, and by class of each activation.
pub(super) trait Tables {
    /// The products of a weight, which must have a table, with the activations from a
    /// place of the planes on.
    fn look_up<L: Lanes>(&self, lanes: L, weight: usize, at: usize) -> L::Words;
}

/// All classes, in memory.
pub(super) struct Stored<'a> {
    pub tables: &'a [Option<Table>],
    pub classes: &'a [u16],
}

impl Tables for Stored<'_> {
    #[inline(always)]
    fn look_up<L: Lanes>(&self, lanes: L, weight: usize, at: usize) -> L::Words {
        let (classes, _) = self.classes[at..].as_chunks::<WIDTH>();
        match &self.tables[weight] {
            Some(table) => lanes.gather(table, lanes.widen(&classes[0])),
            None => lanes.splat(0),
        }
    }
}

/// The classes that occur, in `N` lines for each weight.
pub(super) struct Picked<'a, const N: usize> {
    lines: Vec<[Line; N]>,
    indices: &'a [u16],
}

impl<'a, const N: usize> Picked<'a, N> {
    pub(super) fn new(tables: &[Option<Table>], present: &'a Present) -> Self {
        let of_weight = |table: &Option<Table>| {
            let mut lines = [[0; WIDTH]; N];
            let table = table.iter().flat_map(|table| present.members.iter().map(|class| table.get(*class)));
            lines.as_flattened_mut().iter_mut().zip(table).for_each(|(slot, word)| *slot = word);
            lines
        };
        Self { lines: tables.iter().map(of_weight).collect(), indices: &present.indices }
    }
}

impl<const N: usize> Tables for Picked<'_, N> {
    #[inline(always)]
    fn look_up<L: Lanes>(&self, lanes: L, weight: usize, at: usize) -> L::Words {
        let (indices, _) = self.indices[at..].as_chunks::<WIDTH>();
        let mut table = [lanes.splat(0); N];
        for (words, line) in table.iter_mut().zip(&self.lines[weight]) {
            *words = lanes.load(line);
        }
        lanes.pick(&table, lanes.widen(&indices[0]))
    }
}

//! Products of activations that lie side by side, each of a class of its own.
//!
//! A memory tells thousands of classes apart, but the activations of one sample are of
//! a few of them. Where these are few enough, the products of a weight with them fit
//! registers, in which they are found much sooner than in memory.

use super::lanes::{Aligned, Lanes, Line, Table, WIDTH};
use std::borrow::Cow;

/// The classes that occur among a layer's activations, or all classes.
pub(super) struct Present<'a> {
    /// Ascending.
    pub members: Vec<u16>,
    /// For each activation the index of its class among them.
    indices: Cow<'a, [u16]>,
}

impl<'a> Present<'a> {
    /// All of the classes, where they are few: to find those that occur would take longer.
    pub(super) fn all(classes: &'a [u16], count: u16) -> Self {
        Self { members: (0..count).collect(), indices: Cow::Borrowed(classes) }
    }

    /// None if there are more than `most`.
    #[inline(always)]
    pub(super) fn new<L: Lanes>(lanes: L, classes: &[u16], most: usize) -> Option<Self> {
        let greatest = classes.iter().copied().fold(0, u16::max);
        let mut seen = vec![false; usize::from(greatest) + 1];
        classes.iter().for_each(|class| seen[usize::from(*class)] = true);
        let members: Vec<u16> = (0..=greatest).filter(|class| seen[usize::from(*class)]).collect();
        if members.len() > most {
            return None;
        }
        let mut index_of = vec![0; seen.len()];
        (0..).zip(&members).for_each(|(index, class)| index_of[usize::from(*class)] = index);
        let index_of = Table::new(index_of, 0);
        let mut indices = vec![0; classes.len()];
        let (lines, rest) = classes.as_chunks::<WIDTH>();
        let (slots, last) = indices.as_chunks_mut::<WIDTH>();
        for (slots, line) in slots.iter_mut().zip(lines) {
            *slots = lanes.narrow(lanes.gather(&index_of, lanes.widen(line)));
        }
        for (slot, class) in last.iter_mut().zip(rest) {
            *slot = index_of.get((*class).into()) as u16;
        }
        Some(Self { members, indices: Cow::Owned(indices) })
    }
}

/// Products of a weight with activations that lie side by side.
pub(super) trait Tables<L: Lanes> {
    /// What is kept in registers of a weight.
    type OfWeight: Copy;

    /// A weight, by its index in the codebook.
    fn of_weight(&self, lanes: L, weight: usize) -> Self::OfWeight;

    /// Its products with the activations from a place of the planes on.
    fn look_up(&self, lanes: L, of_weight: &Self::OfWeight, at: usize) -> L::Words;
}

/// All classes, in memory.
pub(super) struct Stored<'a> {
    pub tables: &'a [Option<Table>],
    pub classes: &'a [u16],
}

impl<'a, L: Lanes> Tables<L> for Stored<'a> {
    type OfWeight = Option<&'a Table>;

    #[inline(always)]
    fn of_weight(&self, _: L, weight: usize) -> Option<&'a Table> {
        self.tables[weight].as_ref()
    }

    #[inline(always)]
    fn look_up(&self, lanes: L, table: &Option<&'a Table>, at: usize) -> L::Words {
        let (classes, _) = self.classes[at..].as_chunks::<WIDTH>();
        match table {
            Some(table) => lanes.gather(table, lanes.widen(&classes[0])),
            None => lanes.splat(0),
        }
    }
}

/// The classes that occur, in `N` lines for each weight.
pub(super) struct Picked<'a, const N: usize> {
    lines: Vec<Aligned<[Line; N]>>,
    indices: &'a [u16],
}

impl<'a, const N: usize> Picked<'a, N> {
    pub(super) fn new(tables: &[Option<Table>], present: &'a Present<'_>) -> Self {
        let of_weight = |table: &Option<Table>| {
            let mut lines = [[0; WIDTH]; N];
            let table = table.iter().flat_map(|table| present.members.iter().map(|class| table.get((*class).into())));
            lines.as_flattened_mut().iter_mut().zip(table).for_each(|(slot, word)| *slot = word);
            Aligned(lines)
        };
        Self { lines: tables.iter().map(of_weight).collect(), indices: &present.indices }
    }
}

impl<L: Lanes, const N: usize> Tables<L> for Picked<'_, N> {
    type OfWeight = [L::Words; N];

    #[inline(always)]
    fn of_weight(&self, lanes: L, weight: usize) -> [L::Words; N] {
        let mut table = [lanes.splat(0); N];
        for (words, line) in table.iter_mut().zip(&self.lines[weight].0) {
            *words = lanes.load(line);
        }
        table
    }

    #[inline(always)]
    fn look_up(&self, lanes: L, table: &[L::Words; N], at: usize) -> L::Words {
        let (indices, _) = self.indices[at..].as_chunks::<WIDTH>();
        lanes.pick(table, lanes.widen(&indices[0]))
    }
}

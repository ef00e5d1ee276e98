//! The words of a memory that is addressed: dense where it can be built.

use axp_spec::MAX_ROWS;
use std::collections::BTreeMap;

/// A word an address, or none where the row is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Of a memory that hardware can have: one load finds a word, and the search
    /// of `axp build` asks for millions.
    Dense(Vec<Option<u32>>),
    /// Of a shape that no validated configuration has, such as one that compares
    /// all bits of a binary32 fraction: only what has been written takes memory.
    Sparse(BTreeMap<u32, u32>),
}

impl Words {
    /// `rows` words, all of them invalid.
    pub fn new(rows: usize) -> Self {
        if rows <= MAX_ROWS { Self::Dense(vec![None; rows]) } else { Self::Sparse(BTreeMap::new()) }
    }

    /// How many are valid.
    pub fn valid(&self) -> usize {
        match self {
            Self::Dense(words) => words.iter().flatten().count(),
            Self::Sparse(words) => words.len(),
        }
    }

    /// Makes all of them invalid.
    pub fn clear(&mut self) {
        match self {
            Self::Dense(words) => words.fill(None),
            Self::Sparse(words) => words.clear(),
        }
    }

    /// The word at an address; `None` where there is none.
    pub fn get(&self, address: u32) -> Option<u32> {
        match self {
            Self::Dense(words) => *words.get(address as usize)?,
            Self::Sparse(words) => words.get(&address).copied(),
        }
    }

    /// Puts a word, or none, at an address; those past the end keep nothing.
    pub fn set(&mut self, address: u32, word: Option<u32>) {
        match (self, word) {
            (Self::Dense(words), word) => {
                if let Some(place) = words.get_mut(address as usize) {
                    *place = word;
                }
            }
            (Self::Sparse(words), Some(word)) => {
                words.insert(address, word);
            }
            (Self::Sparse(words), None) => {
                words.remove(&address);
            }
        }
    }
}

//! Finished sums of a layer.

use super::arithmetic::Arithmetic;

/// Finished sums: `[channel, position]`.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub words: Vec<u32>,
    /// Their marks, if these are kept.
    pub marks: Vec<u32>,
    /// The greatest of all marks.
    pub seen: u32,
    positions: usize,
}

impl Sums {
    pub(super) fn new(channels: usize, positions: usize, keep_marks: bool) -> Self {
        let marks = if keep_marks { vec![0; channels * positions] } else { Vec::new() };
        Self { words: vec![0; channels * positions], marks, seen: 0, positions }
    }

    /// Those of channels side by side, at one position.
    #[inline(always)]
    pub(super) fn put<A: Arithmetic>(&mut self, channel: usize, position: usize, words: &[u32], marks: &[u32]) {
        let first = channel * self.positions + position;
        let slots = self.words[first..].iter_mut().step_by(self.positions);
        slots.zip(words).for_each(|(slot, word)| *slot = *word);
        if A::MARKED {
            self.seen = marks.iter().copied().fold(self.seen, u32::max);
            if !self.marks.is_empty() {
                let slots = self.marks[first..].iter_mut().step_by(self.positions);
                slots.zip(marks).for_each(|(slot, mark)| *slot = *mark);
            }
        }
    }

    /// Those of one channel, where position `p` is at `places[p]`.
    #[inline(always)]
    pub(super) fn put_channel<A: Arithmetic>(
        &mut self,
        channel: usize,
        places: &[usize],
        words: &[u32],
        marks: &[u32],
    ) {
        let first = channel * self.positions;
        for (slot, place) in self.words[first..].iter_mut().zip(places) {
            *slot = words[*place];
        }
        if A::MARKED {
            for place in places {
                self.seen = self.seen.max(marks[*place]);
            }
        }
        if !self.marks.is_empty() {
            for (slot, place) in self.marks[first..].iter_mut().zip(places) {
                *slot = marks[*place];
            }
        }
    }
}

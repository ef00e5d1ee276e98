//! Activations sorted into classes that an AM cannot tell apart.
//!
//! A row compares weight and activation separately, so two activations that
//! satisfy the same rows' activation halves have the same products with every
//! weight. There are few such classes (about one for each distinct activation
//! pattern), and a class is found by a table on the top bits and, where rows
//! compare lower bits too, a few steps down a binary tree.

use super::lanes::{Kernel, Lanes, Table, WIDTH};
use axp_spec::AmImage;
use std::collections::HashMap;

/// Class of +0.
pub(super) const PLUS_ZERO: u16 = 0;
/// Class of −0.
pub(super) const MINUS_ZERO: u16 = 1;
/// Class of everything that no row matches, infinities and NaNs among them.
pub(super) const NOTHING: u16 = 2;

/// Class of the first prefix, where prefixes are classes.
const PREFIXES: u32 = NOTHING as u32;

/// Set in a table entry that is the index of a tree node, not a class.
const NODE: u32 = 1 << 31;
/// The table covers sign and exponent at least, so that special values can be
/// kept out there.
const MIN_TABLE_BITS: u32 = 9;
/// 64 KiB: what a first-level cache nearly holds.
const MAX_TABLE_BITS: u32 = 14;
/// Bounds on hostile images; those of ordered prefixes stay far below.
const MAX_CLASSES: usize = u16::MAX as usize;
const MAX_NODES: usize = 1 << 17;

/// A branch on one activation bit.
#[derive(Clone, Copy, Debug)]
struct Node {
    bit: u32,
    entries: [u32; 2],
}

/// Maps activations to classes, and classes to rows.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    shift: u32,
    /// None where each prefix is a class.
    table: Option<Table>,
    nodes: Vec<Node>,
    /// For each class the activation patterns that it satisfies, by index.
    patterns: Vec<Vec<u16>>,
    /// For each row the index of its activation pattern.
    pattern_of_row: Vec<u16>,
}

/// The activation half of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Half {
    key: u32,
    care: u32,
}

impl Classes {
    /// The classes of an image, or `None` if its patterns overlap in so many
    /// ways that a row-by-row search is the better choice.
    pub(super) fn new(image: &AmImage) -> Option<Self> {
        let mut index_of: HashMap<Half, u16> = HashMap::new();
        let mut halves = Vec::new();
        let mut pattern_of_row = Vec::with_capacity(image.rows.len());
        for row in &image.rows {
            let half = Half { key: row.key as u32 & row.care as u32, care: row.care as u32 };
            let next = u16::try_from(halves.len()).ok()?;
            pattern_of_row.push(*index_of.entry(half).or_insert_with(|| {
                halves.push(half);
                next
            }));
        }
        let lowest = halves.iter().map(|half| half.care.trailing_zeros()).min().unwrap_or(32);
        let bits = (32 - lowest.min(32)).clamp(MIN_TABLE_BITS, MAX_TABLE_BITS);
        let mut builder = Builder {
            halves: &halves,
            shift: 32 - bits,
            table: vec![u32::from(NOTHING); 1 << bits],
            nodes: Vec::new(),
            classes: HashMap::from([(Vec::new(), NOTHING)]),
            count: usize::from(NOTHING) + 1,
        };
        let all: Vec<u16> = (0..halves.len()).map(|index| index as u16).collect();
        builder.paint(31, 0, &all)?;
        let mut patterns = vec![Vec::new(); builder.count];
        for (zero, activation) in [(PLUS_ZERO, 0), (MINUS_ZERO, 1 << 31)] {
            patterns[usize::from(zero)] =
                all.iter().copied().filter(|i| halves[usize::from(*i)].matches(activation)).collect();
        }
        for (set, class) in std::mem::take(&mut builder.classes) {
            patterns[usize::from(class)] = set;
        }
        let Builder { shift, mut table, nodes, .. } = builder;
        let special = f32::INFINITY.to_bits();
        for sign in [0, 1 << 31] {
            let first = ((sign | special) >> shift) as usize;
            table[first..][..1 << (23 - shift)].fill(u32::from(NOTHING));
        }
        Some(Self { shift, table: Some(Table::new(table, u32::from(NOTHING))), nodes, patterns, pattern_of_row })
    }

    /// The classes of sign, exponent and top fraction bits, one for each, and an activation
    /// of each. Of zeros, subnormals, infinities and NaNs a class tells nothing but the zeros.
    /// `None` if they are too many.
    pub(super) fn prefixes(fraction_bits: u32) -> Option<(Self, Vec<u32>)> {
        let shift = 23_u32.checked_sub(fraction_bits)?;
        let prefixes = 1_u32 << (32 - shift);
        let zeros = [0, 1 << 31];
        let members: Vec<u32> = zeros.into_iter().chain((0..prefixes).map(|prefix| prefix << shift)).collect();
        if members.len() > MAX_CLASSES {
            return None;
        }
        let patterns = vec![Vec::new(); members.len()];
        let classes = Self { shift, table: None, nodes: Vec::new(), patterns, pattern_of_row: Vec::new() };
        Some((classes, members))
    }

    /// An activation of a class, where each prefix is a class and it is no zero; others of the class have the
    /// same products if it is normal.
    pub(super) fn member(&self, class: usize) -> Option<u32> {
        let prefix = (class as u32).checked_sub(PREFIXES).filter(|_| self.table.is_none())?;
        Some(prefix << self.shift)
    }

    /// Whether classes can have other numbers.
    pub(super) fn is_ordered(&self) -> bool {
        self.table.is_some()
    }

    /// Gives each class another number, `new_of` its old one.
    pub(super) fn renumber(&mut self, new_of: &[u16]) {
        let renumber = |entry: &mut u32| {
            if *entry & NODE == 0 {
                *entry = new_of[*entry as usize].into();
            }
        };
        if let Some(table) = &mut self.table {
            table.change(renumber);
        }
        self.nodes.iter_mut().flat_map(|node| &mut node.entries).for_each(renumber);
        let mut patterns = vec![Vec::new(); self.patterns.len()];
        for (new, old) in new_of.iter().zip(std::mem::take(&mut self.patterns)) {
            patterns[usize::from(*new)] = old;
        }
        self.patterns = patterns;
    }

    /// How many classes there are.
    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The class of an activation, by its encoding.
    #[inline]
    pub(super) fn class(&self, bits: u32) -> u16 {
        let prefix = bits >> self.shift;
        let mut entry = self.table.as_ref().map_or(prefix + PREFIXES, |table| table.get(prefix));
        while entry & NODE != 0 {
            let node = &self.nodes[(entry & !NODE) as usize];
            entry = node.entries[(bits >> node.bit & 1) as usize];
        }
        if bits << 1 == 0 { (bits >> 31) as u16 } else { entry as u16 }
    }

    /// From an encoding to its prefix, which [`Classes::of_prefix`] takes.
    pub(super) fn shift(&self) -> u32 {
        self.shift
    }

    /// The classes of activations with a prefix, but zeros.
    pub(super) fn of_prefix(&self, prefix: u32) -> Vec<u16> {
        let Some(table) = &self.table else { return vec![(prefix + PREFIXES) as u16] };
        let (mut open, mut classes) = (vec![table.get(prefix)], Vec::new());
        while let Some(entry) = open.pop() {
            match entry & NODE {
                0 => classes.push(entry as u16),
                _ => open.extend(self.nodes[(entry & !NODE) as usize].entries),
            }
        }
        classes
    }

    /// For each class the lowest of `rows` that it satisfies.
    ///
    /// `rows` are those whose weight half a given weight satisfies, ascending.
    pub(super) fn lowest_rows(&self, rows: &[usize]) -> Vec<Option<usize>> {
        let mut lowest: Vec<Option<usize>> = vec![None; self.pattern_of_row.len()];
        for row in rows {
            lowest[usize::from(self.pattern_of_row[*row])].get_or_insert(*row);
        }
        let first = |set: &Vec<u16>| set.iter().filter_map(|pattern| lowest[usize::from(*pattern)]).min();
        self.patterns.iter().map(first).collect()
    }
}

/// Finds the class of each activation.
pub(super) struct ClassesOf<'a> {
    pub classes: &'a Classes,
    /// Encodings.
    pub activations: &'a [u32],
}

impl Kernel for ClassesOf<'_> {
    type Output = Vec<u16>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Vec<u16> {
        let Self { classes, activations } = self;
        if !classes.nodes.is_empty() {
            return activations.iter().map(|bits| classes.class(*bits)).collect();
        }
        let mut found = vec![0; activations.len()];
        let (lines, rest) = activations.as_chunks::<WIDTH>();
        let (slots, last) = found.as_chunks_mut::<WIDTH>();
        for (slots, line) in slots.iter_mut().zip(lines) {
            let bits = lanes.load(line);
            let prefixes = lanes.shift_right(bits, classes.shift);
            let stored = match &classes.table {
                Some(table) => lanes.gather(table, prefixes),
                None => lanes.add_i32(prefixes, lanes.splat(PREFIXES)),
            };
            let zeros = lanes.replace_at(bits, 0, stored, lanes.splat(PLUS_ZERO.into()));
            *slots = lanes.narrow(lanes.replace_at(bits, 1 << 31, zeros, lanes.splat(MINUS_ZERO.into())));
        }
        for (slot, bits) in last.iter_mut().zip(rest) {
            *slot = classes.class(*bits);
        }
        found
    }
}

impl Half {
    fn matches(self, activation: u32) -> bool {
        (activation ^ self.key) & self.care == 0
    }
}

struct Builder<'a> {
    halves: &'a [Half],
    shift: u32,
    table: Vec<u32>,
    nodes: Vec<Node>,
    classes: HashMap<Vec<u16>, u16>,
    count: usize,
}

impl Builder<'_> {
    /// Fills the table for all activations that agree with `prefix` above
    /// `bit`, where the patterns `alive` are those not yet ruled out.
    fn paint(&mut self, bit: u32, prefix: u32, alive: &[u16]) -> Option<()> {
        let decided = self.highest_compared(bit, alive).is_none();
        if decided || bit < self.shift {
            let entry = self.entry(bit, alive)?;
            // The whole range below the prefix: 2^(bit + 1) activations.
            let range = 1usize << (bit + 1 - self.shift.min(bit + 1));
            self.table[(prefix >> self.shift) as usize..][..range].fill(entry);
            return Some(());
        }
        for value in [0, 1] {
            let left = self.agreeing(bit, value, alive);
            let prefix = prefix | value << bit;
            match bit.checked_sub(1) {
                Some(below) => self.paint(below, prefix, &left)?,
                None => self.table[prefix as usize] = self.leaf(&left)?,
            }
        }
        Some(())
    }

    /// A class, or a tree that decides it from `bit` down.
    fn entry(&mut self, bit: u32, alive: &[u16]) -> Option<u32> {
        let Some(bit) = self.highest_compared(bit, alive) else { return self.leaf(alive) };
        let mut entries = [0; 2];
        for value in [0, 1] {
            let left = self.agreeing(bit, value, alive);
            entries[value as usize] = match bit.checked_sub(1) {
                Some(below) => self.entry(below, &left)?,
                None => self.leaf(&left)?,
            };
        }
        if self.nodes.len() == MAX_NODES {
            return None;
        }
        self.nodes.push(Node { bit, entries });
        Some(NODE | (self.nodes.len() - 1) as u32)
    }

    fn leaf(&mut self, set: &[u16]) -> Option<u32> {
        if let Some(class) = self.classes.get(set) {
            return Some(u32::from(*class));
        }
        if self.count == MAX_CLASSES {
            return None;
        }
        let class = self.count as u16;
        self.count += 1;
        self.classes.insert(set.to_vec(), class);
        Some(u32::from(class))
    }

    /// The highest bit, `bit` or below, that one of `alive` compares.
    fn highest_compared(&self, bit: u32, alive: &[u16]) -> Option<u32> {
        let below = u32::MAX >> (31 - bit);
        let compared = alive.iter().fold(0, |bits, index| bits | self.halves[usize::from(*index)].care) & below;
        compared.checked_ilog2()
    }

    fn agreeing(&self, bit: u32, value: u32, alive: &[u16]) -> Vec<u16> {
        let agrees = |half: Half| (half.key >> bit ^ value) & half.care >> bit & 1 == 0;
        alive.iter().copied().filter(|index| agrees(self.halves[usize::from(*index)])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axp_spec::{AmRow, Bits32};
    use proptest::prelude::*;

    fn image(halves: &[(u32, u32)]) -> AmImage {
        let row =
            |(key, care): &(u32, u32)| AmRow { key: u64::from(key & care), care: u64::from(*care), product: Bits32(0) };
        AmImage { rows: halves.iter().map(row).collect() }
    }

    /// Rows that match an activation, by comparing with each.
    fn matching(halves: &[(u32, u32)], activation: u32) -> Vec<usize> {
        let finite = f32::from_bits(activation).is_finite();
        let matches = |row: &usize| finite && (activation ^ halves[*row].0) & halves[*row].1 == 0;
        (0..halves.len()).filter(matches).collect()
    }

    fn half() -> impl Strategy<Value = (u32, u32)> {
        let care = prop_oneof![
            (0..=32u32).prop_map(|bits| if bits == 0 { 0 } else { u32::MAX << (32 - bits) }),
            any::<u32>(),
            Just(u32::MAX),
        ];
        let key = prop_oneof![any::<u32>(), (0..4u32).prop_map(|n| 0x3F80_0000 + (n << 20)), Just(0)];
        (key, care)
    }

    proptest! {
        #[test]
        fn an_activation_gets_the_rows_that_match_it(
            halves in proptest::collection::vec(half(), 0..10),
            others: Vec<u32>,
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0..32u32), 0..20),
        ) {
            let Some(classes) = Classes::new(&image(&halves)) else {
                // Only patterns that compare bits here and there are too many ways to overlap.
                let scattered = |(_, care): &(u32, u32)| care.leading_ones() + care.trailing_zeros() < 32;
                prop_assert!(halves.iter().any(scattered), "ordered prefixes are never too many");
                return Ok(());
            };
            let near = flips.iter().filter(|_| !halves.is_empty()).map(|(at, bit)| at.get(&halves).0 ^ 1 << bit);
            let keys = halves.iter().map(|(key, _)| *key);
            let special = [0, 1 << 31, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFFF_FFFF, 1, 0x7F7F_FFFF];
            for activation in keys.chain(near).chain(others).chain(special) {
                let class = classes.class(activation);
                let rows = matching(&halves, activation);
                // The rows one at a time: each is the lowest of itself alone.
                for row in 0..halves.len() {
                    let found = classes.lowest_rows(&[row])[usize::from(class)];
                    prop_assert_eq!(found, rows.contains(&row).then_some(row), "{:08x} row {}", activation, row);
                }
                let all: Vec<usize> = (0..halves.len()).collect();
                prop_assert_eq!(classes.lowest_rows(&all)[usize::from(class)], rows.first().copied());
                prop_assert_eq!(class == PLUS_ZERO, activation == 0);
                prop_assert_eq!(class == MINUS_ZERO, activation == 1 << 31);
            }
        }
    }

    #[test]
    fn prefixes_make_few_classes() {
        let halves: Vec<(u32, u32)> = (0..128).map(|n| (0x3F00_0000 + (n << 21), 0xFFE0_0000)).collect();
        let classes = Classes::new(&image(&halves)).unwrap();
        assert_eq!(classes.len(), 128 + 3);
        assert!(classes.nodes.is_empty());
    }

    #[test]
    fn hostile_images_are_given_up_on() {
        let halves: Vec<(u32, u32)> = (0..23).map(|bit| (1 << bit, 0xFF80_0000 | 1 << bit)).collect();
        assert!(Classes::new(&image(&halves)).is_none());
    }
}

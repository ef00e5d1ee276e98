//! Random stimuli for a PE, biased towards what an associative memory gets wrong, and what they covered.

mod counts;

pub use counts::Counts;

use axp_spec::am::key_of;
use axp_spec::{PeConfig, PeInputs, RowWrite};
use proptest::prelude::*;
use proptest::sample::Index;

/// Encodings at the edges of binary32.
const EDGES: [u32; 18] = [
    0x0000_0000, // +0
    0x8000_0000, // -0
    0x0000_0001, // smallest subnormal
    0x8000_0001,
    0x007F_FFFF, // largest subnormal
    0x807F_FFFF,
    0x0080_0000, // smallest normal
    0x3F80_0000, // 1
    0xBF80_0000,
    0x3F80_0001, // next above 1
    0x3F7F_FFFF, // next below 1
    0x7F7F_FFFF, // largest finite
    0xFF7F_FFFF,
    0x7F80_0000, // infinities
    0xFF80_0000,
    0x7FC0_0000, // the canonical NaN
    0x7F80_0001, // a signalling NaN
    0xFFFF_FFFF, // a NaN with everything set
];

/// One test case. It becomes [`PeInputs`] only with a configuration, so that it
/// shrinks step by step.
#[derive(Clone, Debug)]
pub struct Case {
    /// Operand pairs that rows are made of. Few, so that rows overlap.
    bases: Vec<(u32, u32)>,
    /// Rows written before the operands.
    rows: Vec<Row>,
    /// One cycle each.
    steps: Vec<Step>,
    /// Chance, in 1/256, that a pair is offered.
    offer: u8,
    /// Chance, in 1/256, that the receiver takes.
    take: u8,
    /// State of the zero-skip bit at the start.
    zero_skip: bool,
}

#[derive(Clone, Debug)]
struct Row {
    address: Index,
    base: Index,
    mask: Mask,
    product: u32,
    valid: bool,
    /// Key bits where the mask does not care: they must not matter.
    stray: u64,
}

#[derive(Clone, Debug)]
enum Mask {
    Exact,
    /// The low bits of the activation are ignored, as the fill step makes rows.
    Activation(u32),
    /// Low bits of both operands are ignored.
    Both(u32, u32),
    /// Anything.
    Wild(u64),
}

#[derive(Clone, Debug)]
struct Step {
    operand: Operand,
    first: bool,
    last: bool,
    offer: u8,
    take: u8,
    toggle_zero_skip: bool,
    write: Option<Row>,
}

#[derive(Clone, Debug)]
enum Operand {
    /// Matches a valid row; bits that the row ignores are filled in.
    Row(Index, u64),
    Pair(u32, u32),
}

fn encoding() -> impl Strategy<Value = u32> {
    let ordinary = (any::<bool>(), 0x2F00_0000u32..0x4800_0000).prop_map(|(sign, bits)| bits | u32::from(sign) << 31);
    prop_oneof![4 => ordinary, 1 => prop::sample::select(&EDGES[..]), 1 => any::<u32>()]
}

fn mask() -> impl Strategy<Value = Mask> {
    prop_oneof![
        15 => Just(Mask::Exact),
        6 => (1u32..24).prop_map(Mask::Activation),
        1 => (1u32..24, 1u32..24).prop_map(|(weight, activation)| Mask::Both(weight, activation)),
        1 => any::<u64>().prop_map(Mask::Wild),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    (any::<Index>(), any::<Index>(), mask(), encoding(), prop::bool::weighted(0.9), any::<u64>())
        .prop_map(|(address, base, mask, product, valid, stray)| Row { address, base, mask, product, valid, stray })
}

fn step() -> impl Strategy<Value = Step> {
    let operand = prop_oneof![
        17 => (any::<Index>(), any::<u64>()).prop_map(|(row, fill)| Operand::Row(row, fill)),
        2 => (encoding(), encoding()).prop_map(|(weight, activation)| Operand::Pair(weight, activation)),
        1 => (encoding(), any::<bool>()).prop_map(|(weight, sign)| Operand::Pair(weight, u32::from(sign) << 31)),
    ];
    let write = prop::option::weighted(0.06, row());
    let (end, toggle) = (prop::bool::weighted(0.3), prop::bool::weighted(0.03));
    (operand, end, end, any::<u8>(), any::<u8>(), toggle, write).prop_map(
        |(operand, first, last, offer, take, toggle_zero_skip, write)| Step {
            operand,
            first,
            last,
            offer,
            take,
            toggle_zero_skip,
            write,
        },
    )
}

/// Cases of up to `steps` cycles after the first rows are written.
pub fn cases(steps: usize) -> impl Strategy<Value = Case> {
    let rate = || prop_oneof![2 => Just(255u8), 2 => 200u8..255, 1 => 30u8..200];
    let bases = prop::collection::vec((encoding(), encoding()), 1..6);
    let rows = prop::collection::vec(row(), 1..16);
    (bases, rows, prop::collection::vec(step(), 1..steps), rate(), rate(), any::<bool>())
        .prop_map(|(bases, rows, steps, offer, take, zero_skip)| Case { bases, rows, steps, offer, take, zero_skip })
}

impl Case {
    /// The case as cycles of a PE of this configuration.
    pub fn stimulus(&self, config: &PeConfig) -> Vec<PeInputs> {
        let mut rows: Vec<Option<RowWrite>> = vec![None; config.am.rows];
        let mut cycles = Vec::new();
        for row in &self.rows {
            let write = self.write(row, config);
            store(&mut rows, &write);
            cycles.push(PeInputs {
                row: Some(write),
                zero_skip: self.zero_skip,
                out_ready: true,
                ..Default::default()
            });
        }
        let mut zero_skip = self.zero_skip;
        for step in &self.steps {
            zero_skip ^= step.toggle_zero_skip;
            let (weight, activation) = operand(&step.operand, &rows);
            let row = step.write.as_ref().map(|row| self.write(row, config));
            cycles.push(PeInputs {
                zero_skip,
                row,
                valid: step.offer <= self.offer,
                first: step.first,
                last: step.last,
                weight,
                activation,
                out_ready: step.take <= self.take,
            });
            if let Some(write) = &row {
                store(&mut rows, write);
            }
        }
        // Room for the last results, so that none of them goes unseen.
        cycles.extend([PeInputs { out_ready: true, ..Default::default() }; 6]);
        cycles
    }

    fn write(&self, row: &Row, config: &PeConfig) -> RowWrite {
        let (weight, activation) = self.bases[row.base.index(self.bases.len())];
        let ignored = |bits: u32| u32::MAX << bits;
        let care = match row.mask {
            Mask::Exact => u64::MAX,
            Mask::Activation(bits) => key_of(u32::MAX, ignored(bits)),
            Mask::Both(w, a) => key_of(ignored(w), ignored(a)),
            Mask::Wild(care) => care,
        };
        // Every address that the port can carry, the rows favoured.
        let ports = 1usize << config.row_address_bits();
        let mut address = row.address.index(4 * config.am.rows + ports);
        address = if address < 4 * config.am.rows { address % config.am.rows } else { address % ports };
        RowWrite {
            address: address as u32,
            key: key_of(weight, activation) & care | row.stray & !care,
            care,
            product: row.product,
            valid: row.valid,
        }
    }
}

fn store(rows: &mut [Option<RowWrite>], write: &RowWrite) {
    if let Some(row) = rows.get_mut(write.address as usize) {
        *row = write.valid.then_some(*write);
    }
}

fn operand(operand: &Operand, rows: &[Option<RowWrite>]) -> (u32, u32) {
    let valid: Vec<&RowWrite> = rows.iter().flatten().collect();
    let key = match operand {
        Operand::Row(index, fill) if !valid.is_empty() => {
            let row = valid[index.index(valid.len())];
            row.key & row.care | fill & !row.care
        }
        Operand::Row(_, fill) => *fill,
        Operand::Pair(weight, activation) => key_of(*weight, *activation),
    };
    ((key >> 32) as u32, key as u32)
}

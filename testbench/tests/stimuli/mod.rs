//! Random stimuli for a PE, biased towards what an associative memory gets wrong, and what they covered.

mod counts;
mod factored;
mod factored_counts;
mod grid;
mod held;

pub use counts::Counts;
use held::Held;

use axp_spec::{Accumulator, CodebookWrite, FloatFormat, NarrowOperands, Organisation, PeConfig, PeInputs, RowWrite};
use proptest::prelude::*;
use proptest::sample::Index;

/// An operand or product, whatever the format.
#[derive(Clone, Debug)]
enum Encoding {
    /// Not far from 1: a place in that range, and a sign.
    Ordinary(u32, bool),
    /// One of [`edges`].
    Edge(Index),
    /// Any bits.
    Any(u32),
}

/// The range of a fixed-point accumulator, whatever the format.
#[derive(Clone, Debug)]
enum Range {
    /// Between the least and the greatest, in 64ths.
    Share(u32),
    /// Any bits, those above the port's width included.
    Any(u32),
}

impl Range {
    fn bits(&self, format: FloatFormat) -> u32 {
        match self {
            Self::Share(share) => (share << format.exponent_bits()) / 64,
            Self::Any(bits) => *bits,
        }
    }
}

/// Encodings at the edges of a format.
fn edges(format: FloatFormat) -> Vec<u64> {
    let (sign, normal) = (format.sign_mask(), 1 << format.fraction_bits());
    let (one, largest) = ((format.bias() as u64) << format.fraction_bits(), format.largest_finite());
    // Both zeros, subnormals, the smallest normal, around 1, the largest finite.
    let magnitudes = [0, 1, normal - 1, normal, one, one + 1, one - 1, largest];
    // Infinity, or in E4M3 the NaN; NaNs: the canonical, a signalling, everything set.
    let specials = [largest + 1, format.canonical_nan(), format.exponent_mask() | 1, sign - 1];
    magnitudes.into_iter().chain(specials).flat_map(|magnitude| [magnitude, magnitude | sign]).collect()
}

impl Encoding {
    fn bits(&self, format: FloatFormat) -> u32 {
        let bits = match self {
            Self::Ordinary(place, sign) => {
                // 2^-33 to 2^17 in binary32, and the same share of the others.
                let bias = format.bias() as u64;
                let low = (bias - (bias * 33 / 127).max(1)) << format.fraction_bits();
                let high = (bias + (bias * 17 / 127).max(1)) << format.fraction_bits();
                (low + u64::from(*place) % (high - low)) | if *sign { format.sign_mask() } else { 0 }
            }
            Self::Edge(index) => *index.get(&edges(format)),
            Self::Any(bits) => u64::from(*bits) & format.encoding_mask(),
        };
        bits as u32
    }
}

/// One test case. It becomes [`PeInputs`] only with a configuration, so that it
/// shrinks step by step.
#[derive(Clone, Debug)]
pub struct Case {
    /// Operand pairs that rows are made of. Few, so that rows overlap.
    bases: Vec<(Encoding, Encoding)>,
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
    /// Range of a fixed-point accumulator.
    range: Range,
    /// Layer of a frozen memory.
    layer: Index,
}

#[derive(Clone, Debug)]
struct Row {
    address: Index,
    base: Index,
    mask: Mask,
    product: Encoding,
    valid: bool,
    /// Key bits where the mask does not care: they must not matter.
    stray: u64,
}

impl Row {
    /// Every address that the port can carry, the rows favoured.
    fn address(&self, config: &PeConfig) -> u32 {
        let ports = 1usize << config.row_address_bits();
        if let Some(shape) = config.grid_memory() {
            let place = self.address.index(4 * config.rows() + ports) as u32;
            let row = place % config.rows() as u32;
            let favoured = shape.address(row / shape.columns, row % shape.columns);
            return if (place as usize) < 4 * config.rows() { favoured } else { place % ports as u32 };
        }
        let address = self.address.index(4 * config.rows() + ports);
        (if address < 4 * config.rows() { address % config.rows() } else { address % ports }) as u32
    }
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
    Pair(Encoding, Encoding),
    /// A weight and a zero, which may be negative.
    Zero(Encoding, bool),
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        4 => (any::<u32>(), any::<bool>()).prop_map(|(place, sign)| Encoding::Ordinary(place, sign)),
        1 => any::<Index>().prop_map(Encoding::Edge),
        1 => any::<u32>().prop_map(Encoding::Any),
    ]
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
        1 => (encoding(), any::<bool>()).prop_map(|(weight, sign)| Operand::Zero(weight, sign)),
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
    // Around 1 most of the time, where ordinary products are.
    let range = prop_oneof![4 => (26u32..40).prop_map(Range::Share), 1 => (0u32..64).prop_map(Range::Share), 1 => any::<u32>().prop_map(Range::Any)];
    let layer = any::<Index>();
    (bases, rows, prop::collection::vec(step(), 1..steps), rate(), rate(), any::<bool>(), range, layer).prop_map(
        |(bases, rows, steps, offer, take, zero_skip, range, layer)| Case {
            bases,
            rows,
            steps,
            offer,
            take,
            zero_skip,
            range,
            layer,
        },
    )
}

impl Case {
    /// The case as cycles of a PE of this configuration.
    pub fn stimulus(&self, config: &PeConfig) -> Vec<PeInputs> {
        let mut held = Held::new(config);
        let mut cycles = Vec::new();
        let range = self.range.bits(config.format);
        let idle = PeInputs { zero_skip: self.zero_skip, range, out_ready: true, ..PeInputs::default() };
        let writable = config.am.is_some() && !config.is_frozen();
        if config.is_frozen() {
            // One layer past the last one too: it is empty.
            let layer = self.layer.index(config.frozen_layers().len() + 1) as u32 % (1 << config.layer_bits().unwrap());
            held.layer(config, layer);
            cycles.push(PeInputs { layer: Some(layer), ..idle });
        }
        for (number, row) in (0..).zip(self.rows.iter().filter(|_| writable)) {
            let mut codebook = self.magnitude(number, config);
            codebook.iter().for_each(|write| held.codebook(write));
            for write in held.whole(config, self.write(row, config)) {
                held.row(config, &write);
                cycles.push(PeInputs { row: Some(write), codebook: codebook.take(), ..idle });
            }
        }
        let mut zero_skip = self.zero_skip;
        for step in &self.steps {
            zero_skip ^= step.toggle_zero_skip;
            let (column, weight, activation) = match config.organisation() {
                Some(Organisation::Factored(shape)) => {
                    factored::operand(config.format, shape, &step.operand, &held.rows)
                }
                Some(Organisation::Grid(shape)) => grid::operand(config.format, shape, &step.operand, &held.rows),
                _ => {
                    let (weight, activation) = operand(bus_format(config), &step.operand, &held.rows);
                    (0, weight, activation)
                }
            };
            let row = step.write.as_ref().filter(|_| writable).map(|row| self.write(row, config));
            let row = row.filter(|write| held.is_known(config, write));
            cycles.push(PeInputs {
                zero_skip,
                range,
                row,
                codebook: None,
                layer: None,
                valid: step.offer <= self.offer,
                first: step.first,
                last: step.last,
                weight,
                activation,
                column,
                out_ready: step.take <= self.take,
            });
            row.iter().for_each(|write| held.row(config, write));
        }
        // Room for the last results, so that none of them goes unseen.
        let last = PeInputs { out_ready: true, range, ..Default::default() };
        cycles.extend(std::iter::repeat_n(last, config.latency() as usize + 3));
        cycles
    }

    /// A word for the codebook, if there is one to write: each column gets one now and
    /// then, and columns that are not there do too.
    fn magnitude(&self, number: u32, config: &PeConfig) -> Option<CodebookWrite> {
        let columns = config.columns().filter(|_| config.has_codebook())?;
        let format = config.format;
        let (weight, _) = &self.bases[number as usize % self.bases.len()];
        let magnitude = u64::from(weight.bits(format)) & (format.sign_mask() - 1);
        Some(CodebookWrite { column: number % (columns + 2), magnitude: magnitude.min(format.largest_finite()) as u32 })
    }

    fn write(&self, row: &Row, config: &PeConfig) -> RowWrite {
        match config.organisation() {
            Some(Organisation::Factored(_)) => return factored::write(row, config),
            Some(Organisation::Grid(_)) => return self.write_pattern(row, config),
            _ => {}
        }
        let format = config.format;
        let (weight, activation) = &self.bases[row.base.index(self.bases.len())];
        // Of a fraction of 23 bits; of a shorter one, the same share.
        let ignored = |bits: u32| u32::MAX << (bits * format.fraction_bits()).div_ceil(23);
        let care = match row.mask {
            Mask::Exact => format.key_mask(),
            Mask::Activation(bits) => format.key_of(u32::MAX, ignored(bits)),
            Mask::Both(w, a) => format.key_of(ignored(w), ignored(a)),
            Mask::Wild(care) => care & format.key_mask(),
        };
        let key = format.key_of(weight.bits(format), activation.bits(format));
        RowWrite {
            address: row.address(config),
            key: key & care | row.stray & !care & format.key_mask(),
            care,
            product: match config.accumulator {
                Accumulator::Float => row.product.bits(format),
                // Small integers and any, of both signs.
                Accumulator::Fixed { product_width, .. } => {
                    let bits = row.product.bits(FloatFormat::Binary32);
                    let small = if bits & 1 == 0 { 0 } else { product_width / 2 };
                    ((bits as i32) >> small) as u32 & u32::MAX >> (32 - product_width)
                }
            },
            valid: row.valid,
        }
    }
}

/// The format whose encodings are put on the bus. Integers of 8 bits are any: those of
/// E4M3 are, and many of them are at an edge.
pub(super) fn bus_format(config: &PeConfig) -> FloatFormat {
    match config.operands {
        None => config.format,
        Some(NarrowOperands::Bfloat16) => FloatFormat::Bfloat16,
        Some(NarrowOperands::Int8) => FloatFormat::E4m3,
    }
}

fn operand(format: FloatFormat, operand: &Operand, rows: &[Option<RowWrite>]) -> (u32, u32) {
    let valid: Vec<&RowWrite> = rows.iter().flatten().collect();
    let key = match operand {
        Operand::Row(index, fill) if !valid.is_empty() => {
            let row = valid[index.index(valid.len())];
            row.key & row.care | fill & !row.care
        }
        Operand::Row(_, fill) => *fill,
        Operand::Pair(weight, activation) => return (weight.bits(format), activation.bits(format)),
        Operand::Zero(weight, negative) => {
            return (weight.bits(format), if *negative { format.sign_mask() as u32 } else { 0 });
        }
    };
    format.operands_of(key & format.key_mask())
}

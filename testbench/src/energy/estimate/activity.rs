//! What happens in a processing element while a layer runs, in numbers an estimate can use.

use super::super::contender::Contender;
use super::super::encoding::Encoding;
use super::super::window::LayerWindow;
use super::float_addition::FloatAddition;
use axp_golden::am::{Am, LoadError, Operands};
use axp_spec::{Accumulator, AmConfig, Content, FloatFormat, PeConfig, Storage};
use serde::{Deserialize, Serialize};

/// Cycles for which a pair that begins a sum, or misses, is on its way to the sum.
const THROUGH: u64 = 3;

/// Cycles for which one that ends a sum is on its way out of a fixed-point sum; one less
/// of a floating-point one.
const OUT: u64 = 6;

/// Top fraction bits of an activation that belong to its prefix.
const PREFIX_BITS: u32 = 4;

/// Rates of a layer, each a MAC. Bits are those that differ from the word before, which
/// is what gates that follow a word switch for.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// Pairs that reach the sum with a product of the memory.
    pub hits: f64,
    /// Pairs that reach it with one of the multiplier.
    pub misses: f64,
    /// Pairs that reach it after one that did not.
    pub starts: f64,
    /// Cycles in which the registers are clocked that seldom change.
    pub awake: f64,
    /// Bits of weight, column and activation on the input ports.
    pub bus_bits: f64,
    /// Pairs whose column is another one than the one before, on the input ports.
    pub column_changes: f64,
    /// Pairs whose activation has another exponent, or other top fraction bits.
    pub prefix_changes: f64,
    /// Bits that the memory reads of the operands of hits, from one hit to the next.
    pub key_bits: f64,
    /// Bits of the operands of misses, from one miss to the next.
    pub operand_bits: f64,
    /// Bits of the product as it is summed.
    pub product_bits: f64,
    /// Bits of the product's magnitude.
    pub magnitude_bits: f64,
    /// Products of another sign than the one before.
    pub sign_flips: f64,
    /// Bits of the sum.
    pub sum_bits: f64,
    /// Products of greater exponent than a binary32 sum where the one before was not, or the other way round.
    pub order_changes: f64,
    /// Products that may cancel leading bits of a binary32 sum.
    pub near: f64,
}

impl Activity {
    /// Of a window of a layer, which is the `number`th of its network, on `contender`.
    ///
    /// # Errors
    /// The memory cannot hold the layer's rows.
    pub fn of(contender: &Contender, window: &LayerWindow, number: usize) -> Result<Self, LoadError> {
        let config = &contender.config;
        let mut am = Am::new(config);
        if config.am.is_some() {
            am.load_layer(&window.memory)?;
        }
        // A frozen memory has far fewer layers.
        am.select_layer(u32::try_from(number).unwrap_or(u32::MAX));
        let columns = window.columns(config);
        let encoding = Encoding::of(config, window);
        let sums = Sums::of(config, window.range(contender));
        let mut counted = Counted::default();
        for sum in &window.sums {
            let mut total = 0.0;
            for (number, pair) in sum.iter().enumerate() {
                let column = columns.get(&pair.0).copied().unwrap_or(0);
                let (weight, activation) = encoding.pair(*pair);
                counted.bus(bus(config, column, weight, activation));
                counted.column.becomes(column.into());
                counted.prefix.becomes(prefix(config, activation));
                if number == 0 {
                    counted.wakes(THROUGH);
                }
                if number + 1 == sum.len() {
                    counted.wakes(if matches!(sums, Sums::Float) { OUT - 1 } else { OUT });
                }
                if contender.zero_skip && config.is_zero(activation) {
                    counted.skipped();
                    continue;
                }
                let operands = Operands { column, weight, activation };
                let product = match am.product(operands) {
                    Some(stored) => {
                        counted.hit(key(config, bus(config, column, weight, activation)));
                        sums.value(config, stored)
                    }
                    None => {
                        // Without a memory there is nothing to miss.
                        if config.am.is_some() {
                            counted.wakes(THROUGH);
                        }
                        counted.miss(u64::from(weight) << 32 | u64::from(activation));
                        number_of(weight) * number_of(activation)
                    }
                };
                if matches!(sums, Sums::Float) {
                    counted.added(FloatAddition::of(total as f32, product as f32));
                }
                total += product;
                counted
                    .summed([product, product.abs(), total].map(|value| sums.word(value)), product.is_sign_negative());
            }
        }
        Ok(counted.rates())
    }
}

/// What is on the input ports.
fn bus(config: &PeConfig, column: u32, weight: u32, activation: u32) -> u64 {
    let weight = if config.has_codebook() { weight >> 31 << 16 | column } else { weight };
    u64::from(weight) << 32 | u64::from(activation)
}

/// What of it the memory reads on a hit: a `factored` one leaves out the lower bits of the
/// activation's fraction.
fn key(config: &PeConfig, bus: u64) -> u64 {
    let unread = config.factored_memory().map_or(0, |shape| config.format.fraction_bits() - shape.mantissa_bits);
    bus >> unread << unread
}

/// An activation's exponent and top fraction bits.
fn prefix(config: &PeConfig, activation: u32) -> u64 {
    let magnitude = u64::from(activation) & !config.format.sign_mask();
    magnitude >> config.format.fraction_bits().saturating_sub(PREFIX_BITS)
}

fn number_of(bits: u32) -> f64 {
    f64::from(f32::from_bits(bits))
}

/// How a sum holds numbers.
enum Sums {
    /// As binary32.
    Float,
    /// In units of a last bit, in two's complement of so many bits.
    Fixed { last_bit: f64, mask: u64 },
}

impl Sums {
    fn of(config: &PeConfig, range: u32) -> Self {
        match config.accumulator_format(range) {
            None => Self::Float,
            Some(format) => Self::Fixed {
                last_bit: f64::from(format.last_bit).exp2(),
                mask: u64::MAX >> 64_u32.saturating_sub(format.width),
            },
        }
    }

    fn word(&self, value: f64) -> u64 {
        match self {
            Self::Float => u64::from((value as f32).to_bits()),
            Self::Fixed { last_bit, mask } => (value / last_bit).round_ties_even() as i64 as u64 & mask,
        }
    }

    /// The number that a memory's word stands for.
    fn value(&self, config: &PeConfig, stored: u32) -> f64 {
        match self {
            Self::Fixed { last_bit, .. } if config.stores_units() => {
                let bits = config.product_bits();
                let units = if config.grid_memory().is_some() {
                    let magnitude = f64::from(stored & ((1 << bits) - 1));
                    if stored >> bits & 1 == 1 { -magnitude } else { magnitude }
                } else {
                    f64::from((stored << (32 - bits)).cast_signed() >> (32 - bits))
                };
                units * last_bit
            }
            _ => number_of(stored),
        }
    }
}

/// What was counted so far, and the words that the next ones are compared with.
#[derive(Default)]
struct Counted {
    pairs: u64,
    hits: u64,
    misses: u64,
    starts: u64,
    flowing: bool,
    awake: u64,
    awake_cycles: u64,
    bus: Word,
    column: Word,
    prefix: Word,
    key: Word,
    operands: Word,
    product: Word,
    magnitude: Word,
    sign: Word,
    sum: Word,
    order: Word,
    near: u64,
}

/// A word, how many bits changed until it came to be, and how often.
#[derive(Default)]
struct Word {
    last: Option<u64>,
    bits: u64,
    changes: u64,
}

impl Word {
    fn becomes(&mut self, word: u64) {
        let before = self.last.replace(word).unwrap_or(word);
        self.bits += u64::from((before ^ word).count_ones());
        self.changes += u64::from(before != word);
    }
}

impl Counted {
    fn bus(&mut self, word: u64) {
        self.pairs += 1;
        self.bus.becomes(word);
        self.awake = self.awake.saturating_sub(1);
        self.awake_cycles += u64::from(self.awake > 0);
    }

    /// What seldom changes is clocked for so many cycles, this one among them.
    fn wakes(&mut self, cycles: u64) {
        self.awake_cycles += u64::from(self.awake == 0);
        self.awake = self.awake.max(cycles);
    }

    fn skipped(&mut self) {
        self.flowing = false;
    }

    fn hit(&mut self, operands: u64) {
        self.hits += 1;
        self.key.becomes(operands);
    }

    fn miss(&mut self, operands: u64) {
        self.misses += 1;
        self.operands.becomes(operands);
    }

    fn summed(&mut self, [product, magnitude, sum]: [u64; 3], negative: bool) {
        self.starts += u64::from(!std::mem::replace(&mut self.flowing, true));
        self.product.becomes(product);
        self.magnitude.becomes(magnitude);
        self.sign.becomes(negative.into());
        self.sum.becomes(sum);
    }

    fn added(&mut self, FloatAddition { swap, near }: FloatAddition) {
        self.order.becomes(swap.into());
        self.near += u64::from(near);
    }

    fn rates(&self) -> Activity {
        let rate = |count: u64| count as f64 / self.pairs.max(1) as f64;
        Activity {
            hits: rate(self.hits),
            misses: rate(self.misses),
            starts: rate(self.starts),
            awake: rate(self.awake_cycles),
            bus_bits: rate(self.bus.bits),
            column_changes: rate(self.column.changes),
            prefix_changes: rate(self.prefix.changes),
            key_bits: rate(self.key.bits),
            operand_bits: rate(self.operands.bits),
            product_bits: rate(self.product.bits),
            magnitude_bits: rate(self.magnitude.bits),
            sign_flips: rate(self.sign.bits),
            sum_bits: rate(self.sum.bits),
            order_changes: rate(self.order.changes),
            near: rate(self.near),
        }
    }
}

/// Whether an estimate can be made of this configuration: binary32 without narrow
/// operands, without cuts and with rows in flip-flops or logic, which is what tables are made of.
pub(super) fn is_covered(config: &PeConfig) -> bool {
    let latches = |am: &AmConfig| am.storage == Storage::Latches && am.content == Content::Programmable;
    !config.am.as_ref().is_some_and(latches)
        && config.format == FloatFormat::Binary32
        && config.operands.is_none()
        && config.multiplier_stages == 0
        && config.adder_stages == 0
        && !matches!(config.accumulator, Accumulator::Fixed { width, .. } if width > 52)
}

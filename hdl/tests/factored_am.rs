//! The factored memory in rust-hdl's simulation against values in binary64.

use axp_hdl::am::factored_memory;
use axp_hdl::circuit::Circuit;
use axp_spec::{Accumulator, FloatFormat, PeConfig, ResetStyle};
use proptest::prelude::*;

struct Bench {
    config: PeConfig,
    memory: Circuit,
}

impl Bench {
    fn new(config: PeConfig) -> Self {
        let shape = config.factored_memory().unwrap();
        let mut bench = Self { memory: factored_memory(&config, shape), config };
        bench.memory.drive("rst_ni", 0);
        bench.clock();
        bench.memory.drive("rst_ni", 1);
        bench.memory.settle();
        bench
    }

    fn clock(&mut self) {
        for level in [0, 1, 0] {
            self.memory.drive("clk_i", level);
            self.memory.settle();
        }
    }

    fn write(&mut self, address: u32, product: u32, valid: bool) {
        let ports =
            [("row_we_i", 1), ("row_addr_i", address), ("row_product_i", product), ("row_valid_i", valid.into())];
        ports.iter().for_each(|(port, value)| self.memory.drive(port, u128::from(*value)));
        self.memory.settle();
        self.clock();
        self.memory.drive("row_we_i", 0);
        self.memory.settle();
    }

    /// The product as an encoding, if the memory has it.
    fn search(&mut self, column: u32, weight: u32, activation: u32) -> Option<u32> {
        for (port, value) in [("column_i", column), ("weight_i", weight), ("activation_i", activation)] {
            self.memory.drive(port, value.into());
        }
        self.memory.settle();
        let below = self.config.format.fraction_bits() + 1 - self.config.product_bits();
        (self.memory.read("hit_o") == 1).then(|| (self.memory.read("product_o") as u32) << below)
    }
}

/// Sign, power of two and significand of an encoding that is zero (0) or normal;
/// `None` for the others.
fn decode(format: FloatFormat, bits: u32) -> Option<(f64, f64, f64)> {
    let bits = u64::from(bits);
    let sign = if bits & format.sign_mask() == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (bits & format.exponent_mask(), bits & ((1 << format.fraction_bits()) - 1));
    let field = (exponent >> format.fraction_bits()) as i32;
    match (field, fraction) {
        (0, 0) => Some((sign, 0.0, 1.0)),
        (0, _) => None,
        _ if format.is_special(bits) => None,
        _ => {
            let significand = 1.0 + fraction as f64 / 2f64.powi(format.fraction_bits() as i32);
            Some((sign, 2f64.powi(field - format.bias()), significand))
        }
    }
}

fn value(parts: (f64, f64, f64)) -> f64 {
    parts.0 * parts.1 * parts.2
}

/// What the memory must answer when `word` stands in the selected row.
fn expected(config: &PeConfig, word: Option<u32>, weight: u32, activation: u32) -> Option<f64> {
    let format = config.format;
    let (weight, activation) = (decode(format, weight)?, decode(format, activation)?);
    if weight.1 * activation.1 == 0.0 {
        return Some(weight.0 * activation.0 * 0.0);
    }
    let unit = 1 << (config.product_bits() - 1);
    let word = word?;
    let normalised = 1.0 + f64::from(word % unit) / f64::from(unit);
    let product = weight.0 * activation.0 * weight.1 * activation.1 * normalised * f64::from(1 + word / unit);
    let least = 2f64.powi(1 - format.bias());
    let greatest = value(decode(format, format.largest_finite() as u32)?);
    (least..=greatest).contains(&product.abs()).then_some(product)
}

fn configs() -> impl Strategy<Value = PeConfig> {
    let shapes = prop::sample::select(&[(1u32, 0u32), (1, 2), (2, 1), (3, 0), (5, 2), (4, 3)][..]);
    (prop::sample::select(FloatFormat::ALL.to_vec()), shapes, any::<u32>()).prop_map(
        |(format, (columns, mantissa_bits), width)| {
            let most = format.fraction_bits() + 1;
            let accumulator = match width % 2 {
                0 => Accumulator::Float,
                _ => Accumulator::Fixed { width: 40, product_width: 2 + width / 2 % (most - 1) },
            };
            let mantissa_bits = mantissa_bits.min(format.fraction_bits());
            PeConfig { format, accumulator, ..PeConfig::factored("axp_test", columns, mantissa_bits) }
        },
    )
}

/// An operand: any encoding, or one with an exponent near the middle.
fn operand() -> impl Strategy<Value = (u32, bool)> {
    (any::<u32>(), prop::bool::weighted(0.6))
}

fn encoding(format: FloatFormat, (bits, middle): (u32, bool)) -> u32 {
    let any = u64::from(bits) & format.encoding_mask();
    let centred = any & !format.exponent_mask() | (format.bias() as u64) << format.fraction_bits();
    if middle { centred as u32 } else { any as u32 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn hits_are_scaled_words(
        config in configs(),
        writes in prop::collection::vec((any::<u32>(), any::<u32>(), prop::bool::weighted(0.9)), 1..20),
        searches in prop::collection::vec((any::<u32>(), operand(), operand()), 1..40),
    ) {
        config.validate().unwrap();
        let (format, shape) = (config.format, config.factored_memory().unwrap());
        let mut bench = Bench::new(config.clone());
        let mut words = vec![None; 1 << config.row_address_bits()];
        for (address, product, valid) in &writes {
            let (address, product) = (address % words.len() as u32, product >> (32 - config.product_bits()));
            bench.write(address, product, *valid);
            words[address as usize] = valid.then_some(product);
        }
        words.truncate(config.rows());
        for (column, weight, activation) in &searches {
            let column = column % (1 << shape.column_bits());
            let (weight, activation) = (encoding(format, *weight), encoding(format, *activation));
            let address = column << shape.mantissa_bits
                | ((activation as u64 & ((1 << format.fraction_bits()) - 1)) >> (format.fraction_bits() - shape.mantissa_bits)) as u32;
            let word = words.get(address as usize).copied().flatten();
            let product = bench.search(column, weight, activation);
            let wanted = expected(&config, word, weight, activation);
            let found = product.map(|bits| value(decode(format, bits).unwrap()).to_bits());
            prop_assert_eq!(found, wanted.map(f64::to_bits), "{:?} {} {:x} {:x}", config, column, weight, activation);
        }
    }
}

const ONE: u32 = 0x3F80_0000;

#[test]
fn reset_makes_every_row_invalid() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let mut bench = Bench::new(PeConfig { reset, ..PeConfig::factored("axp_test", 3, 1) });
        assert_eq!(bench.search(2, ONE, ONE), None);
        bench.write(4, 0x40_0000, true);
        assert_eq!(bench.search(2, ONE, ONE), Some(0x3FC0_0000));
        assert_eq!((bench.search(1, ONE, ONE), bench.search(3, ONE, ONE)), (None, None));
        bench.memory.drive("rst_ni", 0);
        bench.memory.settle();
        assert_eq!(
            bench.search(2, ONE, ONE).is_some(),
            reset == ResetStyle::Sync,
            "an asynchronous reset needs no clock"
        );
        bench.clock();
        assert_eq!(bench.search(2, ONE, ONE), None);
        bench.memory.drive("rst_ni", 1);
        bench.memory.settle();
        assert_eq!(bench.search(2, ONE, ONE), None);
    }
}

/// Nothing is read for an operand that has no significand.
#[test]
fn columns_are_shut_while_an_operand_is_not_normal() {
    let mut bench = Bench::new(PeConfig::factored("axp_test", 2, 0));
    bench.write(1, 0xFF_FFFF, true);
    for odd in [0, 1 << 31, 1, 0x7F80_0000, 0xFFFF_FFFF] {
        for (weight, activation) in [(odd, ONE), (ONE, odd)] {
            let found = bench.search(1, weight, activation);
            assert_eq!(found.is_some(), odd << 1 == 0, "{odd:x}");
            assert_eq!((bench.memory.read("word"), bench.memory.read("column_1")), (0, 0), "{odd:x}");
        }
    }
    assert_eq!(bench.search(1, ONE, ONE), Some(0x407F_FFFF));
    // The carry takes the product past the largest exponent, and out of the subnormal numbers.
    assert_eq!(bench.search(1, 0x7F00_0000, ONE), None);
    assert_eq!(bench.search(1, 0x7E80_0000, ONE), Some(0x7F7F_FFFF));
    assert_eq!(bench.search(1, 0x0080_0000, 0x3F00_0000), Some(0x00FF_FFFF));
    assert_eq!(bench.search(1, 0x0080_0000, 0x3E80_0000), None);
}

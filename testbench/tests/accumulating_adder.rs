//! The accumulating adder in rust-hdl's simulation against golden: every pair of the 8-bit
//! formats, operand families of the others, and sums that go on from every kind of sum.
//!
//! Products are activations times 1, in a plain PE.

use axp_golden::float::{self, families};
use axp_hdl::sim::PeSim;
use axp_spec::{FloatFormat, PeConfig, PeInputs};
use proptest::prelude::*;
use std::collections::VecDeque;

/// A plain PE that adds up activations.
struct Adder {
    format: FloatFormat,
    pe: PeSim,
    /// Sums on their way, and what they are of.
    expected: VecDeque<(u64, Vec<u64>)>,
}

impl Adder {
    fn new(format: FloatFormat) -> Self {
        let config = PeConfig { format, ..PeConfig::plain("axp_adds") };
        Self { format, pe: PeSim::new(&config).unwrap(), expected: VecDeque::new() }
    }

    /// One cycle; what leaves is compared.
    fn step(&mut self, inputs: &PeInputs) {
        let outputs = self.pe.step(inputs);
        if outputs.valid {
            let (expected, addends) = self.expected.pop_front().unwrap();
            let found = u64::from(outputs.data);
            assert_eq!(found, expected, "{}: {found:x} instead of {expected:x} from {addends:x?}", self.format);
        }
    }

    /// Begins the sum of `addends`, with a pause behind each place where `pauses` has a bit.
    fn sum(&mut self, addends: &[u64], pauses: u32) {
        let one = (self.format.bias() as u64) << self.format.fraction_bits();
        let add = |sum, addend: &u64| float::add(self.format, sum, float::mul(self.format, one, *addend).bits).bits;
        self.expected.push_back((addends.iter().fold(0, add), addends.to_vec()));
        let idle = PeInputs { out_ready: true, ..PeInputs::default() };
        for (place, addend) in addends.iter().enumerate() {
            let (first, last) = (place == 0, place == addends.len() - 1);
            let (weight, activation) = (one as u32, *addend as u32);
            self.step(&PeInputs { valid: true, first, last, weight, activation, ..idle });
            if pauses >> (place % 32) & 1 == 1 {
                self.step(&idle);
            }
        }
    }

    fn finish(mut self) {
        for _ in 0..8 {
            self.step(&PeInputs { out_ready: true, ..PeInputs::default() });
        }
        assert!(self.expected.is_empty(), "{} sums did not come", self.expected.len());
    }
}

#[test]
fn every_pair_of_eight_bits() {
    for format in [FloatFormat::E4m3, FloatFormat::E5m2] {
        let mut adder = Adder::new(format);
        for a in 0..256 {
            // The third addend goes on from what the first two left.
            (0..256).for_each(|b| adder.sum(&[a, b, (a * 73 + b * 151 + 7) % 256], 0));
        }
        adder.finish();
    }
}

#[test]
fn the_first_family_of_the_larger_formats() {
    for format in [FloatFormat::Binary32, FloatFormat::Bfloat16, FloatFormat::Binary16] {
        let mut adder = Adder::new(format);
        for (a, b) in families::pairs(&families::level1(format)) {
            adder.sum(&[a, b], 0);
        }
        adder.finish();
    }
}

/// How an addend comes from the sum before it.
#[derive(Clone, Debug)]
enum Step {
    /// Any bits.
    Any(u64),
    /// Its exponent some places from that of the sum, its fraction any, with zeros or ones below.
    Apart { fraction: u64, distance: i64, clear: u32, ones: bool, negative: bool },
    /// The sum with its sign changed, and some lower bits.
    Cancels { noise: u64, bits: u32, up: bool },
    /// The sum doubled, or negated and halved, or so.
    Again { shift: i64, negative: bool },
    /// A number with an exponent field of the ends.
    End { exponent: u64, top: bool, fraction: u64, negative: bool },
}

impl Step {
    fn addend(&self, format: FloatFormat, sum: u64) -> u64 {
        let f = format.fraction_bits();
        let (sign, low) = (format.sign_mask(), (1 << f) - 1);
        let mask = sign | (sign - 1);
        let full = (1 << format.exponent_bits()) - 1;
        let exponent = (sum >> f & full as u64) as i64;
        let at = |exponent: i64| (exponent.clamp(0, full) as u64) << f;
        let signed = |magnitude: u64, negative: bool| if negative { magnitude | sign } else { magnitude };
        match *self {
            Self::Any(bits) => bits & mask,
            Self::Apart { fraction, distance, clear, ones, negative } => {
                let below = (1_u64 << (clear % (f + 1))) - 1;
                let fraction = if ones { fraction | below } else { fraction & !below };
                signed(at(exponent + distance) | fraction & low, negative)
            }
            Self::Cancels { noise, bits, up } => {
                let noise = noise & ((1 << (bits % (f + 2))) - 1);
                let near = if up { sum.wrapping_add(noise) } else { sum.wrapping_sub(noise) };
                (near ^ sign) & mask
            }
            Self::Again { shift, negative } => signed(at(exponent + shift) | sum & low, negative),
            Self::End { exponent, top, fraction, negative } => {
                let exponent = if top { full - exponent as i64 } else { exponent as i64 };
                signed(at(exponent) | fraction & low, negative)
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let fraction = || prop_oneof![any::<u64>(), Just(0), Just(u64::MAX), (0u32..24).prop_map(|bit| 1 << bit)];
    prop_oneof![
        1 => any::<u64>().prop_map(Step::Any),
        6 => (fraction(), -30i64..31, 0u32..24, any::<bool>(), any::<bool>())
            .prop_map(|(fraction, distance, clear, ones, negative)| Step::Apart { fraction, distance, clear, ones, negative }),
        4 => (fraction(), -2i64..3, 0u32..24, any::<bool>(), any::<bool>())
            .prop_map(|(fraction, distance, clear, ones, negative)| Step::Apart { fraction, distance, clear, ones, negative }),
        4 => (any::<u64>(), 0u32..26, any::<bool>()).prop_map(|(noise, bits, up)| Step::Cancels { noise, bits, up }),
        2 => (-2i64..3, any::<bool>()).prop_map(|(shift, negative)| Step::Again { shift, negative }),
        1 => (0u64..4, prop::bool::weighted(0.3), fraction(), any::<bool>())
            .prop_map(|(exponent, top, fraction, negative)| Step::End { exponent, top, fraction, negative }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn sums_go_on_from_every_kind_of_sum(
        sums in prop::collection::vec((prop::collection::vec(step(), 1..6), prop_oneof![Just(0), any::<u32>()]), 100)
    ) {
        for format in FloatFormat::ALL {
            let mut adder = Adder::new(format);
            for (steps, pauses) in &sums {
                let (mut sum, mut addends) = (0, Vec::new());
                for step in steps {
                    let addend = step.addend(format, sum);
                    sum = float::add(format, sum, addend).bits;
                    addends.push(addend);
                }
                adder.sum(&addends, *pauses);
            }
            adder.finish();
        }
    }
}

//! The arithmetic units in rust-hdl's simulation against golden: every pair of
//! the 8-bit formats, the operand families of the others, pipeline cuts.

use axp_golden::float::{self, families};
use axp_hdl::circuit::Circuit;
use axp_hdl::fpu;
use axp_spec::{FixedFormat, FloatFormat, FpuConfig, FpuOperation, MultiplierStyle, Rounding};

fn unit(config: &FpuConfig) -> Circuit {
    fpu::describe(config).unwrap()
}

fn check(circuit: &mut Circuit, config: &FpuConfig, a: u64, b: u64) {
    circuit.drive("a_i", a.into());
    if config.operation.operands() == 2 {
        circuit.drive("b_i", b.into());
    }
    circuit.settle();
    let expected = float::evaluate(config, a, b);
    let found = (circuit.read("result_o") as u64, circuit.read("flags_o") as u8);
    let wanted = (expected.bits, expected.flags.bits());
    assert_eq!(found, wanted, "{config} of {a:x}, {b:x}: {found:x?} instead of {wanted:x?}");
}

fn configs(operation: FpuOperation, formats: &[FloatFormat]) -> Vec<FpuConfig> {
    let all =
        formats.iter().flat_map(|format| Rounding::ALL.map(|rounding| FpuConfig::new(operation, *format, rounding)));
    all.collect()
}

fn multipliers(configs: Vec<FpuConfig>) -> Vec<FpuConfig> {
    use MultiplierStyle::{Booth, Dadda, Operator};
    configs
        .into_iter()
        .flat_map(|config| [Dadda, Booth, Operator].map(|multiplier| FpuConfig { multiplier, ..config }))
        .collect()
}

const SMALL: [FloatFormat; 2] = [FloatFormat::E4m3, FloatFormat::E5m2];
const LARGER: [FloatFormat; 3] = [FloatFormat::Binary32, FloatFormat::Bfloat16, FloatFormat::Binary16];

#[test]
fn eight_bit_formats_exhaustively() {
    for config in multipliers(configs(FpuOperation::Mul, &SMALL)).into_iter().chain(configs(FpuOperation::Add, &SMALL))
    {
        let mut circuit = unit(&config);
        for a in 0..256 {
            (0..256).for_each(|b| check(&mut circuit, &config, a, b));
        }
    }
}

#[test]
fn the_first_family_of_the_larger_formats() {
    for config in
        multipliers(configs(FpuOperation::Mul, &LARGER)).into_iter().chain(configs(FpuOperation::Add, &LARGER))
    {
        let mut circuit = unit(&config);
        for (a, b) in families::pairs(&families::level1(config.format)) {
            check(&mut circuit, &config, a, b);
        }
    }
}

/// Fixed-point formats inside, across and outside the range of each format.
fn fixed_formats() -> Vec<FixedFormat> {
    let pairs = [
        (2, 0),
        (8, -4),
        (8, -12),
        (16, -20),
        // Ranges that end among the subnormals of one format or another.
        (16, -24),
        (18, -24),
        (14, -24),
        (16, -30),
        (24, -149),
        (23, -149),
        (8, -149),
        (2, -149),
        (5, -140),
        (20, -136),
        (24, -12),
        (32, 0),
        (32, -16),
        (32, -149),
        (40, -30),
        (64, 0),
        (64, -150),
        (64, 100),
        (2, 127),
        (3, -256),
        (64, 255),
        (64, -256),
        (24, -24),
        (17, 8),
    ];
    pairs.map(|(width, last_bit)| FixedFormat { width, last_bit }).to_vec()
}

#[test]
fn conversions_on_all_small_operands_and_the_families() {
    for fixed in fixed_formats() {
        for config in configs(FpuOperation::ToFixed(fixed), &FloatFormat::ALL) {
            let mut circuit = unit(&config);
            let operands =
                if config.format.width() == 8 { (0..256).collect() } else { families::level1(config.format) };
            operands.iter().for_each(|a| check(&mut circuit, &config, *a, 0));
        }
        for config in configs(FpuOperation::FromFixed(fixed), &FloatFormat::ALL) {
            let mut circuit = unit(&config);
            let operands = if fixed.width <= 8 { (0..1 << fixed.width).collect() } else { families::fixed(fixed) };
            operands.iter().for_each(|a| check(&mut circuit, &config, *a, 0));
        }
    }
}

#[test]
fn pipelined_units_give_the_same_results_later() {
    for (operation, stages) in [(FpuOperation::Mul, 1), (FpuOperation::Mul, 2), (FpuOperation::Add, 1)] {
        for config in configs(operation, &FloatFormat::ALL) {
            let config = FpuConfig { stages, ..config };
            let mut circuit = unit(&config);
            circuit.drive("en_i", (1 << stages) - 1);
            circuit.drive("test_en_i", 0);
            let operands = families::level1(config.format);
            let pairs: Vec<(u64, u64)> = families::pairs(&operands).step_by(37).collect();
            for cycle in 0..pairs.len() + stages as usize {
                let (a, b) = pairs[cycle.min(pairs.len() - 1)];
                circuit.drive("a_i", a.into());
                circuit.drive("b_i", b.into());
                circuit.drive("clk_i", 0);
                circuit.settle();
                if let Some((a, b)) = cycle.checked_sub(stages as usize).map(|done| pairs[done]) {
                    let expected = float::evaluate(&config, a, b);
                    let found = (circuit.read("result_o") as u64, circuit.read("flags_o") as u8);
                    assert_eq!(found, (expected.bits, expected.flags.bits()), "{config} of {a:x}, {b:x}");
                }
                circuit.drive("clk_i", 1);
                circuit.settle();
            }
        }
    }
}

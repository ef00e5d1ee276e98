//! Layer kernels against the PE's number rules: every output is `pe::sum` over
//! its operand stream with its `pe::Epilogue`, bit for bit, and the counts agree.

use axp_golden::am::Am;
use axp_golden::infer::{LayerKernel, LayerStats};
use axp_golden::net::{Geometry, Layout, MacLayer, MacOp};
use axp_golden::{float, pe};
use axp_spec::design::CHANNEL_EXPONENTS;
use axp_spec::{AmImage, AmRow, Bits32, FloatFormat, LayerDesign, PeConfig};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;

/// Values that are hard on comparisons and on rounding.
const AWKWARD: [u32; 12] = [
    0x0000_0000,
    0x8000_0000,
    0x0000_0001,
    0x807F_FFFF,
    0x0080_0000,
    0x3F80_0000,
    0xBF80_0001,
    0x7F7F_FFFF,
    0xFF7F_FFFF,
    0x7F80_0000,
    0xFF80_0000,
    0x7FA0_0001,
];

/// A layer, its design and an input tensor.
#[derive(Debug, Clone)]
struct Case {
    layer: MacLayer,
    design: LayerDesign,
    zero_skip: bool,
    input: Vec<f32>,
}

pub fn geometry() -> impl Strategy<Value = Geometry> {
    let axis = || (1..4usize, 1..4usize, 1..3usize, 0..3usize, 0..7usize);
    let conv = (axis(), axis(), 1..4usize, 1..4usize, 1..4usize, any::<bool>()).prop_map(
        |(rows, columns, groups, ins, outs, one_d)| {
            // One dimension: one row, nothing around it.
            let rows = if one_d { (1, 1, 1, 0, 0) } else { rows };
            let axes = [rows, columns];
            let kernel = axes.map(|(kernel, ..)| kernel);
            let stride = axes.map(|(_, stride, ..)| stride);
            let dilation = axes.map(|(_, _, dilation, ..)| dilation);
            let padding = axes.map(|(.., padding, _)| padding);
            let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
            // As large as the kernel needs, plus some.
            let input = [0, 1].map(|axis| reach[axis].saturating_sub(2 * padding[axis]).max(1) + axes[axis].4);
            let output = [0, 1].map(|axis| (input[axis] + 2 * padding[axis] - reach[axis]) / stride[axis] + 1);
            Geometry {
                layout: Layout::ChannelsFirst,
                in_channels: groups * ins,
                out_channels: groups * outs,
                groups,
                input,
                output,
                kernel,
                stride,
                dilation,
                padding,
            }
        },
    );
    let dense = (1..4usize, 1..40usize, prop_oneof![3 => 1..20usize, 1 => 20..150usize])
        .prop_map(|(rows, ins, outs)| Geometry::dense(rows, ins, outs));
    prop_oneof![3 => conv, 1 => dense]
}

pub fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        6 => -2.0f32..2.0,
        2 => proptest::sample::select(&AWKWARD[..]).prop_map(f32::from_bits),
        1 => any::<u32>().prop_map(f32::from_bits),
    ]
}

/// A row near a pair of operands, or `None` where the loader refuses it.
fn row(weight: f32, activation: f32, weight_care: u32, activation_care: u32, product: f32) -> Option<AmRow> {
    let (weight, activation) = (weight.to_bits(), activation.to_bits());
    let care = u64::from(weight_care) << 32 | u64::from(activation_care);
    let key = (u64::from(weight) << 32 | u64::from(activation)) & care;
    let exact = float::mul(FloatFormat::Binary32, weight.into(), activation.into()).bits as u32;
    let product = if care == u64::MAX { exact } else { product.to_bits() };
    let row = AmRow { key, care, product: Bits32(product) };
    let alone = AmImage { rows: vec![row] };
    Am::new(&PeConfig::pair("axp_pe", 1)).load(&alone).is_ok().then_some(row)
}

fn care() -> impl Strategy<Value = u32> {
    prop_oneof![
        2 => Just(u32::MAX),
        4 => (9..32u32).prop_map(|bits| u32::MAX << (32 - bits)),
        2 => any::<u32>().prop_map(|mask| mask | 0x7F80_0000),
        1 => any::<u32>(),
    ]
}

/// Few weights, or so many that their products are looked up in several lines, or in
/// memory.
fn codebook() -> impl Strategy<Value = Vec<f32>> {
    prop_oneof![
        6 => proptest::collection::vec(value(), 1..6),
        1 => proptest::collection::vec(value(), 17..129),
        1 => proptest::collection::vec(value(), 129..150),
    ]
}

/// Powers of two of the channels: none, small ones, or any.
pub fn exponents(channels: usize) -> impl Strategy<Value = Vec<i32>> {
    prop_oneof![
        2 => Just(Vec::new()),
        2 => proptest::collection::vec(-9..=2, channels),
        1 => proptest::collection::vec(CHANNEL_EXPONENTS, channels),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    (geometry(), codebook(), proptest::collection::vec(value(), 1..8)).prop_flat_map(
        |(geometry, codebook, activations)| {
            let (clusters, pool) = (codebook.len(), activations.len());
            let rows = (0..clusters, 0..pool, care(), care(), -1.0f32..1.0);
            let input = prop_oneof![4 => (0..pool).prop_map(Some), 1 => Just(None)];
            (
                proptest::collection::vec(rows, 0..clusters.max(12)),
                proptest::collection::vec(0..clusters as u32, geometry.weights()),
                proptest::collection::vec((input, value()), geometry.inputs()),
                proptest::collection::vec(value(), geometry.out_channels),
                any::<bool>(),
                any::<bool>(),
                exponents(geometry.out_channels),
            )
                .prop_map(move |(rows, assignment, input, bias, has_bias, zero_skip, exponents)| {
                    let rows = rows.into_iter().filter_map(|(w, a, weight_care, activation_care, product)| {
                        row(codebook[w], activations[a], weight_care, activation_care, product)
                    });
                    let image = AmImage { rows: rows.collect() };
                    let input = input.into_iter().map(|(known, other)| known.map_or(other, |i| activations[i]));
                    let bias = if has_bias { bias } else { Vec::new() };
                    let mut case = case_of(&geometry, &codebook, assignment, bias, image, zero_skip, input.collect());
                    case.design.channel_exponents = exponents;
                    case
                })
        },
    )
}

fn case_of(
    geometry: &Geometry,
    codebook: &[f32],
    assignment: Vec<u32>,
    bias: Vec<f32>,
    am: AmImage,
    zero_skip: bool,
    input: Vec<f32>,
) -> Case {
    let weight_shape = vec![geometry.out_channels, geometry.macs_per_output()];
    let layer = MacLayer {
        name: "layer".into(),
        op: MacOp::Conv,
        geometry: geometry.clone(),
        weight_shape: weight_shape.clone(),
        weights: assignment.iter().map(|index| codebook[*index as usize]).collect(),
        bias: bias.clone(),
    };
    let design = LayerDesign {
        name: "layer".into(),
        weight_shape,
        codebook: codebook.iter().map(|value| Bits32(value.to_bits())).collect(),
        assignment,
        bias: bias.iter().map(|value| Bits32(value.to_bits())).collect(),
        channel_exponents: Vec::new(),
        key_fraction_bits: 23,
        range: 0,
        magnitudes: Vec::new(),
        am,
    };
    Case { layer, design, zero_skip, input }
}

/// Outputs and counts by the number rules, one pair at a time.
fn reference(case: &Case) -> (Vec<u32>, LayerStats) {
    let config = PeConfig::pair("axp_pe", case.design.am.rows.len().max(1));
    let mut am = Am::new(&config);
    am.load(&case.design.am).unwrap();
    let (geometry, weights) = (&case.layer.geometry, case.design.weights());
    let mut stats = LayerStats::default();
    let mut outputs = Vec::new();
    for index in 0..geometry.outputs() {
        let operands: Vec<(u32, u32)> = geometry
            .operands(index)
            .map(|(weight, input)| (weights[weight].to_bits(), input.map_or(0, |input| case.input[input].to_bits())))
            .collect();
        let sum = pe::sum(&config, &am, case.zero_skip, operands.iter().copied());
        let nonzero: Vec<(u32, u32)> = operands.iter().copied().filter(|(_, a)| a << 1 != 0).collect();
        stats.macs += operands.len() as u64;
        stats.zeros += (operands.len() - nonzero.len()) as u64;
        stats.hits += sum.hits;
        stats.nonzero_hits += pe::sum(&config, &am, case.zero_skip, nonzero).hits;
        let channel = geometry.channel_of(index);
        let exponent = case.design.channel_exponents.get(channel).copied().unwrap_or(0);
        let epilogue = pe::Epilogue { exponent, bias: case.design.bias.get(channel).map(|bias| bias.0) };
        outputs.push(epilogue.apply(sum.data));
    }
    (outputs, stats)
}

fn check(case: &Case) -> Result<LayerStats, TestCaseError> {
    let kernel = LayerKernel::new(&case.layer, &case.design, case.zero_skip).unwrap();
    let (expected, stats) = reference(case);
    for (output, found) in std::iter::once(kernel.run(&case.input)).chain(kernel.run_on_all_units(&case.input)) {
        let output: Vec<u32> = output.iter().map(|value| value.to_bits()).collect();
        prop_assert_eq!(&output, &expected);
        prop_assert_eq!(found, stats);
    }
    Ok(stats)
}

#[test]
fn kernels_follow_the_number_rules() {
    let (cases, hits, nonzero_hits, zeros, macs) =
        (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let config = Config { cases: 1500, source_file: Some(file!()), ..Config::default() };
    TestRunner::new(config)
        .run(&case(), |case| {
            let stats = check(&case)?;
            cases.set(cases.get() + 1);
            macs.set(macs.get() + stats.macs);
            hits.set(hits.get() + stats.hits);
            nonzero_hits.set(nonzero_hits.get() + stats.nonzero_hits);
            zeros.set(zeros.get() + stats.zeros);
            Ok(())
        })
        .unwrap();
    // The generator must reach what the kernels are fast at.
    let share = |count: &Cell<u64>| count.get() as f64 / macs.get() as f64;
    println!("hits {:.3}, nonzero {:.3}, zeros {:.3}", share(&hits), share(&nonzero_hits), share(&zeros));
    assert!(share(&hits) > 0.2 && share(&nonzero_hits) > 0.1 && share(&zeros) > 0.1);
}

#[test]
fn an_empty_memory_is_the_plain_fpu() {
    let mut runner = TestRunner::new(Config { cases: 300, source_file: Some(file!()), ..Config::default() });
    runner
        .run(&case(), |mut case| {
            case.design.am = AmImage::default();
            // Channels of a network are not scaled.
            case.design.channel_exponents.clear();
            let stats = check(&case)?;
            prop_assert_eq!(stats.hits, 0);
            let finite = case.layer.weights.iter().all(|weight| weight.is_finite());
            if finite {
                let exact = LayerKernel::exact(&case.layer, case.zero_skip).run(&case.input).0;
                let design = LayerKernel::new(&case.layer, &case.design, case.zero_skip).unwrap().run(&case.input).0;
                prop_assert!(exact.iter().zip(&design).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
            Ok(())
        })
        .unwrap();
}

/// One row for each fraction bit: activations fall into 2^23 classes.
#[test]
fn patterns_that_overlap_in_every_way_are_searched_row_by_row() {
    let rows = (0..23)
        .map(|bit| row(0.5, f32::from_bits(0x3F80_0000 | 1 << bit), u32::MAX, 0xFF80_0000 | 1 << bit, bit as f32));
    let image = AmImage { rows: rows.map(Option::unwrap).collect() };
    for geometry in [
        Geometry::dense(2, 30, 3),
        Geometry { output: [9, 1], input: [9, 1], layout: Layout::ChannelsFirst, ..Geometry::dense(9, 3, 2) },
    ] {
        let assignment: Vec<u32> = (0..geometry.weights() as u32).map(|index| index % 2).collect();
        let input: Vec<f32> =
            (0..geometry.inputs()).map(|index| 1.0 + index as f32 * 0.013_7 - (index % 5) as f32).collect();
        for zero_skip in [false, true] {
            let stats = check(&case_of(
                &geometry,
                &[0.5, 0.25],
                assignment.clone(),
                vec![],
                image.clone(),
                zero_skip,
                input.clone(),
            ))
            .unwrap();
            assert!(stats.hits > 0);
        }
    }
}

//! Layer kernels on every memory and accumulator against `pe::sum_operands`: the
//! same bits, hits, overflows and NaNs, on random layers.

use super::kernels::{exponents, geometry, value};
use axp_golden::am::{Am, Operands};
use axp_golden::infer::{EngineError, LayerKernel, LayerStats};
use axp_golden::net::{Geometry, MacLayer, MacOp};
use axp_golden::pe::{self, Settings};
use axp_spec::{
    Accumulator, AmImage, AmRow, Bits32, Content, FactoredConfig, FloatFormat::Binary32, GridConfig, LayerDesign,
    LayerMemory, Organisation, PeConfig, WeightOperand,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::cell::Cell;

#[derive(Debug, Clone, Copy)]
enum Memory {
    None,
    Pair,
    Grid { patterns: u32 },
    Factored { mantissa_bits: u32, index: bool },
}

#[derive(Debug, Clone)]
struct Case {
    config: PeConfig,
    layer: MacLayer,
    design: LayerDesign,
    zero_skip: bool,
    input: Vec<f32>,
}

fn memory() -> impl Strategy<Value = Memory> {
    prop_oneof![
        1 => Just(Memory::None),
        1 => Just(Memory::Pair),
        2 => (1..6u32).prop_map(|patterns| Memory::Grid { patterns }),
        3 => (0..4u32, any::<bool>()).prop_map(|(mantissa_bits, index)| Memory::Factored { mantissa_bits, index }),
        // Classes that are too many.
        1 => Just(Memory::Factored { mantissa_bits: 8, index: false }),
    ]
}

fn accumulator(memory: Memory) -> impl Strategy<Value = Accumulator> {
    let most = match memory {
        Memory::Factored { .. } => 24,
        Memory::Grid { .. } => 31,
        _ => 32,
    };
    let fixed = (prop_oneof![4 => 8..=31u32, 1 => 32..=64u32], 2..=32u32).prop_map(move |(width, product)| {
        let grid = matches!(memory, Memory::Grid { .. });
        let less = u32::from(grid || matches!(memory, Memory::Factored { .. }));
        let most = most.min(width - less);
        Accumulator::Fixed { width, product_width: product.min(most) }
    });
    prop_oneof![2 => Just(Accumulator::Float), 3 => fixed]
}

/// Weights of a few magnitudes or of many, with both signs or as they are, which have a column each.
fn case() -> impl Strategy<Value = Case> {
    // As many as fit one line of a table, and more.
    let count = prop_oneof![4 => 1..5usize, 1 => 5..40usize, 1 => 33..40usize];
    let weights = count.prop_flat_map(|count| proptest::collection::vec(value(), count));
    let parts = (geometry(), memory(), weights, proptest::collection::vec(value(), 1..6));
    parts.prop_flat_map(|(geometry, memory, weights, activations)| {
        let (count, pool) = (2 * weights.len() as u32, activations.len());
        (
            accumulator(memory),
            proptest::collection::vec(0..count, geometry.weights()),
            proptest::collection::vec((proptest::option::weighted(0.7, 0..pool), value()), geometry.inputs()),
            (
                proptest::collection::vec(value(), geometry.out_channels),
                any::<bool>(),
                exponents(geometry.out_channels),
            ),
            (prop_oneof![4 => 118..135u32, 1 => 0..256u32], any::<bool>(), any::<u64>(), any::<bool>()),
            (proptest::bool::weighted(0.4), proptest::bool::weighted(0.2), proptest::bool::weighted(0.3)),
        )
            .prop_map(
                move |(
                    accumulator,
                    assignment,
                    input,
                    (bias, has_bias, exponents),
                    (range, zero_skip, seed, frozen),
                    (tame, one_sign, few_significands),
                )| {
                    let mut input: Vec<f32> =
                        input.into_iter().map(|(known, other)| known.map_or(other, |i| activations[i])).collect();
                    let mut weights = weights.clone();
                    if few_significands {
                        share_significands(&mut weights);
                    }
                    if tame {
                        input.iter_mut().chain(&mut weights).for_each(|value| *value = as_in_networks(*value));
                    }
                    let assignment = match one_sign {
                        true => assignment.into_iter().map(|index| index / 2).collect(),
                        false => assignment,
                    };
                    let bias = if has_bias { bias } else { Vec::new() };
                    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
                    let mut case = Case {
                        config: PeConfig { accumulator, ..PeConfig::plain("axp_pe") },
                        design: design(&geometry, &codebook(&weights, one_sign), assignment, &bias),
                        layer: layer(&geometry, &bias),
                        zero_skip,
                        input,
                    };
                    case.design.channel_exponents = exponents;
                    if accumulator != Accumulator::Float {
                        case.design.range = range;
                    }
                    fill(&mut case, memory, (&weights, &activations), tame, &mut random);
                    if let Some(am) = case.config.am.as_mut().filter(|_| frozen) {
                        let layers = vec![LayerMemory::default(), case.design.memory()];
                        am.content = Content::Frozen { layers };
                    }
                    case
                },
            )
    })
}

/// A value as networks have them, so that a whole layer may hit.
fn as_in_networks(value: f32) -> f32 {
    match value {
        value if value == 0.0 || (2_f32.powi(-12)..4.0).contains(&value.abs()) => value,
        value => 0.75_f32.copysign(value),
    }
}

/// Gives all weights the significands of the first few.
fn share_significands(weights: &mut [f32]) {
    const FRACTION: u32 = 0x007F_FFFF;
    for place in 4..weights.len() {
        let fraction = weights[place % 4].to_bits() & FRACTION;
        weights[place] = f32::from_bits(weights[place].to_bits() & !FRACTION | fraction);
    }
}

fn layer(geometry: &Geometry, bias: &[f32]) -> MacLayer {
    MacLayer {
        name: "layer".into(),
        op: MacOp::Conv,
        geometry: geometry.clone(),
        weight_shape: vec![geometry.out_channels, geometry.macs_per_output()],
        weights: vec![0.0; geometry.weights()],
        bias: bias.to_vec(),
    }
}

/// Each weight with both signs, or as it is.
fn codebook(weights: &[f32], one_sign: bool) -> Vec<Bits32> {
    let bits = weights.iter().map(|weight| weight.to_bits());
    if one_sign {
        bits.map(Bits32).collect()
    } else {
        bits.flat_map(|bits| [Bits32(bits), Bits32(bits ^ 1 << 31)]).collect()
    }
}

fn design(geometry: &Geometry, codebook: &[Bits32], assignment: Vec<u32>, bias: &[f32]) -> LayerDesign {
    LayerDesign {
        name: "layer".into(),
        weight_shape: vec![geometry.out_channels, geometry.macs_per_output()],
        codebook: codebook.to_vec(),
        assignment,
        bias: bias.iter().map(|value| Bits32(value.to_bits())).collect(),
        channel_exponents: Vec::new(),
        key_fraction_bits: 0,
        am: AmImage::default(),
        range: 0,
        magnitudes: Vec::new(),
    }
}

/// Random rows, near the activations where they are searched for.
fn fill(
    case: &mut Case,
    memory: Memory,
    (weights, activations): (&[f32], &[f32]),
    complete: bool,
    random: &mut Xoshiro256PlusPlus,
) {
    let mut magnitudes: Vec<u32> = weights.iter().map(|w| w.abs().to_bits()).collect();
    magnitudes.sort_unstable();
    magnitudes.dedup();
    // Infinities and NaNs cannot be magnitudes of a codebook.
    let finite = |bits: &mut Bits32| {
        if bits.value().is_finite() { *bits } else { Bits32(0x3F80_0000 | bits.0 & 1 << 31) }
    };
    let by_index = |case: &mut Case, magnitudes: &mut Vec<u32>| {
        case.design.codebook.iter_mut().for_each(|bits| *bits = finite(bits));
        *magnitudes = case.design.codebook.iter().map(|bits| bits.0 & !(1 << 31)).collect();
        magnitudes.sort_unstable();
        magnitudes.dedup();
        case.design.magnitudes = magnitudes.iter().map(|bits| Bits32(*bits)).collect();
    };
    match memory {
        Memory::None => {}
        Memory::Pair => {
            case.config.am = PeConfig::pair("a", 8).am;
            let mask = u32::MAX.checked_shr(32 - case.config.product_bits()).unwrap_or(0);
            for _ in 0..random.next_u64() % 8 {
                let weight = case.design.codebook[random.next_u64() as usize % case.design.codebook.len()].0;
                let activation = activations[random.next_u64() as usize % activations.len()].to_bits();
                let care = Binary32.key_of(u32::MAX, 0xFFC0_0000);
                let product = random.next_u32() & mask;
                let row = AmRow { key: Binary32.key_of(weight, activation) & care, care, product: Bits32(product) };
                let alone = AmImage { rows: vec![row] };
                if alone.validate(&case.config).is_ok() {
                    case.design.am.rows.push(row);
                }
            }
        }
        Memory::Grid { patterns } => {
            by_index(case, &mut magnitudes);
            let shape = GridConfig { patterns, columns: magnitudes.len() as u32 + random.next_u32() % 2 };
            case.config.am = PeConfig::grid("a", shape.patterns, shape.columns).am;
            case.config.am.as_mut().unwrap().weight = WeightOperand::Index;
            let all_columns = shape.parts(Binary32, u64::MAX >> (64 - shape.key_bits(Binary32))).0;
            let mask = u32::MAX >> (32 - case.config.product_bits());
            for _ in 0..random.next_u32() % (patterns + 1) {
                let near = activations[random.next_u64() as usize % activations.len()].to_bits() & !(1 << 31);
                let care = [0x7FFF_FFFF, 0x7FC0_0000, 0x7F00_0000, 0x4000_0000, random.next_u32() >> 1]
                    [random.next_u64() as usize % 5];
                let rows: Vec<AmRow> = (0..shape.columns)
                    .map(|column| AmRow {
                        key: shape.key(Binary32, column, near & care),
                        care: shape.key(Binary32, all_columns, care),
                        product: Bits32(random.next_u32() & mask & 0x7F7F_FFFF),
                    })
                    .collect();
                let image = AmImage { rows };
                let memory = LayerMemory { am: image.clone(), ..case.design.memory() };
                if Am::new(&case.config).load_layer(&memory).is_ok() {
                    case.design.am.rows.extend(image.rows);
                }
            }
        }
        Memory::Factored { mantissa_bits, index } => {
            if index {
                by_index(case, &mut magnitudes);
            }
            let fraction = |bits: u32| bits & 0x007F_FFFF;
            let mut columns = magnitudes.clone();
            if !index {
                let mut seen = Vec::new();
                columns.retain(|bits| {
                    let new = !seen.contains(&fraction(*bits));
                    seen.push(fraction(*bits));
                    new
                });
            }
            // 1024 rows are the most that there can be.
            columns.truncate(1024 >> mantissa_bits);
            let shape = FactoredConfig { columns: magnitudes.len() as u32, mantissa_bits };
            if shape.rows() > 1024 {
                return;
            }
            case.config.am = PeConfig::factored("a", shape.columns, mantissa_bits).am;
            let operand = if index { WeightOperand::Index } else { WeightOperand::Value };
            case.config.am.as_mut().unwrap().weight = operand;
            for (column, bits) in columns.iter().enumerate() {
                for prefix in 0..1_u32 << mantissa_bits {
                    // The first one says whose column it is.
                    if prefix == 0 || complete || !random.next_u32().is_multiple_of(8) {
                        case.design.am.rows.push(AmRow {
                            key: shape.key(Binary32, column as u32, *bits, prefix << (23 - mantissa_bits)),
                            care: shape.care(Binary32),
                            product: Bits32(random.next_u32() & ((1 << case.config.product_bits()) - 1)),
                        });
                    }
                }
            }
        }
    }
}

fn reference(case: &Case) -> (Vec<u32>, LayerStats) {
    let mut am = Am::new(&case.config);
    if case.config.am.is_some() {
        am.load_layer(&case.design.memory()).unwrap();
    }
    am.select_layer(1);
    let (geometry, weights) = (&case.layer.geometry, case.design.weights());
    let settings = Settings { zero_skip: case.zero_skip, range: case.design.range };
    let mut stats = LayerStats::default();
    let mut outputs = Vec::new();
    for index in 0..geometry.outputs() {
        let operands: Vec<Operands> = geometry
            .operands(index)
            .map(|(weight, input)| {
                let weight = weights[weight].to_bits();
                let column = case.design.column_of(&case.config, weight).unwrap_or(0);
                Operands { column, weight, activation: input.map_or(0, |input| case.input[input].to_bits()) }
            })
            .collect();
        let sum = pe::sum_operands(&case.config, &am, settings, operands.iter().copied());
        let nonzero: Vec<Operands> = operands.iter().copied().filter(|pair| pair.activation << 1 != 0).collect();
        stats += LayerStats {
            macs: operands.len() as u64,
            zeros: (operands.len() - nonzero.len()) as u64,
            hits: sum.hits,
            nonzero_hits: pe::sum_operands(&case.config, &am, settings, nonzero).hits,
            overflows: sum.overflow.into(),
            invalid: sum.invalid.into(),
        };
        let channel = geometry.channel_of(index);
        let exponent = case.design.channel_exponents.get(channel).copied().unwrap_or(0);
        let epilogue = pe::Epilogue { exponent, bias: case.design.bias.get(channel).map(|bias| bias.0) };
        outputs.push(epilogue.apply(sum.data));
    }
    (outputs, stats)
}

#[test]
fn every_memory_and_accumulator_follows_the_number_rules() {
    let reached: [Cell<u64>; 5] = Default::default();
    let config = Config { cases: 3000, source_file: Some(file!()), ..Config::default() };
    TestRunner::new(config)
        .run(&case(), |case| {
            prop_assert_eq!(case.config.validate(), Ok(()));
            let kernel = LayerKernel::on(&case.config, &case.layer, &case.design, case.zero_skip).unwrap();
            let (expected, stats) = reference(&case);
            for (output, found) in std::iter::once(kernel.run(&case.input)).chain(kernel.run_on_all_units(&case.input))
            {
                let output: Vec<u32> = output.iter().map(|value| value.to_bits()).collect();
                prop_assert_eq!(&output, &expected);
                prop_assert_eq!(found, stats);
            }
            let fixed = case.config.accumulator != Accumulator::Float;
            let counts = [
                stats.nonzero_hits,
                stats.macs - stats.zeros - stats.nonzero_hits,
                stats.overflows,
                stats.invalid,
                u64::from(fixed && stats.overflows + stats.invalid == 0 && stats.nonzero_hits > 0),
            ];
            reached.iter().zip(counts).for_each(|(total, count)| total.set(total.get() + count));
            Ok(())
        })
        .unwrap();
    // Hits, misses, saturated sums, NaNs, and fixed sums with none of these.
    println!("{reached:?}");
    assert!(reached.iter().all(|count| count.get() > 100), "{reached:?}");
}

/// Weights that have no column are refused where they would get another one's products.
#[test]
fn weights_without_a_column_are_refused() {
    let geometry = Geometry::dense(1, 2, 1);
    let mut design = design(&geometry, &codebook(&[1.5, 1.25], false), vec![0, 2], &[]);
    let layer = layer(&geometry, &[]);
    let config = PeConfig::factored("a", 2, 0);
    let shape = FactoredConfig { columns: 2, mantissa_bits: 0 };
    let on = |design: &LayerDesign, config: &PeConfig| LayerKernel::on(config, &layer, design, false);
    // Nothing hits without rows.
    assert!(on(&design, &config).is_ok());
    let row =
        AmRow { key: shape.key(Binary32, 0, 1.5f32.to_bits(), 0), care: shape.care(Binary32), product: Bits32(1) };
    design.am.rows.push(row);
    let Err(EngineError::Design { what }) = on(&design, &config) else { panic!("accepted") };
    assert!(what.contains("1.25e0") && what.contains("2 columns"), "{what}");

    // A grid with weights by value does not say whose its columns are.
    let config = PeConfig::grid("a", 1, 2);
    assert!(matches!(config.organisation(), Some(Organisation::Grid(_))));
    design.am.rows.clear();
    assert!(on(&design, &config).is_ok());
    let shape = GridConfig { patterns: 1, columns: 2 };
    design.am.rows = (0..2)
        .map(|column| AmRow {
            key: shape.key(Binary32, column, 0),
            care: shape.key(Binary32, 1, 0x4000_0000),
            product: Bits32(1),
        })
        .collect();
    let Err(EngineError::Design { what }) = on(&design, &config) else { panic!("accepted") };
    assert!(what.contains("by index"), "{what}");
}

//! Replay: real sums, rows of one layer after the other, and every kind of mismatch found where it is.

use axp_golden::am::{Am, Operands};
use axp_golden::pe;
use axp_hdl::{Rtl, generate};
use axp_spec::{AmImage, AmRow, Bits32, FloatFormat, LayerMemory, PeConfig};
use axp_testbench::dut::Body;
use axp_testbench::replay::{
    LayerTrace, Mismatch, ReplayError, ReplayOptions, Stalls, SumTrace, replay, write_vectors,
};
use axp_testbench::simulator::SimulatorKind;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static GO: AtomicBool = AtomicBool::new(false);

fn rtl() -> Rtl {
    generate(&PeConfig::pair("axp_pe_replay", 6)).unwrap()
}

/// Simulators stay from one run to the next, waveforms do not.
fn options(folder: &Path, simulator: SimulatorKind, body: Body) -> ReplayOptions {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned();
    ReplayOptions { simulator, body, cache, ..ReplayOptions::in_folder(folder) }
}

fn weight(id: u64) -> u32 {
    ([0.5f32, -0.75, 1.25, -0.125])[id as usize % 4].to_bits()
}

/// Rows that ignore all but the top `kept` fraction bits of the activation and
/// store a product that no multiplier would make.
fn image(rows: u64) -> AmImage {
    let care = FloatFormat::Binary32.key_of(u32::MAX, 0xFFC0_0000);
    let rows = (0..rows).map(|row| AmRow {
        key: FloatFormat::Binary32.key_of(weight(row), 0x3F80_0000 | (row as u32 / 4) << 22) & care,
        care,
        product: Bits32(0x3E00_0003 + row as u32),
    });
    AmImage { rows: rows.collect() }
}

/// A layer of a PE with nothing but rows.
fn rows_alone(am: AmImage) -> LayerMemory {
    LayerMemory { am, ..LayerMemory::default() }
}

fn layer(name: &str, am: AmImage, sums: usize, pairs: usize) -> LayerTrace<'static> {
    let config = PeConfig::pair("axp_pe_replay", 6);
    let mut memory = Am::new(&config);
    memory.load(&am).unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(sums as u64);
    let sums: Vec<SumTrace> = (0..sums)
        .map(|index| {
            let operands: Vec<(u32, u32)> = (0..pairs)
                .map(|_| (weight(random.next_u64()), 0x3F80_0000 | random.next_u32() & 0x007F_FFFF))
                .collect();
            let exponent = if index % 2 > 0 { -3 } else { 0 };
            let epilogue = pe::Epilogue { exponent, bias: (index % 3 > 0).then_some(0x3DCC_CCCD) };
            let sum = pe::sum(&config, &memory, false, operands.iter().copied()).data;
            SumTrace { index: 10 * index, operands, epilogue, element: epilogue.apply(sum) }
        })
        .collect();
    LayerTrace {
        name: name.into(),
        number: 0,
        memory: rows_alone(am),
        zero_skip: false,
        sums: Box::new(move || Box::new(sums.clone().into_iter())),
    }
}

fn layers() -> Vec<LayerTrace<'static>> {
    // The last one has no rows: those of the others must be gone.
    vec![
        layer("first", image(6), 60, 27),
        layer("dense \"x\"\n</b>", image(3), 100, 5),
        layer("third", image(0), 80, 1),
    ]
}

#[test]
fn layers_agree_on_both_simulators_and_both_bodies() {
    let folder = tempfile::tempdir().unwrap();
    let macs = 60 * 27 + 100 * 5 + 80;
    for simulator in [SimulatorKind::Verilator, SimulatorKind::Icarus] {
        for body in [Body::Gated, Body::ClockEnable] {
            let heard = AtomicU64::new(0);
            let progress = |done| heard.store(done, Ordering::Relaxed);
            let found = replay(&rtl(), &layers(), &options(folder.path(), simulator, body), &progress, &GO).unwrap();
            assert_eq!(found.first_mismatch, None, "{simulator}");
            assert_eq!((found.macs, found.outputs, found.mismatches), (macs, 240, 0));
            assert_eq!(heard.into_inner(), macs);
            let outputs: Vec<u64> = found.layers.iter().map(|layer| layer.outputs).collect();
            assert_eq!(outputs, [60, 100, 80]);
            let cycles: u64 = found.layers.iter().map(|layer| layer.cycles).sum();
            // Two cycles of reset; more cycles than MACs, because of the stalls.
            assert_eq!(found.cycles, cycles + 2);
            assert!(found.cycles > macs + 240);
            assert!(!folder.path().join("waveforms").exists());
        }
    }
}

#[test]
fn the_vectors_depend_on_the_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = |seed, stalls| {
        let mut bytes = Vec::new();
        let options = ReplayOptions { seed, stalls, ..ReplayOptions::in_folder(folder.path()) };
        write_vectors(&rtl(), &layers(), &options, &mut bytes).unwrap();
        bytes
    };
    let usual = vectors(1, Stalls::default());
    assert_eq!(usual, vectors(1, Stalls::default()));
    assert_ne!(usual, vectors(2, Stalls::default()));
    let dense = vectors(1, Stalls::NONE);
    assert!(dense.len() < usual.len());
}

#[test]
fn a_sum_that_is_not_the_tensor_element_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), SimulatorKind::Verilator, Body::Gated);
    let mut layers = layers();
    let good = std::mem::replace(&mut layers[1].sums, Box::new(|| Box::new(std::iter::empty())));
    layers[1].sums = Box::new(move || {
        Box::new(good().map(|sum| SumTrace { element: sum.element ^ u32::from(sum.index >= 420), ..sum }))
    });
    let found = replay(&rtl(), &layers, &options, &|_| {}, &GO).unwrap();
    let Some(Mismatch::Element { layer, index, expected, actual, .. }) = found.first_mismatch.clone() else {
        panic!("{found:?}");
    };
    assert_eq!((layer.as_str(), index), ("dense \"x\"\n</b>", 420));
    assert_eq!(expected.0 ^ actual.0, 1);
    assert_eq!((found.layers[0].mismatches, found.layers[1].mismatches, found.layers[2].mismatches), (0, 58, 0));
    // The name is data: quoted, on one line.
    let text = found.first_mismatch.unwrap().to_string();
    assert!(text.starts_with(r#"layer "dense \"x\"\n</b>", output 420"#) && text.lines().count() == 1, "{text}");
}

/// A layer of a PE with a factored memory. Weights with one fraction share a
/// column; `first` is that of the first fraction.
fn factored_layer(config: &PeConfig, first: u32) -> LayerTrace<'static> {
    let shape = config.factored_memory().unwrap();
    // Fractions 0, .5, .25 and 0 again.
    let column_of = |id: u64| (first + [0, 1, 2, 0][id as usize % 4]) % shape.columns;
    let key = |id: u64, prefix: u32| shape.key(FloatFormat::Binary32, column_of(id), weight(id), prefix << 21);
    let rows = (0..12).map(|row| AmRow {
        key: key(row % 3, row as u32 / 3),
        care: shape.care(FloatFormat::Binary32),
        product: Bits32(0x41_0003 + row as u32),
    });
    let am = AmImage { rows: rows.collect() };
    let mut memory = Am::new(config);
    memory.load(&am).unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(first.into());
    let sums: Vec<SumTrace> = (0..40)
        .map(|index| {
            let pairs: Vec<(u64, u32)> =
                (0..11).map(|_| (random.next_u64() % 4, 0x3F80_0000 | random.next_u32() & 0x807F_FFFF)).collect();
            let with_columns = pairs.iter().map(|(id, activation)| Operands {
                column: column_of(*id),
                weight: weight(*id),
                activation: *activation,
            });
            let sum = pe::sum_operands(config, &memory, false, with_columns);
            assert_eq!(sum.hits, 11);
            let operands = pairs.iter().map(|(id, activation)| (weight(*id), *activation)).collect();
            SumTrace { index, operands, epilogue: pe::Epilogue::default(), element: sum.data }
        })
        .collect();
    LayerTrace {
        name: format!("{first}"),
        number: 0,
        memory: rows_alone(am),
        zero_skip: false,
        sums: Box::new(move || Box::new(sums.clone().into_iter())),
    }
}

#[test]
fn a_factored_memory_gets_the_columns_of_each_layer() {
    let config = PeConfig::factored("axp_pe_replay", 5, 2);
    let rtl = generate(&config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The same weights in other columns.
    let layers = [factored_layer(&config, 0), factored_layer(&config, 3)];
    let options = options(folder.path(), SimulatorKind::Verilator, Body::Gated);
    let found = replay(&rtl, &layers, &options, &|_| {}, &GO).unwrap();
    assert_eq!(found.first_mismatch, None);
    assert_eq!((found.macs, found.outputs, found.mismatches), (2 * 40 * 11, 80, 0));
}

/// The value of a signal of the design in a cycle of a waveform, in hex.
fn value_at(path: &Path, signal: &str, time: u64) -> u64 {
    let mut wave = wellen::simple::read(path).unwrap();
    let names = wave.hierarchy();
    let var =
        names.all_vars().map(|var| &names[var]).find(|var| var.full_name(names).ends_with(&format!("dut.{signal}")));
    let signal = var.unwrap().signal_ref();
    let times: Vec<u64> = wave.time_table().to_vec();
    assert!(times[0] <= time && time <= times[times.len() - 1], "{times:?} does not cover {time}");
    let index = times.partition_point(|t| *t <= time) - 1;
    wave.load_signals(&[signal]);
    let found = wave.get_signal(signal).unwrap();
    let offset = found.get_offset(index as u32).unwrap();
    let bits = found.get_value_at(&offset, 0).to_bit_string().unwrap();
    u64::from_str_radix(&bits, 2).unwrap()
}

#[test]
fn a_wrong_product_in_the_verilog_is_found_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = rtl();
    let top = broken.modules.last_mut().unwrap();
    let before = top.text.clone();
    // A bit of every stored product is flipped.
    top.text = before.replace(".row_product_i(row_product_i)", ".row_product_i(row_product_i ^ 32'h00000100)");
    assert_ne!(top.text, before);
    // The first layer has no rows, so that only the second one can go wrong.
    let layers = [layer("clean", image(0), 50, 9), layer("broken", image(6), 50, 40)];
    for (simulator, unit) in [(SimulatorKind::Verilator, 2), (SimulatorKind::Icarus, 10_000)] {
        let options = options(folder.path(), simulator, Body::Gated);
        let found = replay(&broken, &layers, &options, &|_| {}, &GO).unwrap();
        let Some(Mismatch::Signal { layer, cycle, signal, expected, actual, waveform }) = found.first_mismatch.clone()
        else {
            panic!("{found:?}");
        };
        assert_eq!((layer.as_str(), signal.as_str()), ("broken", "out_data_o"));
        assert_eq!(found.layers[0].mismatches, 0);
        assert!(found.layers[1].mismatches > 0);
        // The reset, then the cycles of the first layer, come before it.
        assert!((found.layers[0].cycles + 2..found.cycles).contains(&cycle));

        let path = waveform.unwrap();
        assert!(path.starts_with(folder.path().join("waveforms")));
        assert!(found.first_mismatch.unwrap().to_string().contains(&path.display().to_string()));
        let number = |text: &str| u64::from_str_radix(text, 16).unwrap();
        assert_ne!(expected, actual);
        assert_eq!(value_at(&path, "out_data_o", cycle * unit), number(&actual), "{simulator}");
    }
    let files = std::fs::read_dir(folder.path().join("waveforms")).unwrap().count();
    assert_eq!(files, 2, "one waveform for each run and no half ones");
}

#[test]
fn layers_that_cannot_be_streamed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path(), SimulatorKind::Verilator, Body::Gated);
    let refused = |layers: &[LayerTrace<'_>]| replay(&rtl(), layers, &options, &|_| {}, &GO).unwrap_err();

    let error = refused(&[LayerTrace { memory: rows_alone(image(7)), ..layer("big", image(0), 1, 1) }]);
    assert!(matches!(&error, ReplayError::Rows { layer, .. } if layer == "big"), "{error}");

    let empty = SumTrace { index: 7, operands: vec![], epilogue: pe::Epilogue::default(), element: 0 };
    let sums = Box::new(move || Box::new(std::iter::once(empty.clone())) as _);
    let error = refused(&[layer("a", image(2), 3, 3), LayerTrace { sums, ..layer("b", image(0), 1, 1) }]);
    assert!(matches!(&error, ReplayError::EmptySum { layer, index: 7 } if layer == "b"), "{error}");
}

#[test]
fn cancelling_ends_a_replay_at_once_and_leaves_nothing_half_built() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = AtomicBool::new(false);
    let endless = layer("endless", image(2), 1, 500);
    let sum = (endless.sums)().next().unwrap();
    let endless = LayerTrace { sums: Box::new(move || Box::new(std::iter::repeat(sum.clone()))), ..endless };
    let progress = |_| cancel.store(true, Ordering::Relaxed);
    let options = options(folder.path(), SimulatorKind::Verilator, Body::Gated);
    let error = replay(&rtl(), std::slice::from_ref(&endless), &options, &progress, &cancel).unwrap_err();
    assert!(error.is_cancelled(), "{error}");

    // Before the simulator is even built.
    let options = ReplayOptions::in_folder(folder.path());
    let error = replay(&rtl(), &[endless], &options, &|_| {}, &cancel).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert_eq!(std::fs::read_dir(&options.cache).unwrap().count(), 0);
}

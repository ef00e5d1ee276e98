//! Small processing elements on real gates. Skips loudly where library or tools are missing.

use super::*;
use crate::equivalence::netlist::How;
use crate::gates::GatesError;
use crate::gates::activity::{self, net_name, verilog};
use crate::gates::circuit::Gate;
use crate::gates::netlist::Bit;
use crate::synth::liberty::{CellLibrary, OSU018};
use crate::synth::recipe::{ANY, Recipe};
use crate::synth::sta::{Surroundings, longest_path};
use crate::tools::Tool;
use axp_golden::am::rounded_product;
use axp_spec::{
    Accumulator, AmImage, AmRow, Bits32, Content, FactoredConfig, FloatFormat, LayerMemory, PeConfig, WeightOperand,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

fn osu018() -> Option<CellLibrary> {
    if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
        eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
        return None;
    }
    Some(CellLibrary::read(Path::new(OSU018)).unwrap())
}

/// One recipe makes a netlist; that of several the smallest wins is tested by itself.
const RECIPE: Option<&[Recipe]> = Some(ANY);

/// Netlists are kept beside the build.
fn cache() -> PathBuf {
    std::env::temp_dir().join("axp-energy-tests")
}

fn mixed(number: usize) -> u32 {
    ((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) as u32
}

/// Eight weight values, two of which have a row for all activations from 0.5 to
/// below 2; a third of the activations is zero.
fn window(name: &str, macs: u64, seed: usize) -> LayerWindow {
    let weight = |id: u32| (0.25 + id as f32 / 8.0).to_bits();
    let care = FloatFormat::Binary32.key_of(u32::MAX, 0xff00_0000);
    let row = |id: u32| AmRow {
        key: FloatFormat::Binary32.key_of(weight(id), 0x3f00_0000),
        care,
        product: axp_spec::Bits32(0x3f00_0000 + id),
    };
    let pair = |number: usize| {
        let bits = mixed(number + seed);
        let activation = 0x3f00_0000 | mixed(number + seed + 9999) & 0x00ff_ffff;
        (weight(bits % 8), if (bits / 8).is_multiple_of(3) { 0 } else { activation })
    };
    let sums = (0..40).map(|sum| (0..16).map(|number| pair(16 * sum + number)).collect()).collect();
    let memory = LayerMemory { am: AmImage { rows: vec![row(0), row(1)] }, ..LayerMemory::default() };
    LayerWindow { name: name.into(), macs, memory, sums, ..LayerWindow::default() }
}

fn options<'a>(cache: &'a Path, cancel: &'a AtomicBool) -> Options<'a> {
    Options { clock_ns: None, recipes: RECIPE, cache: Some(cache), progress: &|_| {}, cancel }
}

fn compared(
    windows: &[LayerWindow],
    baselines: &[Baseline],
    clock_ns: Option<f64>,
) -> Option<Result<Comparison, EnergyError>> {
    let library = osu018()?;
    let design = Contender::design(&PeConfig::pair("axp_pe_energy", 4), true);
    let (cache, cancel) = (cache(), AtomicBool::new(false));
    let options = Options { clock_ns, ..options(&cache, &cancel) };
    Some(compare(&design, baselines, windows, &library, &options))
}

#[test]
fn figures_are_complete_and_add_up() {
    let windows = [window("a", 3000, 0), window("b", 1000, 777)];
    let Some(found) = compared(&windows, &Baseline::ALL, None) else { return };
    let found = found.unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<_> = std::iter::once(&found.design).chain(found.baselines.iter().map(|b| &b.figures)).collect();
    for figures in &all {
        println!("{} {:.2} {:?} {:?}", figures.name, figures.pj_per_mac, figures.split, figures.by_class);
        assert!(figures.pj_per_mac.is_finite() && figures.pj_per_mac > 1.0, "{}", figures.name);
        let parts: f64 =
            figures.parts.iter().map(|p| p.combinational + p.register + p.clock_pin + p.clock_gate + p.leakage).sum();
        let layers: f64 = figures.layers.iter().map(|l| l.pj_per_mac * l.macs as f64 / 4000.0).sum();
        let reload: f64 = figures.layers.iter().map(|l| l.reload_pj / 4000.0).sum();
        for sum in [parts + reload, layers + reload, figures.split.total()] {
            assert!((sum - figures.pj_per_mac).abs() < 1e-9 * sum, "{sum} {}", figures.pj_per_mac);
        }
        assert!(figures.annotated_percent >= LEAST_ANNOTATED_PERCENT);
        assert!(figures.longest_path_ns <= found.period_ns);
        let proven = figures.netlist_checks.iter().filter(|check| check.how == How::Proven).count();
        assert!(proven > 5 && proven == figures.netlist_checks.len(), "{:?}", figures.netlist_checks);
        assert!(figures.recipe.starts_with("small-plain@"), "{}", figures.recipe);
        let layer = &figures.layers[0];
        assert_eq!((layer.window_macs, layer.hits + layer.misses + layer.zeros), (640, 1.0));
    }
    assert!(all[0].split.reload > 0.0 && all[0].layers[0].hits > 0.1);
    assert!(all[1..].iter().all(|b| b.split.reload == 0.0 && b.split.search_and_read == 0.0));
    // One netlist, two states of the zero-skip bit.
    assert_eq!(all[1].netlist_sha256, all[2].netlist_sha256);
    assert!(all[2].pj_per_mac < all[1].pj_per_mac && all[3].pj_per_mac < all[1].pj_per_mac);
    let expected = 100.0 * (1.0 - all[0].pj_per_mac / all[1].pj_per_mac);
    assert!((found.saving_percent.unwrap() - expected).abs() < 1e-9);
    // A hit leaves the multiplier alone; a skipped zero everything.
    let by = all[0].by_class;
    assert!(by.hit.unwrap() < by.miss.unwrap() && by.zero.unwrap() < by.hit.unwrap(), "{by:?}");
    assert_eq!(all[1].by_class.hit, None);
    // Numbers may change in their last digit on the way through JSON.
    let read: Comparison = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    let names = |found: &Comparison| found.baselines.iter().map(|b| b.figures.name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&read), read.design.parts.len()), (names(&found), found.design.parts.len()));
    assert!((read.design.pj_per_mac - found.design.pj_per_mac).abs() < 1e-9);
}

#[test]
fn a_baseline_with_the_design_s_sum_is_as_wide_and_has_its_ranges() {
    let Some(library) = osu018() else { return };
    let mut window = window("a", 1000, 5);
    window.memory = LayerMemory { range: window.range(&Baseline::Fixed.contender()), ..LayerMemory::default() };
    let accumulator = Accumulator::Fixed { width: 12, product_width: 12 };
    let design = Contender::design(&PeConfig { accumulator, ..PeConfig::plain("axp_pe_fixed12") }, true);
    let (cache, cancel) = (cache(), AtomicBool::new(false));
    let options = options(&cache, &cancel);
    let baselines = [Baseline::Fixed, Baseline::SameSum, Baseline::SameSumZeroSkip];
    let found = compare(&design, &baselines, &[window], &library, &options).unwrap_or_else(|error| panic!("{error}"));
    let [fixed, same, skipping] = &found.baselines[..] else { panic!("{} baselines", found.baselines.len()) };
    assert_eq!(same.figures.netlist_sha256, skipping.figures.netlist_sha256);
    assert!(same.figures.ge < fixed.figures.ge && same.figures.pj_per_mac < fixed.figures.pj_per_mac);
    // The design is such a MAC itself.
    let [own, other] = [&found.design, &skipping.figures].map(|figures| figures.pj_per_mac);
    assert!((own - other).abs() < 0.02 * own, "{own} {other}");
}

#[test]
fn a_clock_that_is_too_fast_is_refused() {
    let Some(found) = compared(&[window("a", 1, 0)], &[], Some(3.0)) else { return };
    let error = found.unwrap_err();
    assert!(matches!(error, EnergyError::Clock { least_ns, .. } if least_ns > 3.0), "{error}");
    assert!(!error.is_failed_check());
}

/// Measures the plain netlist with the golden model, period or stimulus of another.
fn plain_run(change: impl FnOnce(&mut Contender, &mut f64)) -> Option<EnergyError> {
    let library = osu018()?;
    let cancel = AtomicBool::new(false);
    let mut contender = Baseline::Plain.contender();
    let gates = gates::Gates::make("fp32", &contender.config, &library, RECIPE, Some(&cache()), &cancel).unwrap();
    let program = gates.program("fp32", &library, 40.0).unwrap();
    let mut period_ns = 40.0;
    change(&mut contender, &mut period_ns);
    run::run(&contender, &gates, &program, period_ns, &[window("a", 1, 0)], &|_| {}, &cancel).err()
}

/// What a newer OpenSTA would be given, Debian's reads but for the activity.
#[test]
fn the_netlist_for_a_second_opinion_is_the_simulated_one() {
    let Some(library) = osu018() else { return };
    let cancel = AtomicBool::new(false);
    let contender = Baseline::Plain.contender();
    let gates = gates::Gates::make("fp32", &contender.config, &library, RECIPE, Some(&cache()), &cancel).unwrap();
    let program = gates.program("fp32", &library, 40.0).unwrap();
    let windows = [window("a", 1, 0)];
    let (measured, activity) = run::run(&contender, &gates, &program, 40.0, &windows, &|_| {}, &cancel).unwrap();
    let circuit = &program.circuit;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("netlist.v"), verilog(circuit)).unwrap();
    let net = |name: &str| match circuit.netlist.port(name).unwrap().bits[..] {
        [Bit::Net(net)] => net_name(net),
        _ => panic!("{name}"),
    };
    let (clock, control) = (net("clk_i"), net("test_en_i"));
    let around = Surroundings { wire_load: library.wire_load(), clock: Some(&clock), control: &[&control] };
    let path =
        longest_path(folder.path(), Path::new(OSU018), "netlist.v", activity::TOP, &library, around, &cancel).unwrap();
    let expected = gates.netlist.longest_path_ns;
    assert!((path.ns - expected).abs() < 1e-3, "{} ns and not {expected}", path.ns);
    // Every pin but those of constants is in it, and half of C·V² of all transitions is a part of the energy.
    let pins = |gate: &Gate| {
        let inputs = gate.inputs.iter().filter(|bit| matches!(bit, Bit::Net(_))).count();
        inputs + gate.outputs.iter().flatten().count()
    };
    let ports = circuit.netlist.ports.iter().filter(|port| port.input).map(|port| port.bits.len()).sum::<usize>();
    let saif = activity.saif(circuit);
    assert_eq!(saif.matches("(TC ").count(), ports + circuit.gates.iter().map(pins).sum::<usize>());
    let (switching, total) = (activity.switching(circuit), measured.total());
    assert!(switching > 0.1 * total && switching < 0.9 * total, "{switching} {total}");
    let opinion = SecondOpinion::ask("fp32", (circuit, around), &activity, &measured, &library, &cancel).unwrap();
    // Debian's OpenSTA has no such command, and says so; a newer one gives figures.
    let failure = opinion.failure.unwrap_or_default();
    assert!(opinion.report_power.is_some() || failure.contains("read_saif"), "{failure}");
    assert!((opinion.axp.total() * measured.cycles() as f64 * 1000.0 - total).abs() < 1e-6 * total);
}

#[test]
fn what_differs_from_the_golden_model_gives_no_figure() {
    // A golden model that sums in two interleaved accumulators is another machine.
    let Some(error) = plain_run(|contender, _| contender.config.adder_stages = 1) else { return };
    assert!(matches!(error, EnergyError::Gates { source: GatesError::Mismatch { .. }, .. }), "{error}");
    assert!(error.is_failed_check());
}

#[test]
fn what_is_timed_for_another_clock_gives_no_figure() {
    let Some(error) = plain_run(|_, period_ns| *period_ns = 41.0) else { return };
    assert!(matches!(error, EnergyError::Gates { source: GatesError::Period { .. }, .. }), "{error}");
    assert!(error.is_failed_check());
}

/// Sums of a `factored` design whose weights come by index: one layer with rows for all
/// of its weights, and one without, whose weights are the same.
fn by_index(frozen: bool) -> (PeConfig, Vec<LayerWindow>) {
    let (format, shape) = (FloatFormat::Binary32, FactoredConfig { columns: 8, mantissa_bits: 2 });
    let accumulator = Accumulator::Fixed { width: 24, product_width: 12 };
    let mut config = PeConfig { accumulator, ..PeConfig::factored("axp_pe_energy_index", 8, 2) };
    let mut windows = [window("served", 3000, 0), window("exact", 1000, 777)];
    let magnitudes = || (0..8).map(|id| Bits32::from(0.25 + id as f32 / 8.0));
    for window in &mut windows {
        // A sum of 16 products is below 64.
        window.memory = LayerMemory { range: 132, magnitudes: magnitudes().collect(), am: AmImage::default() };
    }
    for (column, magnitude) in (0..).zip(magnitudes()) {
        for prefix in 0..4 {
            let middle = prefix << 21 | 1 << 20;
            let product = rounded_product(format, config.product_bits(), magnitude.0 & 0x7F_FFFF, middle);
            let key = shape.key(format, column, magnitude.0, middle);
            windows[0].memory.am.rows.push(AmRow { key, care: shape.care(format), product: Bits32(product) });
        }
    }
    if let Some(am) = &mut config.am {
        am.weight = WeightOperand::Index;
        if frozen {
            am.content = Content::Frozen { layers: windows.iter().map(|window| window.memory.clone()).collect() };
        }
    }
    (config, windows.into())
}

#[test]
fn a_layer_is_selected_in_a_frozen_memory_and_written_to_another() {
    let Some(library) = osu018() else { return };
    let mut reloads = Vec::new();
    for frozen in [true, false] {
        let (config, windows) = by_index(frozen);
        let (cache, cancel) = (cache(), AtomicBool::new(false));
        let options = options(&cache, &cancel);
        let found = compare(&Contender::design(&config, true), &[], &windows, &library, &options);
        let found = found.unwrap_or_else(|error| panic!("{error}")).design;
        println!("{frozen} {:.2} {:?} {:?}", found.pj_per_mac, found.split, found.by_class);
        let [served, exact] = &found.layers[..] else { panic!("{:?}", found.layers) };
        assert!(served.hits > 0.5 && served.misses == 0.0 && exact.hits == 0.0, "{served:?} {exact:?}");
        assert!(served.pj_per_mac < 0.7 * exact.pj_per_mac, "{served:?} {exact:?}");
        assert!(found.split.search_and_read > 0.0);
        assert!(found.netlist_checks.iter().all(|check| check.how == How::Proven), "{:?}", found.netlist_checks);
        reloads.push(found.split.reload);
        let mut wrong = windows.clone();
        wrong[1].memory.range = 133;
        let checked = wrong[1].check(1, &config);
        assert_eq!(matches!(checked, Err(EnergyError::Frozen { .. })), frozen, "{checked:?}");
    }
    assert!(reloads[0] < 0.2 * reloads[1], "{reloads:?}");
}

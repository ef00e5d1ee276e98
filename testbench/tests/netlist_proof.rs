//! Netlists of small processing elements are proven to be their Verilog, and the proof can fail.

#[allow(dead_code, reason = "other tests use the rest of it")]
mod frozen;

use axp_golden::am::rounded_product;
use axp_hdl::Rtl;
use axp_spec::{
    Accumulator, AmImage, AmRow, Bits32, Content, FactoredConfig, FloatFormat, LayerMemory, PeConfig, WeightOperand,
};
use axp_testbench::energy::Baseline;
use axp_testbench::energy::gates::parts;
use axp_testbench::equivalence::netlist::{How, Limits, NetlistCheck, NetlistError, Texts, check_netlist};
use axp_testbench::gates::netlist::FlatNetlist;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use axp_testbench::synth::recipe::ANY;
use axp_testbench::synth::{Design, Goal, Netlist, synthesise_tried};
use axp_testbench::tools::Tool;
use frozen::Shape;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

static RUN: AtomicBool = AtomicBool::new(false);

/// A processing element on gates.
struct Made {
    library: CellLibrary,
    rtl: Rtl,
    netlist: Netlist,
}

impl Made {
    /// Of one recipe; kept from one run to the next.
    fn of(config: &PeConfig) -> Option<Self> {
        if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
            eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
            return None;
        }
        let library = CellLibrary::read(Path::new(OSU018)).unwrap();
        let rtl = axp_hdl::generate(config).unwrap();
        let modules: Vec<(&str, &str)> = rtl.modules.iter().map(|m| (m.name.as_str(), m.text.as_str())).collect();
        let design = Design { top: &rtl.top, modules: &modules, clock: Some("clk_i"), control: &["test_en_i"] };
        let goal = Goal { period: 20.0, wire_load: library.wire_load() };
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let netlist = synthesise_tried(&design, &parts(&rtl), ANY, &library, goal, Some(cache), &RUN);
        let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
        Some(Self { library, rtl, netlist })
    }

    fn check(&self, hierarchy: &str, flat: &str, time: Duration) -> Result<Vec<NetlistCheck>, NetlistError> {
        let flat =
            FlatNetlist::read(flat, &self.rtl.top, &self.library, &RUN).unwrap_or_else(|error| panic!("{error}"));
        let limits = Limits { cache: None, time, cancel: &RUN };
        check_netlist(&self.rtl, Texts { hierarchy, flat: &flat }, &self.library, limits)
    }

    /// With this text in the netlist that has parts.
    fn parts_as(&self, hierarchy: &str) -> Result<Vec<NetlistCheck>, NetlistError> {
        self.check(hierarchy, &self.netlist.verilog, Duration::from_secs(60))
    }

    /// With this text as the flat netlist.
    fn flat_as(&self, flat: &str) -> Result<Vec<NetlistCheck>, NetlistError> {
        self.check(&self.netlist.hierarchy, flat, Duration::from_secs(60))
    }

    /// The netlist with one module changed.
    fn mutant(&self, stem: &str, change: impl Fn(&str) -> String) -> String {
        let text = &self.netlist.hierarchy;
        let begin = text.find(&format!("\nmodule {stem}")).unwrap_or_else(|| panic!("no module {stem}"));
        let end = begin + text[begin..].find("\nendmodule").unwrap();
        let changed = change(&text[begin..end]);
        assert_ne!(changed, text[begin..end], "{stem}");
        format!("{}{changed}{}", &text[..begin], &text[end..])
    }

    fn proven(&self) {
        let checks = self.parts_as(&self.netlist.hierarchy).unwrap_or_else(|error| panic!("{error}"));
        for check in &checks {
            println!("{} {check:?}", self.rtl.top);
            assert!(check.how == How::Proven && check.bits > 0 && check.instances > 0, "{check:?}");
        }
        let mut found: Vec<&str> = checks.iter().map(|check| check.module.as_str()).collect();
        let mut expected = parts(&self.rtl);
        expected.push(&self.rtl.top);
        expected.sort_unstable();
        expected.dedup();
        found.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// The smallest: rows, multiplier and adder of 8 bits.
fn small() -> Option<Made> {
    Made::of(&PeConfig { format: FloatFormat::E4m3, ..PeConfig::pair("axp_pe_proof", 2) })
}

#[test]
fn a_pair_memory_and_its_floating_point_units_are_proven() {
    let Some(made) = small() else { return };
    made.proven();
    let checks = made.parts_as(&made.netlist.hierarchy).unwrap();
    let rows = checks.iter().find(|check| check.module.starts_with("axp_am_row")).unwrap();
    assert_eq!(rows.instances, 2);
}

#[test]
fn baselines_are_proven() {
    for baseline in [Baseline::Int8, Baseline::Bf16Fixed] {
        let Some(made) = Made::of(&baseline.contender().config) else { return };
        made.proven();
    }
}

/// One layer with a product for every weight and prefix, one without rows.
#[test]
fn a_frozen_memory_is_proven() {
    let (format, shape) = (FloatFormat::Binary32, FactoredConfig { columns: 4, mantissa_bits: 2 });
    let accumulator = Accumulator::Fixed { width: 24, product_width: 12 };
    let mut config = PeConfig { accumulator, ..PeConfig::factored("axp_pe_proof_frozen", 4, 2) };
    let magnitudes: Vec<Bits32> = (0..4).map(|id| Bits32::from(0.25 + id as f32 / 8.0)).collect();
    let mut rows = Vec::new();
    for (column, magnitude) in (0..).zip(&magnitudes) {
        for prefix in 0..4 {
            let middle = prefix << 21 | 1 << 20;
            let product = rounded_product(format, config.product_bits(), magnitude.0 & 0x7F_FFFF, middle);
            let key = shape.key(format, column, magnitude.0, middle);
            rows.push(AmRow { key, care: shape.care(format), product: Bits32(product) });
        }
    }
    let layer = |rows| LayerMemory { range: 132, magnitudes: magnitudes.clone(), am: AmImage { rows } };
    if let Some(am) = &mut config.am {
        am.weight = WeightOperand::Index;
        am.content = Content::Frozen { layers: vec![layer(rows), layer(Vec::new())] };
    }
    let Some(made) = Made::of(&config) else { return };
    made.proven();
}

#[test]
fn a_frozen_grid_is_proven_case_by_case_and_a_wrong_word_is_told_with_its_case() {
    let accumulator = Accumulator::Fixed { width: 24, product_width: 12 };
    let grid = frozen::index(PeConfig { accumulator, ..PeConfig::grid("axp_pe_grid", 3, 4) });
    let Some(made) = Made::of(&frozen::frozen(grid, 2, Shape::Whole)) else { return };
    made.proven();
    let stem = "axp_pe_frozen_memory";
    let memory = |checks: &[NetlistCheck]| checks.iter().find(|check| check.module == stem).cloned().unwrap();
    // Hit, sign and 12 bits, without any time for SAT, in a text that no other test proves in this process.
    let hierarchy = made.netlist.hierarchy.replace("endmodule", "// case by case\nendmodule");
    let found = memory(&made.check(&hierarchy, &made.netlist.verilog, Duration::ZERO).unwrap());
    assert_eq!((found.how, found.bits), (How::Proven, 14));
    let mutant = made.mutant(stem, |text| replaced(text, "NAND2X1", "NAND2X1", "NOR2X1"));
    match made.check(&mutant, &made.netlist.verilog, Duration::ZERO) {
        Err(error @ NetlistError::Refuted { .. }) => {
            let text = error.to_string();
            assert!(text.contains(stem) && text.contains("_o[") && text.contains("\nactivation_i["), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

/// Replaces the first `from` behind `after`.
fn replaced(text: &str, after: &str, from: &str, to: &str) -> String {
    let place = text.find(after).unwrap_or_else(|| panic!("no {after:?}"));
    let place = place + text[place..].find(from).unwrap_or_else(|| panic!("no {from:?} behind {after:?}"));
    format!("{}{to}{}", &text[..place], &text[place + from.len()..])
}

/// Makes the first `a` behind `after` a `b`, and the first `b` there an `a`.
fn exchanged(text: &str, after: &str, a: &str, b: &str) -> String {
    let place = text.find(after).unwrap_or_else(|| panic!("no {after:?}"));
    let rest = text[place..].replacen(a, "@", 1).replacen(b, a, 1).replacen('@', b, 1);
    format!("{}{rest}", &text[..place])
}

/// Swaps what two pins of this name are connected to, the first and the second behind `after`.
fn swapped(text: &str, after: &str, pin: &str) -> String {
    let begin = text.find(after).unwrap_or_else(|| panic!("no {after:?}"));
    let places: Vec<usize> = text[begin..].match_indices(&format!(".{pin}(")).map(|(place, _)| begin + place).collect();
    let line = |place: usize| &text[place..place + text[place..].find('\n').unwrap()];
    let bare = |place: usize| line(place).trim_end_matches(',');
    let (first, second) = (bare(places[0]), bare(places[1]));
    assert_ne!(first, second);
    let middle = &text[places[0] + first.len()..places[1]];
    format!("{}{second}{middle}{first}{}", &text[..places[0]], &text[places[1] + second.len()..])
}

#[test]
fn mutants_are_refuted_by_module_and_signal() {
    let Some(made) = small() else { return };
    let refuted =
        |stem: &str, signal: &str, change: &dyn Fn(&str) -> String| match made.parts_as(&made.mutant(stem, change)) {
            Err(NetlistError::Refuted { module, signals, .. }) => {
                println!("{module}: {signals}");
                assert!(module.starts_with(stem) && signals.contains(signal), "{stem}: {module}: {signals}");
            }
            other => panic!("{stem}: {other:?}"),
        };
    let nor = |text: &str| replaced(text, "NAND2X1", "NAND2X1", "NOR2X1");
    let kept = |text: &str| replaced(text, "INVX1", "INVX1", "BUFX2");
    refuted("axp_fp_mul", "result_o", &nor);
    refuted("axp_fp_mul", "result_o", &kept);
    refuted("axp_fp_mul", "result_o", &|text| exchanged(text, "FAX1", ".YC(", ".YS("));
    refuted("axp_accumulate_align", "_o", &nor);
    refuted("axp_accumulate_align", "_o", &kept);
    refuted("axp_am_row", "_o", &nor);
    refuted("axp_pair_am", "product_o", &|text| replaced(text, "OR2X2", "OR2X2", "AND2X2"));
    refuted("axp_pe_proof", "", &kept);
    // Registers: data, clock, reset, and the latch of the clock gate.
    refuted("axp_gated_reg_w", ".next", &|text| swapped(text, "DFFPOSX1", "D"));
    refuted("axp_gated_reg_w", ".clock", &|text| replaced(text, "DFFPOSX1", ".CLK(clk_gated)", ".CLK(clk_i)"));
    refuted("axp_gated_reg_arst", ".clear", &|text| replaced(text, "DFFSR", ".R(rst_ni)", ".R(1'h1)"));
    let open = |text: &str| replaced(text, "LATCH", ".CLK(\\u_clock_gate.enable )", ".CLK(clk_i)");
    refuted("axp_gated_reg_w", "u_clock_gate.open[0].clock", &open);
    // Between parts: what the multiplier is given.
    refuted("axp_pe_proof", "multiplier.axp_fp_mul", &|text| exchanged(text, " multiplier (", ".a_i(", ".b_i("));
    // A net that nothing drives.
    refuted("axp_accumulate_align", "wiring", &|text| replaced(text, "INVX1", ".Y(", ".Y() // ("));
}

#[test]
fn a_flat_netlist_with_other_cells_or_wires_is_not_the_proven_one() {
    let Some(made) = small() else { return };
    let differs = |place: &str, change: &dyn Fn(&str) -> String| match made.flat_as(&change(&made.netlist.verilog)) {
        Err(NetlistError::Flat { place: found }) => assert!(found.starts_with(place), "{place}: {found}"),
        other => panic!("{place}: {other:?}"),
    };
    differs("multiplier.", &|text| replaced(text, "NAND2X1 \\multiplier.", "NAND2X1", "NOR2X1"));
    differs("multiplier.", &|text| exchanged(text, "FAX1 \\multiplier.", ".YC(", ".YS("));
    differs("adder.", &|text| exchanged(text, "NOR2X1 \\adder.", ".A(", ".Y("));
    differs("memory.", &|text| replaced(text, "DFFPOSX1 \\memory.", "DFFPOSX1", "DFFNEGX1"));
    // Another name is another cell, and one that drives a net is missing.
    differs("", &|text| replaced(text, "INVX1 \\adder.", "adder.", "other."));
    // Wires: an input of one cell goes to another net.
    differs("", &|text| swapped(text, "DFFPOSX1 \\operands.", "D"));
    // Nets without a driver: its output is open, or it is not there.
    differs("adder.", &|text| replaced(text, "INVX1 \\adder.", ".Y(", ".Y() // ("));
    differs("adder.", &|text| {
        let begin = text.find("  INVX1 \\adder.").unwrap();
        let end = begin + text[begin..].find(";\n").unwrap() + 2;
        format!("{}{}", &text[..begin], &text[end..])
    });
    // The top's ports.
    differs("", &|text| text.replacen(");", ", spare);", 1).replacen("endmodule", "input spare;\nendmodule", 1));
}

#[test]
fn what_is_not_decided_is_only_simulated_and_says_why() {
    let Some(made) = small() else { return };
    // Texts that no other test proves in this process.
    let hierarchy = made.netlist.hierarchy.replace("endmodule", "// in no time\nendmodule");
    let checks = made.check(&hierarchy, &made.netlist.verilog, Duration::ZERO).unwrap();
    // What is proven case by case takes none of SAT's time.
    let (by_case, others): (Vec<_>, Vec<_>) = checks.iter().partition(|check| check.how == How::Proven);
    assert!(
        !by_case.is_empty() && by_case.iter().all(|check| check.module.starts_with("axp_accumulate_align")),
        "{by_case:?}"
    );
    assert!(others.len() > 5);
    for check in others {
        assert_eq!((check.how, check.bits), (How::Simulated, 0));
        assert_eq!(check.reason.as_deref(), Some("not decided in 0 s"));
    }
    // A register that has lost its name.
    let lost = made.mutant("axp_am_row", |text| text.replace("\\storage.care_o ", "\\lost "));
    let checks = made.parts_as(&lost).unwrap_or_else(|error| panic!("{error}"));
    let simulated: Vec<_> = checks.iter().filter(|check| check.how == How::Simulated).collect();
    assert_eq!(simulated.len(), 1);
    let reason = simulated[0].reason.clone().unwrap();
    assert!(reason.contains("registers without a counterpart") && reason.contains("storage.care_o"), "{reason}");
}

#[test]
fn proofs_are_kept_by_both_texts() {
    let Some(made) = small() else { return };
    let folder = tempfile::tempdir().unwrap();
    let flat = FlatNetlist::read(&made.netlist.verilog, &made.rtl.top, &made.library, &RUN).unwrap();
    let check = |hierarchy: &str| {
        let limits = Limits { cache: Some(folder.path()), time: Duration::from_secs(60), cancel: &RUN };
        check_netlist(&made.rtl, Texts { hierarchy, flat: &flat }, &made.library, limits)
    };
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    let first = check(&made.netlist.hierarchy).unwrap();
    assert_eq!(count(), first.len());
    assert_eq!(check(&made.netlist.hierarchy).unwrap(), first);
    // What is kept of one text says nothing of another; what is refuted is not kept.
    let mutant = made.mutant("axp_fp_mul", |text| replaced(text, "NAND2X1", "NAND2X1", "NOR2X1"));
    for _ in 0..2 {
        assert!(matches!(check(&mutant), Err(NetlistError::Refuted { .. })));
    }
    assert_eq!(count(), first.len());
}

#[test]
fn a_set_flag_ends_the_proofs() {
    let Some(made) = small() else { return };
    let flat = FlatNetlist::read(&made.netlist.verilog, &made.rtl.top, &made.library, &RUN).unwrap();
    let limits = Limits { cache: None, time: Duration::from_secs(60), cancel: &AtomicBool::new(true) };
    // Texts that no other test proves in this process.
    let hierarchy = made.netlist.hierarchy.replace("endmodule", "// another text\nendmodule");
    let error =
        check_netlist(&made.rtl, Texts { hierarchy: &hierarchy, flat: &flat }, &made.library, limits).unwrap_err();
    assert!(error.is_cancelled() && !error.is_failed_check(), "{error}");
}

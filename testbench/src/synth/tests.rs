//! Synthesis on real libraries and tools. Skips loudly where one is missing.

use super::liberty::{Adder, CellLibrary, LibertyError, OSU018};
use super::*;
use std::io::Write as _;
use std::path::PathBuf;

/// Where `scripts/setup.sh` puts tools that are not Debian's.
pub fn fpga_tools() -> PathBuf {
    let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = home("XDG_CACHE_HOME").or_else(|| home("HOME").map(|home| home.join(".cache")));
    cache.unwrap_or_default().join("axp").join("fpga")
}

/// A chain of `length` inverting gates that no tool may shorten.
fn chain(length: usize) -> String {
    let mut text = format!("module chain (input wire [{length}:0] a_i, output wire y_o);\n  wire [{length}:0] w;\n");
    text += "  assign w[0] = a_i[0];\n";
    for k in 0..length {
        text += &format!("  assign w[{}] = ~(w[{k}] {} a_i[{}]);\n", k + 1, ["&", "|"][k % 2], k + 1);
    }
    text + &format!("  assign y_o = w[{length}];\nendmodule\n")
}

const FULL_ADDERS: &str =
    "module axp_full_adders_w4 (input wire [3:0] a_i, b_i, c_i, output wire [3:0] sum_o, carry_o);
  assign sum_o = a_i ^ b_i ^ c_i;
  assign carry_o = a_i & b_i | b_i & c_i | a_i & c_i;
endmodule
";

/// Two layers of full adders under a carry-propagate adder: a + b + c + d.
const TREE: &str = "module tree (input wire [3:0] a_i, b_i, c_i, d_i, output wire [5:0] y_o);
  wire [3:0] s, c, t, e;
  axp_full_adders_w4 first (.a_i(a_i), .b_i(b_i), .c_i(c_i), .sum_o(s), .carry_o(c));
  axp_full_adders_w4 second (.a_i(s), .b_i({c[2:0], 1'b0} ), .c_i(d_i), .sum_o(t), .carry_o(e));
  assign y_o = {2'b0, t} + {1'b0, e, 1'b0} + {1'b0, c[3], 4'b0};
endmodule
";

const ACCUMULATOR: &str = "module accumulator (input wire clk_i, input wire [7:0] a_i, output reg [7:0] sum_o);
  always @(posedge clk_i) sum_o <= sum_o + a_i;
endmodule
";

fn osu018() -> Option<CellLibrary> {
    if !Path::new(OSU018).is_file() || Tool::Sta.find().is_err() {
        eprintln!("SKIPPED: {OSU018} or sta is missing (apt-get install qflow-tech-osu018 opensta)");
        return None;
    }
    Some(CellLibrary::read(Path::new(OSU018)).expect("osu018 is a Liberty file"))
}

fn run(top: &str, texts: &[(&str, &str)], clock: Option<&str>, library: &CellLibrary, period: f64) -> Netlist {
    let design = Design { top, modules: texts, clock, control: &[] };
    let goal = Goal { period, wire_load: library.wire_load() };
    synthesise(&design, library, goal, None, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn osu018_has_the_cells_that_are_known_of_it() {
    let Some(library) = osu018() else { return };
    assert_eq!(library.name, "osu018_stdcells");
    assert_eq!((library.roles.nand2.as_str(), library.unit_area()), ("NAND2X1", 24.0));
    let adder = |cell: &str, inputs: &[&str]| Adder {
        cell: cell.into(),
        inputs: inputs.iter().map(|pin| (*pin).to_owned()).collect(),
        sum: "YS".into(),
        carry: "YC".into(),
    };
    assert_eq!(library.roles.full_adder, Some(adder("FAX1", &["A", "B", "C"])));
    assert_eq!(library.roles.half_adder, Some(adder("HAX1", &["A", "B"])));
    let flop = library.roles.flop.as_ref().expect("a flip-flop");
    assert_eq!((flop.cell.as_str(), flop.data.as_str(), flop.enable.as_str()), ("DFFPOSX1", "D", "CLK"));
    let latch = library.roles.latch.as_ref().expect("a latch");
    assert_eq!((latch.cell.as_str(), latch.active_high), ("LATCH", true));
    assert_eq!(library.roles.tie_high, None);
    assert!(library.is_flop("DFFSR") && !library.is_flop("LATCH") && !library.is_flop("FAX1"));
    let capacitance = library.pin_capacitance("FAX1", "A").expect("a capacitance");
    assert!((capacitance - 61.3054).abs() < 1e-9, "{capacitance} fF");
}

#[test]
fn full_adders_become_cells_and_the_netlist_computes_the_sum() {
    let Some(library) = osu018() else { return };
    let texts = [("axp_full_adders_w4", FULL_ADDERS), ("tree", TREE)];
    let netlist = run("tree", &texts, None, &library, 5.0);
    assert_eq!(netlist.full_adders, 8, "{:?}", netlist.cells_by_type);
    assert!(netlist.longest_path_ns > 0.3 && netlist.longest_path_ns < 5.0, "{}", netlist.longest_path_ns);
    assert!(netlist.path.pins.iter().any(|(_, cell)| cell == "FAX1"), "{:?}", netlist.path);

    let folder = tempfile::tempdir().unwrap();
    let rtl = format!("{FULL_ADDERS}{TREE}");
    fs::write(folder.path().join("rtl.v"), rtl).unwrap();
    fs::write(folder.path().join("gates.v"), &netlist.verilog).unwrap();
    fs::write(folder.path().join("cells.lib"), &library.text).unwrap();
    let script = "read_liberty -ignore_miss_func cells.lib; read_verilog gates.v; prep -flatten -top tree; rename tree gates; \
                  design -stash gates; read_verilog rtl.v; prep -flatten -top tree; rename tree gold; design -stash gold; \
                  design -copy-from gold gold; design -copy-from gates gates; \
                  miter -equiv -flatten gold gates miter; sat -verify -prove trigger 0 -set-def-inputs miter";
    Invocation::new(&Tool::Yosys.find().unwrap())
        .directory(folder.path())
        .args(["-q", "-p", script])
        .run()
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_longer_chain_has_a_longer_path() {
    let Some(library) = osu018() else { return };
    let delay = |length: usize| run("chain", &[("chain", &chain(length))], None, &library, 0.1).longest_path_ns;
    let (short, long) = (delay(4), delay(16));
    // A period that nothing meets: both are the fastest there is.
    assert!(short > 0.1 && long > 1.5 * short, "{short} {long}");
}

#[test]
fn flip_flops_are_counted_and_end_paths() {
    let Some(library) = osu018() else { return };
    let netlist = run("accumulator", &[("accumulator", ACCUMULATOR)], Some("clk_i"), &library, 5.0);
    assert_eq!(netlist.flops, 8);
    assert!(netlist.longest_path_ns > 0.5 && netlist.longest_path_ns < 5.0, "{}", netlist.longest_path_ns);
}

/// A register behind a clock gate of latch and AND.
const GATED: &str = "module gated (input wire clk_i, en_i, input wire [7:0] a_i, output wire [7:0] sum_o);
  reg open;
  always @* if (!clk_i) open = en_i;
  wire clk = clk_i & open;
  reg [7:0] sum;
  always @(posedge clk) sum <= sum + a_i;
  assign sum_o = sum;
endmodule
";

#[test]
fn a_clock_gate_is_mapped_and_is_no_data_path() {
    let Some(library) = osu018() else { return };
    let modules = [("gated", GATED)];
    let design = Design { top: "gated", modules: &modules, clock: Some("clk_i"), control: &["en_i"] };
    let goal = Goal { period: 5.0, wire_load: library.wire_load() };
    let netlist = synthesise(&design, &library, goal, None, &AtomicBool::new(false)).unwrap();
    assert_eq!((netlist.flops, netlist.cells_by_type.get("LATCH")), (8, Some(&1)), "{:?}", netlist.cells_by_type);
    assert!(netlist.longest_path_ns > 0.5 && netlist.longest_path_ns < 5.0, "{:?}", netlist.path);
}

/// Words in latches that a register feeds, both on a gated clock.
const LATCHED: &str = "module latched (input wire clk_i, en_i, input wire [7:0] a_i, output reg [7:0] sum_o);
  reg open;
  always @* if (!clk_i) open = en_i;
  wire clk = clk_i & open;
  reg [7:0] held, row;
  always @(posedge clk) held <= a_i;
  always @* if (clk) row <= held;
  always @(posedge clk_i) sum_o <= sum_o + row;
endmodule
";

#[test]
fn latches_that_hold_data_are_in_paths() {
    let Some(library) = osu018() else { return };
    let direct = LATCHED.replace("always @* if (clk) row <= held;", "always @* row = held;");
    let [through, direct] = [LATCHED, &direct].map(|text| {
        let modules = [("latched", text)];
        let design = Design { top: "latched", modules: &modules, clock: Some("clk_i"), control: &["en_i"] };
        let goal = Goal { period: 5.0, wire_load: library.wire_load() };
        synthesise(&design, &library, goal, None, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"))
    });
    assert_eq!((through.cells_by_type.get("LATCH"), direct.cells_by_type.get("LATCH")), (Some(&9), Some(&1)));
    assert!(through.path.pins.iter().any(|(_, cell)| cell == "LATCH"), "{:?}", through.path);
    assert!(through.longest_path_ns > direct.longest_path_ns, "{:?} {:?}", through.path, direct.path);
}

#[test]
fn a_result_is_kept_and_taken_again() {
    let Some(library) = osu018() else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = chain(3);
    let modules = [("chain", text.as_str())];
    let design = Design { top: "chain", modules: &modules, clock: None, control: &[] };
    let goal = Goal { period: 2.0, wire_load: 5.0 };
    let again = || synthesise(&design, &library, goal, Some(folder.path()), &AtomicBool::new(false)).unwrap();
    let first = again();
    let kept: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    let mut marked = first.clone();
    marked.recipe = "from the cache".into();
    fs::write(&kept[0], serde_json::to_string(&marked).unwrap()).unwrap();
    assert_eq!(again(), marked);
    fs::write(&kept[0], "{").unwrap();
    assert_eq!(again(), first);
}

#[test]
fn the_smallest_that_meets_the_period_wins_or_else_the_fastest() {
    let netlist = |area: f64, ns: f64| Netlist {
        area,
        ge: area,
        flops: 0,
        longest_path_ns: ns,
        full_adders: 0,
        half_adders: 0,
        cells: 1,
        cells_by_type: BTreeMap::new(),
        recipe: String::new(),
        path: LongestPath::default(),
        hierarchy: String::new(),
        verilog: String::new(),
    };
    let all = || vec![netlist(10.0, 9.0), netlist(12.0, 5.0), netlist(11.0, 6.0)];
    assert_eq!(best(all(), 7.0).area, 11.0);
    assert_eq!(best(all(), 9.0).area, 10.0);
    assert_eq!(best(all(), 1.0).area, 12.0);
}

#[test]
fn what_is_no_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.lib");
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        CellLibrary::read(&path).unwrap_err()
    };
    assert!(matches!(CellLibrary::read(&path), Err(LibertyError::Read { .. })));
    for text in ["", "  \n", "module a; endmodule", "library (x) {", "library (x) { }", "\u{0}\u{1}"] {
        assert!(matches!(read(text.as_bytes()), LibertyError::Syntax { .. }), "{text:?}");
    }
    assert!(matches!(read(&[0xff, 0xfe, 0x00]), LibertyError::Syntax { .. }));
    let inverter = "library (x) { cell (INV) { area : 1; pin (A) { direction : input; } \
                    pin (Y) { direction : output; function : \"!A\"; } } }";
    assert!(matches!(read(inverter.as_bytes()), LibertyError::Lacks { .. }));
    assert!(matches!(read(&[0x1f, 0x8b, 8, 0, 0, 0]), LibertyError::Gzip { .. }));

    let nand = inverter.replace("INV", "ND2").replace("pin (A)", "pin (B) { direction : input; } pin (A)");
    let nand = nand.replace("!A", "!(A B)");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(nand.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(&path, &packed).unwrap();
    assert_eq!(CellLibrary::read(&path).unwrap().roles.nand2, "ND2");
    assert!(matches!(read(&packed[..packed.len() / 2]), LibertyError::Gzip { .. }));
}

#[test]
fn a_library_without_adder_cells_leaves_the_tree_to_logic() {
    let Some(mut library) = osu018() else { return };
    library.roles.full_adder = None;
    let texts = [("axp_full_adders_w4", FULL_ADDERS), ("tree", TREE)];
    let netlist = run("tree", &texts, None, &library, 5.0);
    assert_eq!(netlist.full_adders, 0);
    assert!(netlist.cells > 20 && !netlist.cells_by_type.contains_key("FAX1"), "{:?}", netlist.cells_by_type);
}

#[test]
fn without_parts_the_scripts_are_those_of_units() {
    let Some(library) = osu018() else { return };
    let flat = "read_verilog -defer a.v\nread_liberty -lib cells.lib\nhierarchy -check -top tree\n\
                setattr -mod -set keep_hierarchy 1 axp_full_adders_w4\n\
                proc -norom\nflatten\nopt\nwreduce\npeepopt\nopt_clean\nalumacc\nshare\nopt\nopt -full\n\
                techmap\nopt\ntechmap -map adders.v\nhierarchy -check -top tree\nflatten\n\
                opt -fast\ndfflibmap -liberty cells.lib\ntechmap -map latches.v\n\
                simplemap\nopt\nopt_clean -purge\nwrite_ilang generic.il\n";
    let modules = ["axp_full_adders_w4", "tree", "axp_clock_gate"];
    let front = Front::of("tree", &modules, false, &library);
    assert_eq!(front.script(&["a.v".into()], &[]), flat);
    assert_eq!(front.gates, "");
    assert!(!script::back("tree", &library).contains("flatten"));
    let parted = Front::of("tree", &modules, true, &library);
    let script = parted.script(&["a.v".into()], &["part.v".into()]);
    assert!(script.contains("read_verilog -defer a.v\nread_verilog -lib part.v\n"), "{script}");
    assert!(script.contains("setattr -mod -set keep_hierarchy 1 axp_clock_gate\nproc"), "{script}");
    assert!(parted.gates.contains("LATCH latch (") && parted.gates.contains("AND2X2 gate ("), "{}", parted.gates);
}

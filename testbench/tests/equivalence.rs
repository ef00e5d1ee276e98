//! Our Verilog is equivalent to rust-hdl's own, and the proof can fail.

use axp_hdl::{Rtl, fpu, generate, named};
use axp_spec::{
    Accumulator, AmImage, AmRow, Bits32, Content, FixedFormat, FloatFormat, FpuConfig, FpuOperation, LayerMemory,
    MultiplierStyle, NarrowOperands, PeConfig, ResetStyle, Rounding, Storage, WeightOperand,
};
use axp_testbench::equivalence::{Clocking, EquivalenceError, prove, prove_gating, prove_module};
use std::sync::atomic::AtomicBool;

static RUN: AtomicBool = AtomicBool::new(false);

fn proven(config: &PeConfig) {
    let rtl = generate(config).unwrap();
    let proofs = prove(&rtl, &RUN).unwrap_or_else(|error| panic!("{}: {error}", config.name));
    assert_eq!(proofs.len(), rtl.modules.len());
    for (proof, module) in proofs.iter().zip(&rtl.modules) {
        println!("{proof:?}");
        assert_eq!(proof.module, module.name);
        assert!(proof.cells > 0 && proof.instances == module.stock_names.len());
    }
    let rows = rtl.modules.iter().find(|module| module.name.starts_with("axp_am_row_"));
    assert_eq!(rows.map_or(0, |rows| rows.stock_names.len()), config.rows());
}

#[test]
fn every_module_of_the_named_configurations_is_proven() {
    named::all().iter().for_each(proven);
}

#[test]
fn odd_numbers_of_rows_are_proven_too() {
    for (rows, reset) in [(1, ResetStyle::Async), (5, ResetStyle::Sync), (37, ResetStyle::Async)] {
        proven(&PeConfig { reset, ..PeConfig::pair("axp_odd", rows) });
    }
}

#[test]
fn every_format_and_cut_is_proven() {
    for (index, format) in FloatFormat::ALL.into_iter().enumerate() {
        let cuts = index as u32;
        let config = PeConfig {
            format,
            multiplier_stages: cuts % 3,
            adder_stages: 1 - cuts % 2,
            ..PeConfig::pair("axp_cut", 3)
        };
        proven(&config);
        let plain = PeConfig { am: None, adder_stages: 0, ..config };
        proven(&PeConfig { accumulator: Accumulator::Fixed { width: 24, product_width: 18 }, ..plain.clone() });
        // Between them every number of mantissa bits that is not all of them, or is, and 1 to 5 columns.
        let columns = PeConfig::factored("axp_columns", 1 + cuts, cuts.min(format.fraction_bits())).am;
        proven(&PeConfig { am: columns.clone(), adder_stages: 1 - cuts % 2, ..plain.clone() });
        let product_width = 2 + cuts % format.fraction_bits();
        proven(&PeConfig {
            am: columns,
            accumulator: Accumulator::Fixed { width: 24, product_width },
            ..plain.clone()
        });
        proven(&plain);
    }
    let accumulator = Accumulator::Fixed { width: 32, product_width: 20 };
    proven(&PeConfig { accumulator, ..PeConfig::pair("axp_fixed", 3) });
}

#[test]
fn plain_elements_with_narrow_operands_are_proven_too() {
    let narrow = |operands| PeConfig { operands: Some(operands), ..PeConfig::plain("axp_narrow") };
    proven(&narrow(NarrowOperands::Int8));
    let bfloat16 = narrow(NarrowOperands::Bfloat16);
    proven(&bfloat16);
    let accumulator = Accumulator::Fixed { width: 24, product_width: 24 };
    proven(&PeConfig { accumulator, multiplier: MultiplierStyle::Booth, ..bfloat16 });
}

#[test]
fn every_module_of_the_arithmetic_units_is_proven() {
    let fixed = FixedFormat { width: 24, last_bit: -12 };
    for (operation, multiplier, stages) in [
        (FpuOperation::Mul, MultiplierStyle::Dadda, 0),
        (FpuOperation::Mul, MultiplierStyle::Booth, 0),
        (FpuOperation::Mul, MultiplierStyle::Dadda, 1),
        (FpuOperation::Mul, MultiplierStyle::Operator, 2),
        (FpuOperation::Mul, MultiplierStyle::Dadda, 2),
        (FpuOperation::Add, MultiplierStyle::Dadda, 0),
        (FpuOperation::Add, MultiplierStyle::Dadda, 1),
        (FpuOperation::ToFixed(fixed), MultiplierStyle::Dadda, 0),
        (FpuOperation::FromFixed(fixed), MultiplierStyle::Dadda, 0),
    ] {
        for (format, rounding) in [
            (FloatFormat::Binary32, Rounding::NearestEven),
            (FloatFormat::Bfloat16, Rounding::TowardZero),
            (FloatFormat::E4m3, Rounding::NearestEven),
        ] {
            let config = FpuConfig { multiplier, stages, ..FpuConfig::new(operation, format, rounding) };
            let rtl = fpu::generate(&config).unwrap();
            let proofs = prove(&rtl, &RUN).unwrap_or_else(|error| panic!("{config}: {error}"));
            assert_eq!(proofs.len(), rtl.modules.len());
            assert!(proofs.iter().all(|proof| proof.cells > 0), "{proofs:?}");
        }
    }
}

#[test]
fn both_bodies_of_every_register_bank_are_proven_equivalent() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let banks = |config: &PeConfig, clocking: Clocking| -> Vec<String> {
            let rtl = generate(&PeConfig { reset, ..config.clone() }).unwrap();
            let proofs = prove_gating(&rtl, &RUN).unwrap_or_else(|error| panic!("{error}"));
            let of_kind = proofs.into_iter().filter(|proof| proof.proven == clocking);
            of_kind.map(|proof| proof.module).collect()
        };
        let pair = PeConfig::pair("axp_small", 2);
        // Two words without a reset, two with, and a row.
        let found = banks(&pair, Clocking::Bank);
        assert_eq!(found.len(), 5, "{found:?}");
        // A row has storage and a valid flag; operands and flags are on the branch of the PE.
        let found = banks(&pair, Clocking::OnBranch);
        for bank in ["axp_row_storage", "axp_reg_", "axp_flags_", "axp_gated_reg_w64"] {
            assert!(found.iter().any(|found| found.starts_with(bank)), "{bank}: {found:?}");
        }
        let found = banks(&pair, Clocking::Enables);
        assert!(found.len() == 2 && found[0].starts_with("axp_pair_am_") && found[1] == "axp_small", "{found:?}");
        let found = banks(&PeConfig::plain("axp_plain"), Clocking::Enables);
        assert_eq!(found, ["axp_plain"]);
        let factored = banks(&PeConfig::factored("axp_small", 2, 1), Clocking::Bank);
        assert!(factored.iter().any(|bank| bank.starts_with("axp_row_storage_product")), "{factored:?}");
        // Patterns and products are enabled apart, and the codebook has a branch too.
        let mut grid = PeConfig::grid("axp_small", 3, 2);
        grid.am.as_mut().unwrap().weight = WeightOperand::Index;
        let found = banks(&grid, Clocking::OnBranch);
        assert!(found.iter().any(|bank| bank.starts_with("axp_pattern_storage")), "{found:?}");
        let found = banks(&grid, Clocking::Enables);
        assert!(found.len() == 3 && found.iter().any(|user| user.starts_with("axp_codebook")), "{found:?}");
        // What each kind of processing element has on its branch.
        let frozen = frozen(&PeConfig::factored("axp_small", 2, 1));
        let narrow = |operands| PeConfig { operands: Some(operands), ..PeConfig::plain("axp_small") };
        let accumulator = Accumulator::Fixed { width: 24, product_width: 9 };
        let bfloat16 = PeConfig { accumulator, ..narrow(NarrowOperands::Bfloat16) };
        let (cut, two_sums) =
            (PeConfig { multiplier_stages: 1, ..frozen.clone() }, PeConfig { adder_stages: 1, ..pair.clone() });
        let fixed = PeConfig { accumulator, ..cut.clone() };
        let mut short = cut.clone();
        short.am.as_mut().unwrap().product_bits = Some(9);
        for config in [frozen, cut, fixed, short, two_sums, bfloat16, narrow(NarrowOperands::Int8)] {
            let found = banks(&config, Clocking::Enables);
            assert!(found.iter().any(|user| user == "axp_small"), "{found:?}");
        }
        // Latches, and the register that feeds them.
        for config in [pair, PeConfig::factored("axp_small", 2, 1), grid] {
            let found = banks(&latched(config), Clocking::OnBranch);
            assert!(found.iter().any(|bank| bank.contains("_latch_")), "{found:?}");
            assert!(found.iter().any(|bank| bank.starts_with("axp_write_data")), "{found:?}");
        }
    }
}

/// The same with one layer of two columns in it, given by index.
fn frozen(config: &PeConfig) -> PeConfig {
    let shape = config.factored_memory().unwrap();
    let magnitudes: Vec<Bits32> = [0.5_f32, 3.0].map(Into::into).to_vec();
    let row = |place: u32| {
        let (column, prefix) = (place >> shape.mantissa_bits, place % (1 << shape.mantissa_bits));
        let activation = prefix << (config.format.fraction_bits() - shape.mantissa_bits);
        let key = shape.key(config.format, column, magnitudes[column as usize].0, activation);
        AmRow { key, care: shape.care(config.format), product: Bits32(place) }
    };
    let rows = (0..shape.rows() as u32).map(row).collect();
    let layer = LayerMemory { range: 130, am: AmImage { rows }, magnitudes: magnitudes.clone() };
    let mut config = config.clone();
    let am = config.am.as_mut().unwrap();
    (am.weight, am.content) = (WeightOperand::Index, Content::Frozen { layers: vec![layer] });
    config
}

fn latched(mut config: PeConfig) -> PeConfig {
    config.am.as_mut().unwrap().storage = Storage::Latches;
    config
}

#[test]
fn memories_in_latches_are_proven_too() {
    for config in [PeConfig::pair("axp_latch", 3), PeConfig::factored("axp_latch", 3, 1)] {
        proven(&latched(config));
    }
    let grid = generate(&latched(PeConfig::grid("axp_latch", 2, 3))).unwrap();
    prove(&grid, &RUN).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn changed_latches_are_not_proven() {
    let rtl = generate(&latched(PeConfig::pair("axp_small", 2))).unwrap();
    for (module, from, to) in [
        ("axp_row_storage_latch", "key_o <= key_held_i", "key_o <= key_i"),
        ("axp_row_storage_latch", "always @* if (clk_gated)", "always @* if (clk_i)"),
        ("axp_row_storage_latch", "always @* if (clk_gated)", "always @* if (!clk_gated)"),
        ("axp_row_storage_latch", ".en_i(en_i)", ".en_i(1'b1)"),
        ("axp_row_storage_latch", "always @(posedge clk_gated)", "always @(negedge clk_gated)"),
        ("axp_pair_am", ".en_i(row_we_i)", ".en_i(row_0_we_i)"),
        ("axp_pair_am", ".care_i(row_care_i)", ".care_i(row_key_i)"),
    ] {
        let error = prove_gating(&mutant(&rtl, module, from, to), &RUN).unwrap_err();
        assert!(matches!(error, EquivalenceError::NotProven { .. }), "{module}: {error}");
    }
}

/// `rtl` with one text in one module replaced.
fn mutant(rtl: &Rtl, module: &str, from: &str, to: &str) -> Rtl {
    let mut rtl = rtl.clone();
    let module = rtl.modules.iter_mut().find(|m| m.name.starts_with(module)).unwrap();
    assert!(module.text.contains(from), "{} has no {from:?}:\n{}", module.name, module.text);
    module.text = module.text.replacen(from, to, 1);
    rtl
}

/// The text of `module` is found to mean something else after the change, for
/// this reason.
fn refuted(rtl: &Rtl, module: &str, from: &str, to: &str, reason: &str) {
    let rtl = mutant(rtl, module, from, to);
    let changed = rtl.modules.iter().find(|m| m.name.starts_with(module)).unwrap();
    match prove_module(&rtl, changed, &RUN) {
        Err(EquivalenceError::NotProven { module: name, log }) => {
            assert!(name == changed.name && log.contains(reason), "{name} has no {reason:?}: {log}");
            // By a counterexample, or by an induction that fails.
            let end = if reason.contains("differs") { "proof did fail" } else { "unproven $equiv cells" };
            assert!(log.contains(end), "{name}: {log}");
        }
        other => panic!("{module}: {from} -> {to}: {other:?}"),
    }
}

#[test]
fn a_changed_operator_is_not_proven() {
    let rtl = generate(&PeConfig::pair("axp_small", 2)).unwrap();
    for (module, from, to, reason) in [
        ("axp_accumulate_align", "~swap_i & there", "swap_i & there", "aligned_o differs"),
        ("axp_accumulate_round", "negative_i | (guard", "negative_i & (guard", "significand_o differs"),
        ("axp_accumulate_near", "gated[25:0] ^", "gated[25:0] |", "value_i differs"),
        ("axp_accumulate_order", "forced = zero_i | restart_i", "forced = zero_i & restart_i", "differs"),
        ("axp_fp_mul", "a_normal & b_normal", "a_normal | b_normal", "value_i differs"),
        ("axp_full_adders", "^", "&", "sum_o differs"),
        ("axp_dadda", "~a_i", "a_i", "differs"),
        ("axp_am_row", "valid_q_o & ~(|differs)", "valid_q_o | ~(|differs)", "match_o differs"),
        ("axp_pair_am", "== 1'b1", "!= 1'b1", "we_i differs"),
        ("axp_pair_am", "below_1 = ~select_0", "below_1 = select_0", "select_i differs"),
        ("axp_leading_zeros", "value_i[23] | value_i[22]", "value_i[23] & value_i[22]", "count_o differs"),
        ("axp_output_buffer", "out_ready_i | ~occupied", "out_ready_i", "en_i differs"),
        ("axp_flags_arst_w3", "if (en_i)", "if (!en_i)", "Unproven $equiv"),
        ("axp_flags_arst_w3", "posedge clk_i", "negedge clk_i", "Unproven $equiv"),
        ("axp_flags_arst_w3", "3'd0", "3'd1", "Unproven $equiv"),
        ("axp_gated_reg_arst_w32", "if (en_i)", "if (!en_i)", "Unproven $equiv"),
        // A connection of an instance, not an operator.
        ("axp_small", "multiplied, last, first}", "multiplied, first, last}", "d_i differs"),
        ("axp_small", "flags_move | finished", "flags_move & finished", "en_i differs"),
    ] {
        refuted(&rtl, module, from, to, reason);
    }
}

#[test]
fn a_changed_factored_memory_is_not_proven() {
    let rtl = generate(&PeConfig::factored("axp_small", 3, 1)).unwrap();
    for (module, from, to, reason) in [
        ("axp_factored_am", "column_i == 2'b01", "column_i == 2'b11", "select_i differs"),
        (
            "axp_factored_am",
            "weight_normal & activation_normal",
            "weight_normal | activation_normal",
            "select_i differs",
        ),
        ("axp_factored_am", "column_1 & prefix_0", "column_1 & prefix_1", "select_i differs"),
        ("axp_factored_am", "word[23], carry_none}", "carry_none, word[23]}", "differs"),
        ("axp_factored_am", "exponent_sum[9:7] == 3'b010", "exponent_sum[9:7] == 3'b011", "differs"),
        ("axp_factored_am", "weight_i[31] ^ activation_i[31]", "weight_i[31] | activation_i[31]", "product_o differs"),
        ("axp_am_row_factored", "select_i & valid_q_o", "select_i | valid_q_o", "word_o differs"),
        ("axp_row_storage_product", "if (en_i)", "if (!en_i)", "Unproven $equiv"),
    ] {
        refuted(&rtl, module, from, to, reason);
    }
}

#[test]
fn a_changed_booth_tree_is_not_proven() {
    let config = FpuConfig::new(FpuOperation::Mul, FloatFormat::Binary32, Rounding::NearestEven);
    let rtl = fpu::generate(&FpuConfig { multiplier: MultiplierStyle::Booth, ..config }).unwrap();
    for (from, to, reason) in [
        ("assign row_1 = b_i[3] ?", "assign row_1 = b_i[2] ?", "differs"),
        ("~b_i[3] & b_i[2] & b_i[1]", "~b_i[3] & b_i[2] | b_i[1]", "differs"),
        // Wires from a child to an output, and nothing else: only that output differs.
        ("stage_5_lane_0_carry_o[42:0]", "stage_5_lane_0_carry_o[43:1]", "sum_o differs"),
    ] {
        refuted(&rtl, "axp_booth_w24", from, to, reason);
    }
}

/// Some register of the element would not be enabled, or not be clocked, after the change.
fn refused_enables(rtl: &Rtl, from: &str, to: &str) {
    match prove_gating(&mutant(rtl, "axp_small", from, to), &RUN) {
        Err(EquivalenceError::NotProven { module, .. }) => assert_eq!(module, "axp_small", "{from:?}"),
        other => panic!("{from:?} -> {to:?}: {other:?}"),
    }
}

#[test]
fn a_changed_gate_is_not_proven() {
    let rtl = generate(&PeConfig { reset: ResetStyle::Sync, ..PeConfig::pair("axp_small", 2) }).unwrap();
    for (module, from, to) in [
        ("axp_gated_reg", ".en_i(en_i)", ".en_i(~en_i)"),
        ("axp_gated_reg", ".clk_i(clk_i)", ".clk_i(~clk_i)"),
        ("axp_gated_reg_srst", "en_i | ~rst_ni", "en_i"),
        ("axp_gated_reg_srst", "@(posedge clk_gated)", "@(posedge clk_gated or negedge rst_ni)"),
        ("axp_clock_gate", "if (!clk_i)", "if (clk_i)"),
        ("axp_clock_gate", "clk_i & en_latched", "clk_i | en_latched"),
        // A branch that rests always, or while something on it is to load or to be reset.
        ("axp_clock_branch", ".en_i(en_i)", ".en_i(1'b0)"),
        ("axp_pair_am", "row_clock_en_i = row_we_i | ", "row_clock_en_i = "),
        ("axp_pair_am", "row_we_i | ~rst_ni", "row_we_i"),
        ("axp_pair_am", "row_1_we_i = row_we_i & ", "row_1_we_i = "),
        // The branch of the PE rests while flags move, or while a result is handed over.
        ("axp_small", "wakes = flags_move | ", "wakes = "),
        ("axp_small", " | out_valid_o | ~run", " | ~run"),
        ("axp_small", " | out_valid_o | ~run", " | out_valid_o"),
        ("axp_small", "wakes | ~rst_ni", "wakes"),
        // Flags that would change while no cause is high.
        ("axp_small", "restarts, ", ""),
        ("axp_small", "multiplied, last, first});", "multiplied, last});"),
        ("axp_small", "sum_last_q_o, ", ""),
    ] {
        let error = prove_gating(&mutant(&rtl, module, from, to), &RUN).unwrap_err();
        assert!(matches!(error, EquivalenceError::NotProven { .. }), "{module}: {error}");
    }
    // The same of a fixed-point sum: its limits, its end, and a sum without a product.
    let accumulator = Accumulator::Fixed { width: 24, product_width: 9 };
    let rtl = generate(&PeConfig { accumulator, ..PeConfig::factored("axp_small", 2, 1) }).unwrap();
    for cause in ["stored_out, ", "accumulator_word[24], ", "converting_q_o, ", "ended_q_o, "] {
        refused_enables(&rtl, cause, "");
    }
    refused_enables(&rtl, "ended_q_o, fresh,", "ended_q_o,");
}

#[test]
fn a_module_without_a_counterpart_is_an_error() {
    let mut rtl = generate(&PeConfig::pair("axp_small", 2)).unwrap();
    rtl.stock = rtl.stock.replace("module top$adder(", "module top$other(");
    let error = prove(&rtl, &RUN).unwrap_err().to_string();
    assert_eq!(error, "module axp_accumulate_sum_fp32: no module top$adder in rust-hdl's own Verilog");

    // One instance of a shared module that differs from the others.
    let mut rtl = generate(&PeConfig::pair("axp_small", 2)).unwrap();
    let start = rtl.stock.find("module top$memory$row_1(").unwrap();
    let changed = rtl.stock[start..].replacen("&", "|", 1);
    rtl.stock.replace_range(start.., &changed);
    let error = prove(&rtl, &RUN).unwrap_err().to_string();
    assert!(error.contains("differ, which are one module in ours"), "{error}");
}

//! The named configurations: those whose Verilog stands in `generated/`.

use axp_spec::{Accumulator, FloatFormat, PeConfig, ResetStyle};

/// All named configurations. Their folders are regenerated and compared by a
/// test, so an entry here is a promise that the files fit the generator.
pub fn all() -> Vec<PeConfig> {
    vec![
        // As small as is useful: FPGAs, first steps.
        PeConfig::pair("axp_pe_pair_r32", 32),
        // The most rows a layer may use in co-design, for flows without asynchronous reset.
        PeConfig { reset: ResetStyle::Sync, ..PeConfig::pair("axp_pe_pair_r128_sync", 128) },
        // Every pipeline cut: for a fast clock, results 5 cycles later.
        PeConfig { multiplier_stages: 2, adder_stages: 1, ..PeConfig::pair("axp_pe_pair_r32_pipelined", 32) },
        // A narrow format.
        PeConfig { format: FloatFormat::Bfloat16, ..PeConfig::pair("axp_pe_pair_r16_bf16", 16) },
        // 32 weights of both signs and 3 mantissa bits, which leave an error of up to 1/16; words
        // of 12 bits add 1/4096 to it, and take half the storage of whole ones.
        PeConfig {
            accumulator: Accumulator::Fixed { width: 24, product_width: 12 },
            ..PeConfig::factored("axp_pe_factored_m3k32_fixed24", 16, 3)
        },
    ]
}

//! The named configurations: those whose Verilog stands in `generated/`.

use axp_spec::{PeConfig, ResetStyle};

/// All named configurations. Their folders are regenerated and compared by a
/// test, so an entry here is a promise that the files fit the generator.
pub fn all() -> Vec<PeConfig> {
    vec![
        // As small as is useful: FPGAs, first steps.
        PeConfig::pair("axp_pe_pair_r32", 32),
        // The most rows a layer may use in co-design, for flows without asynchronous reset.
        PeConfig { reset: ResetStyle::Sync, ..PeConfig::pair("axp_pe_pair_r128_sync", 128) },
    ]
}

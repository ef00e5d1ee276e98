//! Proves the netlists of the baselines, and of generated processing elements, module by module.
use axp_spec::PeConfig;
use axp_testbench::energy::Baseline;
use axp_testbench::energy::gates::Gates;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let library = CellLibrary::read(Path::new(arguments.get(1).map_or(OSU018, String::as_str)))?;
    let cancel = AtomicBool::new(false);
    let cache = std::env::temp_dir().join("axp-proof");
    for name in arguments[0].split(',') {
        let config = match Baseline::of_name(name) {
            Some(baseline) => baseline.contender().config,
            None => match name.strip_prefix("pair") {
                Some(rows) => PeConfig::pair("axp_pe_pair", rows.parse()?),
                None => axp_hdl::named::all().into_iter().find(|c| c.name.contains(name)).ok_or("no such name")?,
            },
        };
        let begin = Instant::now();
        let gates = Gates::make(name, &config, &library, Some(&cache), &cancel)?;
        println!("{name}: made in {:.1} s, {}", begin.elapsed().as_secs_f64(), gates.netlist.recipe);
        let begin = Instant::now();
        let checks = gates.check(name, &library, None, &cancel)?;
        println!("{name}: {:.1} s", begin.elapsed().as_secs_f64());
        for check in checks {
            println!("  {check:?}");
        }
    }
    Ok(())
}

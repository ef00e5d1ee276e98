//! Proves netlists of processing elements equivalent to their Verilog, module by module.
//!
//! ```text
//! cargo run --release -p axp-testbench --example netlist_proof -- NAME,NAME,... [LIBERTY]
//! ```
//!
//! A name is one of a baseline (`fp32`), `pair` and a number of rows (`pair16`), `frozen`
//! (a factored memory of 8 columns and 8 prefixes with two layers of arbitrary products,
//! weights by index, 24-bit sums), or part of the name of a generated configuration.
//! Without a library: osu018. Netlists are kept in the temporary folder, proofs are not.

use axp_spec::{
    Accumulator, AmImage, AmRow, Bits32, Content, FactoredConfig, FloatFormat, LayerMemory, PeConfig, WeightOperand,
};
use axp_testbench::energy::Baseline;
use axp_testbench::energy::gates::Gates;
use axp_testbench::equivalence::netlist::NetlistCheck;
use axp_testbench::synth::liberty::{CellLibrary, OSU018};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let names = arguments.next().unwrap_or_else(|| "fp32".to_owned());
    let library = CellLibrary::read(Path::new(&arguments.next().unwrap_or_else(|| OSU018.to_owned())))?;
    let (cancel, cache) = (AtomicBool::new(false), std::env::temp_dir().join("axp-netlist-proof"));
    for name in names.split(',') {
        let begin = Instant::now();
        let mut gates = Gates::make(name, &config(name)?, &library, None, Some(&cache), &cancel)?;
        let made = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        gates.check(name, &library, None, &cancel)?;
        let (ge, proven) = (gates.netlist.ge, begin.elapsed().as_secs_f64());
        println!("{name} on {}: {ge:.0} GE, made in {made:.1} s, proven in {proven:.1} s", library.name);
        for NetlistCheck { module, instances, how, bits, seconds, reason } in &gates.checks {
            let reason = reason.as_deref().unwrap_or_default();
            println!("  {module:<40} {instances:>4} {how:?} {bits:>6} bits {seconds:>5.1} s {reason}");
        }
    }
    Ok(())
}

fn config(name: &str) -> Result<PeConfig, Box<dyn Error>> {
    if let Some(baseline) = Baseline::of_name(name) {
        return Ok(baseline.contender().config);
    }
    if let Some(rows) = name.strip_prefix("pair") {
        return Ok(PeConfig::pair("axp_pe_pair", rows.parse()?));
    }
    if name == "frozen" {
        return Ok(frozen());
    }
    let named = axp_hdl::named::all().into_iter().find(|config| config.name.contains(name));
    Ok(named.ok_or_else(|| format!("there is no processing element called {name}"))?)
}

/// As `axp build --memory factored --accumulator fixed --index --frozen` makes it.
fn frozen() -> PeConfig {
    let (format, shape) = (FloatFormat::Binary32, FactoredConfig { columns: 8, mantissa_bits: 3 });
    let accumulator = Accumulator::Fixed { width: 24, product_width: 9 };
    let mut config = PeConfig { accumulator, ..PeConfig::factored("axp_pe_frozen", 8, 3) };
    let layer = |number: u32| {
        let magnitudes: Vec<Bits32> =
            (0..8).map(|id| Bits32(0x3D80_0000 + number * 0x12_3456 + id * 0x2B_4D6F)).collect();
        let row = |(column, prefix): (u32, u32)| {
            let magnitude = magnitudes.get(column as usize).map_or(0, |magnitude| magnitude.0);
            let (middle, word) =
                (prefix << 20 | 1 << 19, (column * 77 + prefix * 131 + number * 29) % (1 << config.product_bits()));
            AmRow { key: shape.key(format, column, magnitude, middle), care: shape.care(format), product: Bits32(word) }
        };
        let rows = (0..8).flat_map(|column| (0..8).map(move |prefix| (column, prefix))).map(row).collect();
        LayerMemory { range: 130 + number, magnitudes: magnitudes.clone(), am: AmImage { rows } }
    };
    let layers = vec![layer(0), layer(1)];
    if let Some(am) = &mut config.am {
        am.weight = WeightOperand::Index;
        am.content = Content::Frozen { layers };
    }
    config
}

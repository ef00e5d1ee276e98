//! Writes the Verilog of an arithmetic unit: `fpu '<JSON of FpuConfig>' folder`.
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, config, folder] = args.as_slice() else { return Err("usage: fpu CONFIGURATION FOLDER".into()) };
    let rtl = axp_hdl::fpu::generate(&serde_json::from_str(config)?)?;
    for module in &rtl.modules {
        std::fs::write(std::path::Path::new(folder).join(module.file()), &module.text)?;
    }
    println!("{}", rtl.top);
    Ok(())
}

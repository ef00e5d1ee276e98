//! Writes the named configurations in `generated/` anew:
//! `cargo run --release -p axp-hdl --example regenerate`.

use axp_hdl::{generate, named, package};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../generated");
    for config in named::all() {
        let dir = root.join(&config.name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        package::write(&generate(&config)?, &dir)?;
        println!("generated/{}", config.name);
    }
    Ok(())
}

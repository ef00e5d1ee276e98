//! Measures the replay on a made-up layer: MACs a second, comparison included.
//!
//! ```text
//! cargo run --release -p axp-testbench --example replay_speed -- [ROWS] [MACS]
//! ```

use axp_golden::am::Am;
use axp_golden::{float, pe};
use axp_spec::{AmImage, AmRow, Bits32, FloatFormat, LayerMemory, PeConfig};
use axp_testbench::dut::Body;
use axp_testbench::replay::{LayerTrace, ReplayOptions, SumTrace, replay};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::error::Error;
use std::sync::atomic::AtomicBool;

/// Pairs of one sum: a 3 x 3 kernel over 64 channels.
const PAIRS: usize = 576;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next().map_or(Ok(128), |text| text.parse())?;
    let macs: usize = arguments.next().map_or(Ok(5_000_000), |text| text.parse())?;
    let config = PeConfig::pair("axp_pe_speed", rows);
    let rtl = axp_hdl::generate(&config)?;
    let mut am = Am::new(&config);
    let image = image(rows);
    am.load(&image)?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let sums: Vec<SumTrace> = (0..macs.div_ceil(PAIRS))
        .map(|index| {
            let operands: Vec<(u32, u32)> = (0..PAIRS).map(|_| operand(&mut random)).collect();
            let element = pe::sum(&config, &am, false, operands.iter().copied()).data;
            SumTrace { index, operands, epilogue: pe::Epilogue::default(), element }
        })
        .collect();
    let layer = LayerTrace {
        name: "synthetic".into(),
        number: 0,
        memory: LayerMemory { am: image, ..LayerMemory::default() },
        zero_skip: false,
        sums: Box::new(|| Box::new(sums.iter().cloned())),
    };
    let folder = tempfile::tempdir()?;
    let mut options = ReplayOptions::in_folder(folder.path());
    for body in [Body::Gated, Body::ClockEnable] {
        options.body = body;
        // The simulator is built in the first run; its time does not count.
        for _ in 0..3 {
            let found = replay(&rtl, std::slice::from_ref(&layer), &options, &|_| {}, &AtomicBool::new(false))?;
            if let Some(mismatch) = found.first_mismatch {
                return Err(mismatch.into());
            }
            println!(
                "{rows} rows, {body:?}: {} MACs in {} cycles, {:.2} s, {:.2} M MACs/s, every output compared",
                found.macs,
                found.cycles,
                found.seconds,
                found.macs as f64 / found.seconds / 1e6
            );
        }
    }
    Ok(())
}

/// Sixteen weights, and activations of 16 bits of significand, a third of them 0.
fn operand(random: &mut Xoshiro256PlusPlus) -> (u32, u32) {
    let bits = random.next_u64();
    (weight(bits as usize % 16), if bits >> 8 & 3 == 0 { 0 } else { activation((bits >> 32) as u32) })
}

fn weight(id: usize) -> u32 {
    ((id as f32 - 7.5) / 8.0).to_bits()
}

fn activation(random: u32) -> u32 {
    0x3F00_0000 | random & 0x00FF_FF80
}

/// Rows that compare the weight and the top five bits of the significand.
fn image(rows: usize) -> AmImage {
    let care = FloatFormat::Binary32.key_of(u32::MAX, 0xFFFC_0000);
    let rows = (0..rows as u32).map(|row| {
        let weight = weight(row as usize % 16);
        let activation = 0x3F00_0000 | (row / 16) << 18;
        let product = float::mul(FloatFormat::Binary32, weight.into(), (activation | 1 << 17).into()).bits;
        AmRow { key: FloatFormat::Binary32.key_of(weight, activation) & care, care, product: Bits32(product as u32) }
    });
    AmImage { rows: rows.collect() }
}

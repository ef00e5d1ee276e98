//! Estimates from the table that comes with the program, and activities by hand.

use super::*;
use crate::energy::{Baseline, Contender, LayerWindow};
use axp_spec::{Accumulator, AmImage, AmRow, Bits32, FloatFormat, LayerMemory, PeConfig, Storage};

fn pair(weight: f32, activation: f32) -> (u32, u32) {
    (weight.to_bits(), activation.to_bits())
}

#[test]
fn activities_are_counted_by_hand() {
    let sums = vec![vec![pair(1.0, 1.0), pair(1.0, 0.0), pair(-1.0, 1.0), pair(1.0, 2.0)]];
    let row = AmRow {
        key: FloatFormat::Binary32.key_of(1.0_f32.to_bits(), 1.0_f32.to_bits()),
        care: u64::MAX,
        product: Bits32(1.0_f32.to_bits()),
    };
    let memory = LayerMemory { am: AmImage { rows: vec![row] }, ..LayerMemory::default() };
    let window = LayerWindow { name: "a".into(), macs: 4, sums, memory, ..LayerWindow::default() };
    let skipping = Contender::design(&PeConfig::pair("axp_pe", 2), true);
    let found = Activity::of(&skipping, &window, 0).unwrap();
    let expected = Activity {
        hits: 0.25,
        misses: 0.5,
        // The first one of all, and the one after the zero.
        starts: 0.5,
        // The first one, two misses, and one of them is the last.
        awake: 1.0,
        // 1.0 is 3F800000 and 2.0 is 40000000: seven bits to 0.0, as many back and a sign, eight
        // to 2.0 and the sign.
        bus_bits: 24.0 / 4.0,
        // All in column 0; 1.0, 0.0, 1.0 and 2.0.
        column_changes: 0.0,
        prefix_changes: 3.0 / 4.0,
        key_bits: 0.0,
        operand_bits: 9.0 / 4.0,
        // 1, -1, 2 and sums of 1, 0, 2.
        product_bits: 10.0 / 4.0,
        // 1, 1 and 2; the middle one is negative.
        magnitude_bits: 8.0 / 4.0,
        sign_flips: 2.0 / 4.0,
        sum_bits: 8.0 / 4.0,
        // 1 to nothing, 1 from 1, 2 to nothing.
        order_changes: 2.0 / 4.0,
        near: 1.0 / 4.0,
    };
    assert_eq!(found, expected);
    let all = Activity::of(&Contender::design(&PeConfig::plain("axp_pe"), false), &window, 0).unwrap();
    assert_eq!((all.hits, all.misses, all.starts), (0.0, 1.0, 0.25));
    // Three cycles from the first one on, and the last one.
    let long = LayerWindow { sums: vec![vec![pair(1.0, 1.0); 8]], ..window.clone() };
    assert_eq!(Activity::of(&skipping, &long, 0).unwrap().awake, 0.5);
    let fixed = Activity::of(&Baseline::FixedZeroSkip.contender(), &window, 0).unwrap();
    assert_eq!((fixed.misses, fixed.hits), (0.75, 0.0));
    assert!(fixed.sum_bits > 0.0 && fixed.sum_bits < 24.0);
}

#[test]
fn the_bundled_table_covers_all_components_of_its_libraries() {
    let table = EnergyTable::bundled().unwrap();
    let mut libraries: Vec<&str> = table.rows.iter().map(|row| row.library_sha256.as_str()).collect();
    libraries.dedup();
    assert!(table.rows.iter().any(|row| row.library == "osu018_stdcells"), "the default library");
    for library in libraries {
        for component in Component::ALL {
            let row = table.row(library, component);
            let row = row.unwrap_or_else(|| panic!("{} has no row", component.name()));
            assert!(row.pj.values().all(|pj| *pj >= 0.0 && pj.is_finite()), "{row:?}");
            assert!(row.pj.values().sum::<f64>() > 0.0 && row.layers > 0, "{row:?}");
        }
    }
    // And all terms that these go with.
    let accumulator = Accumulator::Fixed { width: 24, product_width: 9 };
    let memories = [PeConfig::pair("a", 4), PeConfig::grid("a", 3, 2), PeConfig::factored("a", 2, 1)];
    let fixed = memories.clone().map(|config| PeConfig { accumulator, ..config });
    for config in memories.iter().chain(&fixed) {
        for component in Component::of(config).into_iter().filter(|component| *component != Component::Reload) {
            for (term, _) in component.terms(config, &Activity::default()) {
                for row in table.rows.iter().filter(|row| row.component == component) {
                    assert!(row.pj.contains_key(term), "{} has no {term}: scripts/energy_table.sh", component.name());
                }
            }
        }
    }
    assert_eq!(EnergyTable::from_json(&table.to_json()).unwrap(), table);
    assert!(EnergyTable::from_json("{\"rows\": 3}").is_err());
}

#[test]
fn more_work_is_more_energy_and_what_is_not_covered_has_no_estimate() {
    let table = EnergyTable::bundled().unwrap();
    let library = table.rows[0].library_sha256.as_str();
    let plain = PeConfig::plain("axp_pe");
    let busy = Activity { misses: 1.0, operand_bits: 20.0, product_bits: 14.0, sum_bits: 12.0, ..Activity::default() };
    let idle = Activity { misses: 0.1, operand_bits: 2.0, product_bits: 1.4, sum_bits: 1.2, ..Activity::default() };
    let pj = |layers: &[(u64, Activity)]| table.estimate(library, &plain, layers).unwrap().pj_per_mac;
    let (most, least, mixed) = (pj(&[(10, busy)]), pj(&[(7, idle)]), pj(&[(30, busy), (10, idle)]));
    assert!(least < most / 3.0 && (mixed - (0.75 * most + 0.25 * least)).abs() < 1e-9 * most, "{least} {mixed} {most}");
    let narrow = Baseline::Bf16.contender().config;
    let wide = PeConfig { accumulator: Accumulator::Fixed { width: 60, product_width: 32 }, ..plain.clone() };
    let mut latches = PeConfig::pair("axp_pe", 4);
    assert!(table.estimate(library, &latches, &[(1, busy)]).is_some());
    latches.am.iter_mut().for_each(|am| am.storage = Storage::Latches);
    for config in [narrow, wide, latches, PeConfig { adder_stages: 1, ..plain.clone() }] {
        assert_eq!(table.estimate(library, &config, &[(1, busy)]), None);
    }
    assert_eq!(table.estimate("another library", &plain, &[(1, busy)]), None);
    let mut older = table.clone();
    older.rows.iter_mut().for_each(|row| row.pj.retain(|term, _| term != "operand_bit"));
    assert_eq!(older.estimate(library, &plain, &[(1, busy)]), None);
}

#[test]
fn areas_follow_from_sizes() {
    let plain = PeConfig::plain("axp_pe");
    let table = EnergyTable::bundled().unwrap();
    for row in &table.areas {
        let area = |config: &PeConfig| table.area_ge(&row.library_sha256, config).unwrap();
        let [few, many] = [4, 64].map(|rows| area(&PeConfig::pair("axp_pe", rows)));
        assert!(area(&plain) > 1000.0 && few > area(&plain) && many > 4.0 * few, "{} {few} {many}", row.library);
        let narrow = PeConfig { format: FloatFormat::Binary16, ..plain.clone() };
        assert_eq!(table.area_ge(&row.library_sha256, &narrow), None);
    }
    assert_eq!(table.area_ge("another library", &plain), None);
}

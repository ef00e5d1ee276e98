//! Tests of the configuration.

use super::*;

#[test]
fn names_that_could_become_code_or_a_path_are_refused() {
    for bad in ["", "A", "9a", "a b", "a/b", "..", "a$b", "module", "a\n", "a'", "a__b", "a_", &"a".repeat(49)] {
        let config = PeConfig::pair(bad, 4);
        assert_eq!(config.validate(), Err(PeConfigError::Name(bad.to_owned())), "{bad:?}");
    }
    assert_eq!(PeConfig::pair("axp_pe_pair_r32", 32).validate(), Ok(()));
}

#[test]
fn sizes_are_bounded() {
    assert_eq!(PeConfig::pair("a", 0).validate(), Err(PeConfigError::Rows(0)));
    assert_eq!(PeConfig::pair("a", 1025).validate(), Err(PeConfigError::Rows(1025)));
    let widths: Vec<u32> =
        [1, 2, 3, 4, 5, 128, 129].iter().map(|r| PeConfig::pair("a", *r).row_address_bits()).collect();
    assert_eq!(widths, [1, 1, 2, 2, 3, 7, 8]);
}

#[test]
fn accumulators_are_bounded_and_their_range_fits_the_port() {
    let fixed = |width, product_width| PeConfig {
        accumulator: Accumulator::Fixed { width, product_width },
        ..PeConfig::plain("a")
    };
    assert_eq!(fixed(24, 18).validate(), Ok(()));
    assert_eq!(fixed(7, 2).validate(), Err(PeConfigError::AccumulatorWidth { width: 7 }));
    assert_eq!(fixed(65, 2).validate(), Err(PeConfigError::AccumulatorWidth { width: 65 }));
    assert_eq!(fixed(24, 25).validate(), Err(PeConfigError::ProductWidth { product_width: 25, most: 24 }));
    assert_eq!(fixed(40, 33).validate(), Err(PeConfigError::ProductWidth { product_width: 33, most: 32 }));
    let cut = PeConfig { adder_stages: 1, ..fixed(24, 18) };
    assert!(matches!(cut.validate(), Err(PeConfigError::Stages { most: 0, .. })));
    // Sums below 2^(127 + 1 - 127) = 2 in 24 bits: the last bit is 2^-22.
    assert_eq!(fixed(24, 18).accumulator_format(127), Some(FixedFormat { width: 24, last_bit: -22 }));
    assert_eq!(fixed(24, 18).latency(), 5);
    let float = |adder_stages| PeConfig { adder_stages, ..PeConfig::plain("a") };
    assert_eq!([0, 1].map(|stages| float(stages).latency()), [4, 6]);
    for format in FloatFormat::ALL {
        for width in [FixedFormat::MIN_ACCUMULATOR, FixedFormat::MAX_WIDTH] {
            let config = PeConfig { format, ..fixed(width, 2) };
            for range in [0, u32::MAX] {
                let last_bit = config.accumulator_format(range).unwrap().last_bit;
                assert!((FixedFormat::MIN_LAST_BIT..=FixedFormat::MAX_LAST_BIT).contains(&last_bit), "{last_bit}");
            }
        }
    }
}

#[test]
fn a_misspelt_field_is_an_error() {
    let mut json = serde_json::to_value(PeConfig::pair("a", 4)).unwrap();
    json["zeroskip"] = true.into();
    assert!(serde_json::from_value::<PeConfig>(json).is_err());
}

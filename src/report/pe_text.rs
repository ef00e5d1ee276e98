//! A processing element in one line.

use axp_spec::{Accumulator, Organisation, PeConfig, Storage};

/// What a PE is made of, for a person.
pub fn describe(pe: &PeConfig) -> String {
    let memory = match pe.organisation() {
        None => "no memory".to_owned(),
        Some(Organisation::Pair) => format!("{} ternary rows keyed by {{weight, activation}}", pe.rows()),
        Some(Organisation::Grid(shape)) => format!(
            "{} ternary patterns of the activation with products of {} weight magnitudes",
            shape.patterns, shape.columns
        ),
        Some(Organisation::Factored(shape)) => format!(
            "products of {} weight significands with {} activation prefixes",
            shape.columns,
            1_u64 << shape.mantissa_bits
        ),
    };
    let content = match (pe.is_frozen(), pe.storage()) {
        (true, _) => format!(", {} layers built in", pe.frozen_layers().len()),
        (false, Storage::Latches) => ", in latches".to_owned(),
        (false, Storage::Flops) => String::new(),
    };
    let weights = if pe.has_codebook() { ", weights by index" } else { "" };
    let sum = match pe.accumulator {
        Accumulator::Float => match pe.am.as_ref().and_then(|am| am.product_bits) {
            Some(bits) => format!("{} sums, {bits}-bit stored products", pe.format),
            None => format!("{} sums", pe.format),
        },
        Accumulator::Fixed { width, product_width } => {
            format!("{width}-bit fixed-point sums, {product_width}-bit stored products")
        }
    };
    format!("{memory}{content}{weights}, {sum}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_memory_has_its_words() {
        assert!(describe(&PeConfig::pair("a", 7)).starts_with("7 ternary rows"));
        let fixed = Accumulator::Fixed { width: 24, product_width: 9 };
        let text = describe(&PeConfig { accumulator: fixed, ..PeConfig::factored("a", 8, 2) });
        let expected = "products of 8 weight significands with 4 activation prefixes, 24-bit fixed-point sums, \
                        9-bit stored products";
        assert_eq!(text, expected);
        assert!(describe(&PeConfig::grid("a", 5, 8)).contains("5 ternary patterns"));
    }
}

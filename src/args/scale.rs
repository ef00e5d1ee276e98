//! The scale of uint8 samples on the command line.

use axp_golden::net::ByteScale;

/// `SCALE` or `SCALE,OFFSET`, each a number or a fraction of two.
///
/// # Errors
/// Anything else, and a scale of 0.
pub fn parse_scale(text: &str) -> Result<ByteScale, String> {
    let (scale, offset) = text.split_once(',').unwrap_or((text, "0"));
    let found = number(scale).zip(number(offset)).map(|(scale, offset)| ByteScale { scale, offset });
    // Samples of one value each would say nothing.
    found
        .filter(|found| found.scale != 0.0)
        .ok_or_else(|| "write a scale, such as 1/255 or 0.5, or with an offset, such as 2/255,-1".to_owned())
}

fn number(text: &str) -> Option<f32> {
    let one = |text: &str| text.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        Some((above, below)) => one(above)? / one(below)?,
        None => one(text)?,
    };
    // Rounded once.
    let value = value as f32;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_numbers_or_fractions() {
        let scale = |scale, offset| Ok(ByteScale { scale, offset });
        assert_eq!(parse_scale("1/255"), scale(1.0 / 255.0, 0.0));
        assert_eq!(parse_scale("2/255,-1"), scale(2.0 / 255.0, -1.0));
        assert_eq!(parse_scale(" 0.5 , 1/4"), scale(0.5, 0.25));
        for bad in ["", "0", "1/0", "a", "1,b", "inf", "nan,0", "1e39", "1/2/3", "1,2,3"] {
            assert!(parse_scale(bad).is_err(), "{bad}");
        }
    }
}

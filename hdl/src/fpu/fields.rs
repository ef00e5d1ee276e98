//! An operand taken apart.

use crate::circuit::{Circuit, Value, concat};
use axp_spec::FloatFormat;

/// The fields of an operand, and what kind of number it is.
pub(super) struct Operand {
    pub sign: Value,
    pub fraction: Value,
    /// Not zero, not subnormal; also set for infinities and NaNs.
    pub normal: Value,
    /// Fraction with the leading bit above it.
    pub significand: Value,
    /// Biased exponent that subnormals share with the least normal numbers.
    pub scale: Value,
    pub nan: Value,
    /// A NaN whose quiet bit is clear; none in a format without infinities, and
    /// none without flags.
    pub signaling: Option<Value>,
    /// None in a format without infinities.
    pub infinite: Option<Value>,
}

/// Takes `value`, an encoding in `format`, apart into nets that begin with
/// `name`; whether a NaN signals matters only where there are flags.
pub(super) fn unpack(c: &mut Circuit, format: FloatFormat, name: &str, value: &Value, flags: bool) -> Operand {
    let (e, f) = (format.exponent_bits(), format.fraction_bits());
    let mut net =
        |part: &str, value: Value, doc: &str| c.net(&format!("{name}_{part}"), value, &doc.replace('@', name));
    let sign = value.top();
    let exponent = net("exponent", value.slice(f, e), "exponent field of @");
    let fraction = net("fraction", value.slice(0, f), "fraction field of @");
    let normal = net("normal", exponent.any(), "leading bit of @");
    let subnormal = net("subnormal", !&normal, "@ is zero or subnormal");
    let last = net("scale_lsb", exponent.bit(0) | &subnormal, "lowest bit of the biased exponent of @, 1 if subnormal");
    let significand = concat(&[&normal, &fraction]);
    let scale = concat(&[&exponent.slice(1, e - 1), &last]);
    let ones = net("ones", exponent.all(), "all exponent bits of @ are set");
    if !format.has_infinity() {
        let nan = net("nan", &ones & fraction.all(), "@ is a NaN");
        return Operand { sign, fraction, normal, significand, scale, nan, signaling: None, infinite: None };
    }
    let some = net("fraction_any", fraction.any(), "some fraction bit of @ is set");
    let nan = net("nan", &ones & &some, "@ is a NaN");
    let infinite = net("infinite", &ones & !&some, "@ is infinite");
    let signaling = flags.then(|| net("signaling", &nan & !fraction.top(), "@ is a signalling NaN"));
    Operand { sign, fraction, normal, significand, scale, nan, signaling, infinite: Some(infinite) }
}

/// The OR of those that there are.
pub(super) fn either(a: &Option<Value>, b: &Option<Value>) -> Option<Value> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a | b),
        (a, b) => a.clone().or_else(|| b.clone()),
    }
}

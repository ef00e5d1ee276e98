//! What kind of number a searched operand is.

use crate::circuit::{Circuit, Value};
use axp_spec::FloatFormat;

/// Whether an operand is an infinity or a NaN.
pub(super) fn special(c: &mut Circuit, format: FloatFormat, name: &str, operand: &Value) -> Value {
    let field = if format.has_infinity() {
        operand.slice(format.fraction_bits(), format.exponent_bits())
    } else {
        operand.slice(0, format.width() - 1)
    };
    c.net(&format!("{name}_special"), field.all(), "infinite or a NaN")
}

/// An operand taken apart; one that is neither zero nor normal is subnormal,
/// infinite or a NaN.
pub(super) struct Operand {
    pub sign: Value,
    pub exponent: Value,
    pub zero: Value,
    pub normal: Value,
}

/// Takes `operand` apart into nets that begin with `name`.
pub(super) fn classify(c: &mut Circuit, format: FloatFormat, name: &str, operand: &Value) -> Operand {
    let special = special(c, format, name, operand);
    let exponent = operand.slice(format.fraction_bits(), format.exponent_bits());
    let normal = c.net(&format!("{name}_normal"), exponent.any() & !special, "finite, no zero, not subnormal");
    let zero = c.net(&format!("{name}_zero"), operand.slice(0, format.width() - 1).none(), "+-0");
    Operand { sign: operand.top(), exponent, zero, normal }
}

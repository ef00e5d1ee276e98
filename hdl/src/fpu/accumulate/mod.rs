//! The accumulating adder: one floating-point addition a clock, in a loop, with little switching.
//!
//! It computes what the adder of this folder does, but its registers stand behind the
//! addition and not behind the rounding, so that what switches several times a cycle, the
//! sum, ends in registers instead of in the rest of an adder. The next addition begins with
//! normalising and rounding it, from registers.
//!
//! ```text
//!                 ┌────────────── near: leading zeros, shift left ─┐
//!  ┌► round ─┐    │                                                │
//!  │         align┴─► + ── far ────────────────────────────────────┴─┬─► registers ─┐
//!  │ product ┘                                                       │              │
//!  │              product that enters ─► order: exponent, distance ──┘              │
//!  └─────────────────────────────────────────────────────────────────┬──────────────┘
//!                                                                    └─► pack ─► result
//! ```
//!
//! Two paths (P. M. Farmwald, "On the design of high performance digital arithmetic units",
//! thesis, Stanford 1981) with one adder. Far: the sum loses at most one leading bit or has
//! one more, and rounding makes it a significand. Near: exponents differ by at most one and
//! signs differ, so that the sum can lose all of its bits and is exact; leading-zero counter
//! and left shifter rest otherwise. Operands are ordered by their exponents alone, before the
//! clock edge; where these are the same, a difference may be negative, and the incrementer
//! that rounds negates it.
//!
//! S is the width of a significand with its leading bit, E that of an exponent.

mod align;
mod near;
mod order;
mod round;

use crate::circuit::{Circuit, Value, concat, vector};
use axp_spec::FloatFormat;

/// The widths of a format.
struct Shape {
    format: FloatFormat,
    /// S.
    significand: u32,
    /// E.
    exponent: u32,
    /// There are infinities.
    infinite: bool,
}

impl Shape {
    fn of(format: FloatFormat) -> Self {
        let (significand, exponent) = (format.fraction_bits() + 1, format.exponent_bits());
        Self { format, significand, exponent, infinite: format.has_infinity() }
    }

    /// Width of a sum: a carry above the significand; guard, round and sticky bit below.
    fn sum(&self) -> u32 {
        self.significand + 4
    }

    /// Width of the shift of the lesser operand: all ones, nothing is left but the sticky bit.
    fn places(&self) -> u32 {
        (self.significand + 3).next_power_of_two().ilog2()
    }

    /// Width of the shift of what cancels.
    fn count(&self) -> u32 {
        (self.significand + 2).next_power_of_two().ilog2()
    }
}

/// The module of a part.
fn module(shape: &Shape, part: &str, doc: &str) -> Circuit {
    let name = shape.format.name();
    Circuit::new(&format!("axp_accumulate_{part}_{name}"), &format!("accumulating adder, {name}: {doc}"))
}

/// `value` where `enable`, else 0.
fn masked(value: &Value, enable: &Value) -> Value {
    value & vector(&vec![enable.clone(); value.width() as usize])
}

/// A product on its way to the sum.
pub(crate) struct Addend<'a> {
    /// The register of the last one, clocked with `moves` if `enters`.
    pub product: &'a Value,
    /// What is on its way into it.
    pub next: &'a Value,
    /// There is one on its way.
    pub enters: &'a Value,
    /// The sum counts as +0 for it.
    pub restart: &'a Value,
    /// The registers of the sum are clocked.
    pub moves: &'a Value,
}

/// The sum in the registers.
pub(crate) struct Accumulated {
    shape: Shape,
    significand: Value,
    scale: Value,
    sign: Value,
    nan: Value,
    infinite: Option<Value>,
}

/// A sum of products of `format`, rounded to nearest even after each.
///
/// When its registers are clocked, the product in the register is added, once; a product
/// that enters meanwhile is the next one. So a sum is complete one clock after its last
/// product has entered.
///
/// ```text
/// clk       _/‾\_/‾\_/‾\_/‾\_
/// enters    _/‾‾‾‾‾‾‾\_______   a, then b
/// moves     _/‾‾‾‾‾‾‾‾‾‾‾\___
/// product   =====X a X b ====
/// sum       =========X a X a + b
/// ```
pub(crate) fn accumulate(c: &mut Circuit, format: FloatFormat, addend: &Addend<'_>) -> Accumulated {
    let shape = Shape::of(format);
    let (w, s, e, p) = (shape.sum(), shape.significand, shape.exponent, shape.places());
    let special = if shape.infinite { 1 } else { 0 };
    let width = w + e + 5 + special + 1 + p + 3;
    let state = c.forward("accumulator_word", width, "the sum, and how the product is added to it");
    let mut low = width;
    let mut field = |width: u32| {
        low -= width;
        state.slice(low, width)
    };
    let (raw, scale) = (field(w), field(e));
    let [sign, negative, carried, halved, nan] = [(); 5].map(|()| field(1));
    let infinite = shape.infinite.then(|| field(1));
    let (swap, places) = (field(1), field(p));
    let [close, fresh, there] = [(); 3].map(|()| field(1));
    let void = c.net("void", !there, "the product has been added");

    let inputs = [("sum_i", &raw), ("carried_i", &carried), ("halved_i", &halved), ("negative_i", &negative)];
    let significand = c.instance("round", round::rounding(&shape), &inputs).port("significand_o");
    let mut inputs = vec![
        ("significand_i", &significand),
        ("scale_i", &scale),
        ("sign_i", &sign),
        ("nan_i", &nan),
        ("fresh_i", &fresh),
        ("void_i", &void),
        ("product_i", addend.product),
        ("swap_i", &swap),
        ("places_i", &places),
        ("close_i", &close),
    ];
    inputs.extend(infinite.iter().map(|infinite| ("infinite_i", infinite)));
    let aligned = c.instance("align", align::alignment(&shape), &inputs);
    let [major, minor, subtract] = ["major_o", "aligned_o", "subtract_o"].map(|port| aligned.port(port));
    let [near, greater, total_sign] = ["near_o", "scale_o", "sign_o"].map(|port| aligned.port(port));
    let [nan_next, special] =
        ["nan_o", if shape.infinite { "infinite_o" } else { "nan_o" }].map(|port| aligned.port(port));
    let inputs = [("major_i", &major), ("aligned_i", &minor), ("subtract_i", &subtract)];
    let sum = c.instance("adder", near::addition(&shape), &inputs).port("sum_o");
    let inputs = [("sum_i", &sum.slice(2, s + 3)), ("scale_i", &greater), ("near_i", &near)];
    let shifted = c.instance("near_path", near::near_path(&shape), &inputs);
    let [upper, count, zero] = ["sum_o", "count_o", "zero_o"].map(|port| shifted.port(port));
    let inputs = [
        ("top_i", &sum.slice(w - 2, 3)),
        ("scale_i", &greater),
        ("sign_i", &total_sign),
        ("special_i", &special),
        ("subtract_i", &subtract),
        ("near_i", &near),
        ("count_i", &count),
        ("zero_i", &zero),
        ("next_i", &addend.next.slice(s - 1, e)),
        ("enters_i", addend.enters),
        ("restart_i", addend.restart),
    ];
    let order = c.instance("order", order::ordering(&shape), &inputs);
    let [next_scale, next_sign, special] = ["scale_o", "sign_o", "special_o"].map(|port| order.port(port));
    let [carried, halved, swap, places] = ["carried_o", "halved_o", "swap_o", "places_o"].map(|port| order.port(port));
    let close = order.port("close_o");
    let fresh = c.net("fresh_next", addend.enters & addend.restart, "the sum counts as 0 for the product");

    let (negative, low) = (sum.top(), sum.slice(0, 2));
    let mut fields = vec![&upper, &low, &next_scale, &next_sign, &negative, &carried, &halved];
    fields.extend(if shape.infinite { vec![&nan_next, &special] } else { vec![&special] });
    fields.extend([&swap, &places, &close, &fresh, addend.enters]);
    let stored = c.reset_register("accumulator", &concat(&fields), addend.moves);
    c.define(&state, stored);
    Accumulated { shape, significand, scale, sign, nan, infinite }
}

impl Accumulated {
    /// The encoding of the sum, 0 unless `wanted`.
    pub(crate) fn encoding(&self, c: &mut Circuit, wanted: &Value) -> Value {
        let mut inputs = vec![
            ("significand_i", &self.significand),
            ("scale_i", &self.scale),
            ("sign_i", &self.sign),
            ("nan_i", &self.nan),
            ("wanted_i", wanted),
        ];
        inputs.extend(self.infinite.iter().map(|infinite| ("infinite_i", infinite)));
        c.instance("pack", round::packing(&self.shape), &inputs).port("result_o")
    }
}

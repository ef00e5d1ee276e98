//! The pipeline of a PE: search, multiply, add, hand over.

use super::align::Alignment;
use super::control::Token;
use super::output::output_buffer;
use super::ports::{Ports, WeightPort};
use super::search::{Lookup, Search};
use super::seldom::Seldom;
use super::{fixed, sum};
use crate::am::frozen_word;
use crate::circuit::{Circuit, Value, concat, literal, vector};
use crate::fpu;
use axp_spec::{Accumulator, FpuConfig, FpuOperation, Organisation, PeConfig, Rounding};

/// One multiply-accumulate a cycle, `latency()` cycles from `last` to the result.
///
/// ```text
///            stage 0 (bus)      │ stage 1 …          │ stage A              │
///  weight ──┬─► search ─► hit ──┼─► stored product ──┤                      │
///  activ. ──┤                   │                    ├─► product ─► + ──────┼─► sum
///           └─► FPU operands ───┼─► multiplier ──────┤                      └─► output, skid
///               (misses only)   │  (misses only)     │
/// ```
///
/// | edge | clocked when | what |
/// |---|---|---|
/// | 1 | accepted, hit, not skipped | stored product; what it is read by in a memory whose hits are known |
/// | 1 | accepted, miss, not skipped | FPU operands |
/// | 2 … | the same | a cut of the multiplier, and the stored product beside it |
/// | A | not skipped | product; beside a fixed-point sum that of a miss, or the stored product |
/// | A + 1 | its sum changes | accumulator |
/// | A + 2 | at `last` | output buffer, behind the finished sum of a fixed-point one |
///
/// What seldom changes, the flags of first and last pairs and of misses, the registers of a
/// miss, the finished sum, the output buffer and the layer, is on a branch of the clock, see
/// [`Seldom`].
///
/// A is 2 and one more for each cut of the multiplier. With a cut in the adder
/// there are two sums and two more stages, see `sum`; with a fixed-point sum
/// one more, see `fixed`. Without a memory nothing is searched or stored. A
/// factored memory gives numbers of the format; with a fixed-point sum those of hits
/// are shifted to their place, those of misses converted, and both rounded alike.
///
/// `in_ready_o` is low exactly while a result waits in the skid register; then
/// no register of the pipe changes. Rows can be written at any time.
///
/// ```text
/// clk_i        _/‾\_/‾\_/‾\_/‾\_/‾\_/‾\_
/// in_valid_i   _/‾‾‾\___________________
/// in_last_i    _/‾‾‾\___________________
/// out_valid_o  _________________/‾‾‾\___    without cuts
/// ```
pub(super) fn describe(config: &PeConfig) -> Circuit {
    let (format, width) = (config.format, config.format.width());
    let mut c = Circuit::new(&config.name, &doc(config));
    let ports = Ports::of(&mut c, config);
    let run = ports.run.clone();

    // Stage 0: search and skip on the input bus.
    let mut seldom = Seldom::begin(&mut c);
    let layer = ports.layer.as_ref();
    let layer = layer.map(|port| seldom.with(&mut c, |c| c.gated_register("layer", &port.layer, &port.write)));
    let range = range(&mut c, config, &ports, layer.as_ref());
    let miss_column = config.column_bits().filter(|_| config.has_codebook());
    let miss_column = miss_column.map(|bits| c.forward("miss_column", bits, "column of the weight of a miss"));
    let zero = c.net("zero", ports.activation.slice(0, width - 1).none(), "the activation is +-0");
    let search = Search { config, ports: &ports, layer: layer.as_ref() };
    let lookup = search.describe(&mut c, miss_column.as_ref(), &zero);
    let skip = c.net("skip", &ports.zero_skip & &zero, "the pair leaves the sum untouched");
    let counts = c.net("counts", &ports.valid & !skip, "the pair has a product");
    let (recalled, multiplied) = match &lookup {
        Some(Lookup { hit, .. }) => {
            let recalled = c.net("recalled", &counts & hit, "its product comes from the memory");
            (Some(recalled), c.net("multiplied", &counts & !hit, "its product comes from the multiplier"))
        }
        None => (None, counts),
    };
    let mut token = Token {
        valid: config.is_interleaved().then(|| ports.valid.clone()),
        first: c.net("first", &ports.valid & &ports.first, "the pair starts a sum"),
        last: c.net("last", &ports.valid & &ports.last, "the pair ends a sum"),
        recalled,
        multiplied,
    };
    let multiplies = c.net("multiplies", &run & &token.multiplied, "the pair enters, to the multiplier");
    let book = lookup.as_ref().and_then(|lookup| lookup.magnitude.as_ref()).zip(miss_column.as_ref());
    // Without a memory every pair goes to the multiplier.
    let memory = lookup.is_some();
    let operands = operands(&mut c, config, &ports, (&multiplies, memory), book, &seldom);
    let placed = lookup.as_ref().is_some_and(|lookup| lookup.placed);
    let mut stored = lookup.zip(token.recalled.clone()).map(|(lookup, recalled)| {
        let recalls = c.net("recalls", &run & recalled, "the pair enters, and needs the memory's product");
        lookup.product(&mut c, &recalls)
    });
    token.seldom_high().iter().for_each(|flag| seldom.follows(flag));
    token = token.next(&mut c, "s1", &run, &mut seldom);

    // Multiply, and take the stored product along.
    let mut enables = Vec::new();
    for stage in 1..=config.multiplier_stages {
        enables.push(c.net(&format!("s{stage}_multiplies"), &run & &token.multiplied, "this cut is clocked"));
        stored = stored.map(|stored| move_on(&mut c, &format!("stored_{stage}"), &stored, &token, &run));
        token = token.next(&mut c, &format!("s{}", stage + 1), &run, &mut seldom);
    }
    let enables = (!enables.is_empty()).then(|| vector(&enables));
    let mut inputs = vec![("a_i", &operands.weight), ("b_i", &operands.activation)];
    inputs.extend(enables.iter().map(|enables| ("en_i", enables)));
    let unit = |c: &mut Circuit| c.instance("multiplier", fpu::assemble(&multiplier(config)), &inputs);
    let multiplied = seldom.with_if(&mut c, memory, unit).port("result_o");

    // Add, and offer what is finished.
    let fixed = matches!(config.accumulator, Accumulator::Fixed { .. });
    // Beside a floating-point sum both products go one way. A factored memory can leave out
    // the lower bits of the fraction.
    let merged = stored.as_ref().filter(|_| !fixed);
    let unread = merged.map_or(0, |stored| width - stored.width());
    let next = match merged.map(|stored| stored.above(unread)) {
        Some(stored) => c.choose("next_product", &[(&token.multiplied, &multiplied)], &stored, "product of the pair"),
        None => multiplied,
    };
    let counts = token.counts();
    let (moves, doc) = if fixed {
        (token.multiplied.clone(), "the multiplier's product moves on")
    } else {
        (counts.clone(), "the pair has a product")
    };
    let moves = c.net("product_moves", &run & &moves, doc);
    let product = match unread {
        0 => seldom.with_if(&mut c, fixed && memory, |c| c.register("product", &next, &moves)),
        _ => short_product(&mut c, (&next, unread), (&token.multiplied, &moves), &mut seldom),
    };
    let finished = match (config.accumulator, &range) {
        (Accumulator::Fixed { width, .. }, Some(range)) => {
            let stored =
                stored.map(|stored| fixed_product(&mut c, config, (width, range), (&stored, placed), (&token, &run)));
            let token = token.next(&mut c, "sum", &run, &mut seldom);
            let products = fixed::Products { multiplied: product, stored };
            fixed::describe(&mut c, (format, width), &token, &products, range, (&run, &mut seldom))
        }
        _ => {
            let enters = sum::Enters { first: token.first.clone(), counts, moves };
            sum::describe(&mut c, config, &token, (&next, &product), &enters, (&run, &mut seldom))
        }
    };
    let inputs =
        [("result_valid_i", &finished.valid), ("result_i", &finished.result), ("out_ready_i", &ports.out_ready)];
    let buffer =
        seldom.with(&mut c, |c| c.instance("buffer", output_buffer(finished.result.width(), config.reset), &inputs));
    c.define(&run, buffer.port("run_o"));
    let offered = c.output("out_valid_o", buffer.port("out_valid_o"), "a result is offered");
    let stands = !&run;
    let mut others = vec![&finished.valid, &offered, &stands];
    others.extend(ports.layer.iter().map(|port| &port.write));
    seldom.finish(&mut c, &run, &others);
    let word = buffer.port("out_data_o");
    c.output(
        "out_data_o",
        word.slice(0, width),
        &format!("sum, {format}; 0 after reset, held while out_valid_o is low"),
    );
    if word.width() > width {
        c.output("out_overflow_o", word.bit(width), "with it: the sum, or a product of it, was out of range");
        c.output("out_invalid_o", word.bit(width + 1), "with it: a product was a NaN");
    }
    c
}

/// What a PE is, in one line.
fn doc(config: &PeConfig) -> String {
    let memory = match (&config.am, config.factored_memory()) {
        (_, Some(shape)) => format!("{} columns of {} significand products, ", shape.columns, 1 << shape.mantissa_bits),
        (Some(am), None) => format!("{} ternary rows, ", am.rows),
        (None, None) => String::new(),
    };
    let sum = match config.accumulator {
        Accumulator::Float => String::new(),
        Accumulator::Fixed { width, .. } => format!(", sums of {width} bits"),
    };
    format!("processing element: {memory}{} multiply-accumulate{sum}", config.format)
}

/// The range of a fixed-point accumulator: a port, or what the layer says.
fn range(c: &mut Circuit, config: &PeConfig, ports: &Ports, layer: Option<&Value>) -> Option<Value> {
    let fixed = matches!(config.accumulator, Accumulator::Fixed { .. });
    let frozen = layer.filter(|_| fixed).map(|layer| {
        let named = ("range", "range of the accumulator in this layer");
        frozen_word(c, named, (config, layer), config.format.exponent_bits(), |memory| memory.range.into())
    });
    frozen.or_else(|| ports.range.clone())
}

/// What goes to the multiplier.
struct Operands {
    weight: Value,
    activation: Value,
}

/// The operand registers, clocked on a miss; behind them, where weights are given by
/// index, the codebook.
fn operands(
    c: &mut Circuit,
    config: &PeConfig,
    ports: &Ports,
    (multiplies, seldom_so): (&Value, bool),
    book: Option<(&Value, &Value)>,
    seldom: &Seldom,
) -> Operands {
    let width = config.format.width();
    let given = match &ports.weight {
        WeightPort::Value { weight, .. } => weight.clone(),
        WeightPort::Index { sign, column } => concat(&[sign, column]),
    };
    let pair = concat(&[&given, &ports.activation]);
    let stored = seldom.with_if(c, seldom_so, |c| c.register("operands", &pair, multiplies));
    let (given, activation) = (stored.slice(width, given.width()), stored.slice(0, width));
    let Some((magnitude, column)) = book else { return Operands { weight: given, activation } };
    c.define(column, given.slice(0, column.width()));
    Operands { weight: concat(&[&given.top(), magnitude]), activation }
}

/// The product of a hit in the stage that adds it to a fixed-point sum.
fn fixed_product(
    c: &mut Circuit,
    config: &PeConfig,
    (width, range): (u32, &Value),
    (stored, placed): (&Value, bool),
    (token, run): (&Token, &Value),
) -> fixed::Stored {
    let moved = |c: &mut Circuit, value: &Value| move_on(c, "stored_product", value, token, run);
    match config.organisation() {
        Some(Organisation::Factored(_)) => {
            let alignment = Alignment { format: config.format, width, significand: config.product_bits() };
            let shifted = if placed { alignment.shift_places(c, stored) } else { alignment.shift(c, stored, range) };
            fixed::Stored::Shifted(alignment, moved(c, &shifted))
        }
        Some(Organisation::Grid(_)) => fixed::Stored::Magnitude(moved(c, stored)),
        Some(Organisation::Pair) | None => fixed::Stored::Units(moved(c, stored)),
    }
}

/// The product register where the memory leaves out the `unread` lower bits: these have a
/// register of their own, which is clocked for products of the multiplier, and to be
/// cleared behind one.
fn short_product(
    c: &mut Circuit,
    (next, unread): (&Value, u32),
    (multiplied, moves): (&Value, &Value),
    seldom: &mut Seldom,
) -> Value {
    let upper = c.register("product", &next.slice(unread, next.width() - unread), moves);
    let dirty = c.forward("lower_dirty", 1, "the lower bits are those of a product of the multiplier");
    let becomes = c.choose("lower_dirty_next", &[(moves, multiplied)], &dirty, "the same behind the next product");
    let stored = seldom.register(c, "lower_flag", &becomes);
    c.define(&dirty, stored);
    seldom.follows(&dirty);
    let changes = c.net("lower_moves", moves & (multiplied | &dirty), "the lower bits may change");
    // After reset they are what the flag says: 0.
    let lower = seldom.with(c, |c| c.gated_register("product_lower", &next.slice(0, unread), &changes));
    concat(&[&upper, &lower])
}

/// A stored product one stage later.
fn move_on(c: &mut Circuit, name: &str, stored: &Value, token: &Token, run: &Value) -> Value {
    // A PE without a memory has no stored product.
    let recalled = token.recalled.clone().unwrap_or_else(|| literal(0, 1));
    let moves = c.net(&format!("{name}_moves"), run & recalled, "the stored product moves on");
    c.register(name, stored, &moves)
}

/// The multiplier of a PE.
fn multiplier(config: &PeConfig) -> FpuConfig {
    let unit = FpuConfig::new(FpuOperation::Mul, config.format, Rounding::NearestEven);
    FpuConfig { flags: false, multiplier: config.multiplier, stages: config.multiplier_stages, ..unit }
}

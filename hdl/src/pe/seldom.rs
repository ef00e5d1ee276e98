//! Registers that seldom change, on a branch of the clock that rests meanwhile.

use crate::circuit::{Branch, Circuit, Value, vector};

/// The branch, and what wakes it.
///
/// A sum of hundreds of products begins and ends once, and nearly all of its products come
/// from the memory. So the flags of beginnings, ends and misses, what is converted and
/// handed over, and the multiplier's registers rest nearly always, and one clock gate
/// above theirs keeps even their clock gates quiet.
///
/// ```text
/// clk_i ─┬──────────────────────────────► key, stored product, accumulator: own gates
///        └─► branch ─┬──────────────────► flags: first, last, miss
///              ▲     ├─► gate ─► operands, product of a miss
///              │     └─► gate ─► finished sum, output, skid, layer
///  a flag is high, a result waits, a layer comes
/// ```
pub(super) struct Seldom {
    branch: Branch,
    wakes: Value,
    moves: Value,
    causes: Vec<Value>,
}

impl Seldom {
    /// Nothing is on the branch yet.
    pub fn begin(c: &mut Circuit) -> Self {
        let wakes = c.forward("wakes", 1, "a register that seldom changes may change");
        let moves = c.forward("flags_move", 1, "a flag that is seldom high may change");
        let branch = c.clock_branch("seldom_clock", &wakes);
        Self { branch, wakes, moves, causes: Vec::new() }
    }

    /// Puts what `describe` adds onto the branch. What enables it must imply that the pipe
    /// runs and a [cause](Self::follows), or be among those in [`finish`](Self::finish).
    pub fn with<T>(&self, c: &mut Circuit, describe: impl FnOnce(&mut Circuit) -> T) -> T {
        c.on_branch(&self.branch, describe)
    }

    /// The same where it seldom changes, and on the clock itself elsewhere.
    pub fn with_if<T>(&self, c: &mut Circuit, seldom: bool, describe: impl FnOnce(&mut Circuit) -> T) -> T {
        if seldom { self.with(c, describe) } else { describe(c) }
    }

    /// A register of flags, zero after reset. While no [cause](Self::follows) is high, it must
    /// be given what it holds, whatever that and the other registers are; this is proven.
    pub fn register(&self, c: &mut Circuit, instance: &str, flags: &Value) -> Value {
        self.with(c, |c| c.flag_register(instance, flags, &self.moves))
    }

    /// While a bit of `flags` is high, registers of flags may change at the next clock edge.
    pub fn follows(&mut self, flags: &Value) {
        self.causes.extend((0..flags.width()).map(|bit| flags.bit(bit)));
    }

    /// Says what wakes the branch: flags while the pipe runs, and whatever else enables
    /// something on it.
    pub fn finish(self, c: &mut Circuit, run: &Value, others: &[&Value]) {
        c.define(&self.moves, run & vector(&self.causes).any());
        let wakes = others.iter().fold(self.moves, |wakes, other| wakes | *other);
        c.define(&self.wakes, wakes);
    }
}

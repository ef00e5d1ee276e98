//! What a cell computes: truth tables of its outputs and of what it stores.

use super::error::GatesError;
use crate::synth::function::value;
use liberty_db::DefaultCtx;
use liberty_db::cell::Cell;
use liberty_db::expression::{Expr, LogicBooleanExpression};
use liberty_db::pin::Direction;

/// Most inputs of a cell: a truth table with the stored bit has 128 entries.
const MOST_INPUTS: usize = 6;

/// A truth table. Bit k of the index is input k; of a cell that stores a bit,
/// the bit above the inputs is what it stores.
pub type Truth = u128;

/// What a cell computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logic {
    /// Names of the inputs, in alphabetical order.
    pub inputs: Vec<String>,
    /// Names of the outputs, in alphabetical order, and what they show.
    pub outputs: Vec<(String, Truth)>,
    /// What it stores.
    pub storage: Option<Storage>,
}

/// The stored bit of a flip-flop or a latch. All tables are over inputs and bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Whether it is a latch, open while `enable` is 1; a flip-flop otherwise,
    /// on the rising edge of `enable`.
    pub latch: bool,
    /// The clock of a flip-flop, the enable of a latch.
    pub enable: Truth,
    /// What is stored then.
    pub data: Truth,
    /// Where it is 0 at once. It wins over `preset`.
    pub clear: Truth,
    /// Where it is 1 at once.
    pub preset: Truth,
    /// The input that `enable` is a function of.
    pub clock_pin: usize,
}

impl Logic {
    /// What this cell computes.
    ///
    /// # Errors
    /// It has three-state outputs, a state table, a bank, more than one stored
    /// bit, more than six inputs, or a function of something else.
    pub fn of(cell: &Cell<DefaultCtx>) -> Result<Self, GatesError> {
        let refuse = |what: &str| GatesError::Cell { cell: cell.name.clone(), what: what.into() };
        let mut inputs = names(cell, Direction::Input);
        inputs.sort();
        if inputs.len() > MOST_INPUTS {
            return Err(refuse("it has more than six inputs"));
        }
        if cell.statetable.is_some() || !cell.ff_bank.is_empty() || !cell.latch_bank.is_empty() {
            return Err(refuse("state tables and banks are not simulated"));
        }
        if cell.ff.len() + cell.latch.len() > 1 {
            return Err(refuse("it stores more than one bit"));
        }
        let (flop, latch) = (cell.ff.iter().next(), cell.latch.iter().next());
        let variables = match (flop, latch) {
            (Some(ff), _) => Some([ff.variable1.as_str(), ff.variable2.as_str()]),
            (_, Some(latch)) => Some([latch.variable1.as_str(), latch.variable2.as_str()]),
            _ => None,
        };
        let reader = Reader { inputs: &inputs, variables, outputs: &[] };
        let need = |function: &Option<LogicBooleanExpression>, what: &str| {
            let function = function.as_ref().ok_or_else(|| refuse(&format!("it has no {what}")))?;
            reader.truth(&function.expr).ok_or_else(|| refuse(&format!("its {what} is not of its inputs")))
        };
        let maybe = |function: &Option<LogicBooleanExpression>, what: &str| match function {
            None => Ok(0),
            some => need(some, what),
        };
        let clock_pin = |enable: Truth| {
            let depends = |pin: &usize| (0..1_u32 << inputs.len()).any(|s| bit(enable, s) != bit(enable, s ^ 1 << pin));
            (0..inputs.len()).find(depends).ok_or_else(|| refuse("its clock is constant"))
        };
        let storage = if let Some(ff) = flop {
            let enable = need(&ff.clocked_on, "clock")?;
            Some(Storage {
                latch: false,
                enable,
                data: need(&ff.next_state, "next state")?,
                clear: maybe(&ff.clear, "clear")?,
                preset: maybe(&ff.preset, "preset")?,
                clock_pin: clock_pin(enable)?,
            })
        } else if let Some(latch) = latch {
            let enable = need(&latch.enable, "enable")?;
            Some(Storage {
                latch: true,
                enable,
                data: need(&latch.data_in, "data input")?,
                clear: maybe(&latch.clear, "clear")?,
                preset: maybe(&latch.preset, "preset")?,
                clock_pin: clock_pin(enable)?,
            })
        } else {
            None
        };
        let mut outputs = Vec::new();
        for pin in cell.pin.iter().filter(|pin| pin.direction == Some(Direction::Output)) {
            if pin.three_state.is_some() {
                return Err(refuse("three-state outputs are not simulated"));
            }
            outputs.push((pin.name.clone(), need(&pin.function, "output function")?));
        }
        outputs.sort();
        Ok(Self { inputs, outputs, storage })
    }

    /// Bits of a table's index.
    pub fn index_bits(&self) -> usize {
        self.inputs.len() + usize::from(self.storage.is_some())
    }

    /// The indices at which a condition over inputs, outputs and the stored bit
    /// holds; `None` if it is of something else.
    pub fn holds(&self, condition: &Expr) -> Option<Truth> {
        let variables = self.storage.map(|_| ["", ""]);
        Reader { inputs: &self.inputs, variables, outputs: &self.outputs }.truth(condition)
    }
}

/// Reads an expression's variables.
struct Reader<'a> {
    inputs: &'a [String],
    variables: Option<[&'a str; 2]>,
    outputs: &'a [(String, Truth)],
}

impl Reader<'_> {
    fn truth(&self, function: &Expr) -> Option<Truth> {
        let bits = self.inputs.len() + usize::from(self.variables.is_some());
        let mut truth = 0;
        for index in 0..1_u32 << bits {
            let read = |name: &str| {
                if let Some(input) = self.inputs.iter().position(|input| input == name) {
                    return Some(index >> input & 1 == 1);
                }
                if let Some((_, shown)) = self.outputs.iter().find(|(output, _)| output == name) {
                    return Some(bit(*shown, index));
                }
                let [positive, negative] = self.variables?;
                let stored = index >> self.inputs.len() & 1 == 1;
                if name == positive { Some(stored) } else { (name == negative).then_some(!stored) }
            };
            truth |= Truth::from(value(function, &read)?) << index;
        }
        Some(truth)
    }
}

/// One entry of a table.
pub const fn bit(truth: Truth, index: u32) -> bool {
    truth >> index & 1 == 1
}

/// Names of the pins of a direction.
fn names(cell: &Cell<DefaultCtx>, direction: Direction) -> Vec<String> {
    cell.pin.iter().filter(|pin| pin.direction == Some(direction)).map(|pin| pin.name.clone()).collect()
}

//! Operands, result, flags and pipeline cuts of an arithmetic unit, read from its port list.

use super::UnitError;
use crate::dut::Dut;
use axp_hdl::{Direction, Port};

/// Widest operand and result.
const MAX_WIDTH: usize = 64;

/// Width of `flags_o`.
const FLAGS: usize = 5;

/// The shape of an arithmetic unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitPorts {
    /// Width of `a_i` in bits, 1 to 64.
    pub a: usize,
    /// Width of `b_i` in bits, where there is one.
    pub b: Option<usize>,
    /// Width of `result_o` in bits, 1 to 64.
    pub result: usize,
    /// Whether there is a `flags_o`; without it, the flags of an answer are 0.
    pub flags: bool,
    /// Pipeline cuts: the width of `en_i`, 0 for a combinational unit.
    pub stages: usize,
}

impl UnitPorts {
    /// The ports of a design.
    ///
    /// # Errors
    /// A port is missing, too wide, or not one of an arithmetic unit.
    pub fn of(dut: &Dut) -> Result<Self, UnitError> {
        let refuse = |what: String| UnitError::Ports { module: dut.top.clone(), what };
        let find = |name: &str, direction: Direction, most: usize| -> Result<Option<usize>, UnitError> {
            match dut.ports.iter().find(|port| port.name == name) {
                None => Ok(None),
                Some(port) if port.direction != direction => Err(refuse(format!("{name} goes the other way"))),
                Some(Port { width, .. }) if !(1..=most).contains(width) => {
                    Err(refuse(format!("{name} has {width} bits; the bench takes 1 to {most}")))
                }
                Some(port) => Ok(Some(port.width)),
            }
        };
        let need = |name: &str, direction, most| {
            find(name, direction, most)?.ok_or_else(|| refuse(format!("there is no {name}")))
        };
        let a = need("a_i", Direction::Input, MAX_WIDTH)?;
        let b = find("b_i", Direction::Input, MAX_WIDTH)?;
        let result = need("result_o", Direction::Output, MAX_WIDTH)?;
        let flags = find("flags_o", Direction::Output, FLAGS)?;
        if flags.is_some_and(|width| width != FLAGS) {
            return Err(refuse(format!("flags_o has not {FLAGS} bits")));
        }
        let stages = find("en_i", Direction::Input, 32)?.unwrap_or(0);
        let mut known = vec!["a_i", "b_i", "result_o", "flags_o"];
        if stages > 0 {
            need(&dut.clock, Direction::Input, 1)?;
            need("test_en_i", Direction::Input, 1)?;
            known.extend(["en_i", "test_en_i", &dut.clock]);
        }
        match dut.ports.iter().find(|port| !known.contains(&port.name.as_str())) {
            Some(port) => Err(refuse(format!("{} is not one of them", port.name))),
            None => Ok(Self { a, b, result, flags: flags.is_some(), stages }),
        }
    }

    /// How many operands a case has.
    pub const fn operands(&self) -> usize {
        if self.b.is_some() { 2 } else { 1 }
    }
}

/// The number with this many low bits set.
pub(crate) const fn mask(width: usize) -> u64 {
    u64::MAX >> (64 - width)
}

//! The options of `axp build` that choose the PE's memory and accumulator.

use crate::exit::Failure;
use axp_golden::codesign::ladder::{ColumnMemory, ColumnOptions};
use axp_spec::{Accumulator, WeightOperand};
use clap::{Args, ValueEnum};

/// What the rows of the associative memory are keyed by.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryChoice {
    /// {weight, activation}, as in the AxP paper
    Pair,
    /// Patterns of the activation, with a product for every weight magnitude
    Grid,
    /// Products of significands, for every weight magnitude and activation prefix
    Factored,
}

/// What products are summed in.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccumulatorChoice {
    /// A binary32 adder
    Float,
    /// A saturating integer with a range for each layer
    Fixed,
}

#[derive(Args, Debug, Clone)]
pub struct MemoryOptions {
    /// The associative memory of the PE
    #[arg(long, value_enum, default_value_t = MemoryChoice::Pair)]
    pub memory: MemoryChoice,
    /// What products are summed in (grid and factored memories)
    #[arg(long, value_enum, default_value_t = AccumulatorChoice::Float)]
    pub accumulator: AccumulatorChoice,
    /// Bits of a fixed accumulator
    #[arg(long, value_name = "BITS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(8..=64))]
    pub accumulator_bits: u32,
    /// Bits of a stored product [default: factored 9; grid 18 beside a fixed accumulator, the
    /// PE's format beside a float one]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(2..=32))]
    pub product_bits: Option<u32>,
    /// Build the rows of all layers into the PE instead of a row port
    #[arg(long)]
    pub frozen: bool,
    /// The only size to try, instead of several: columns x mantissa bits of a factored
    /// memory, patterns x columns of a grid [default: the smallest that keeps --max-loss]
    #[arg(long, value_name = "8x3", value_parser = parse_size)]
    pub size: Option<(u32, u32)>,
    /// Give the PE weights as indices of a codebook (a grid always gets them so)
    #[arg(long)]
    pub index: bool,
}

impl MemoryOptions {
    /// The memory with columns that is asked for; none for a `pair` memory.
    ///
    /// # Errors
    /// Options that do not go together.
    pub fn columns(&self) -> Result<Option<ColumnOptions>, Failure> {
        let fixed = self.accumulator == AccumulatorChoice::Fixed;
        if self.product_bits.is_some() && !fixed && self.memory != MemoryChoice::Factored {
            return Err(Failure::input(
                "--product-bits is for factored memories and fixed accumulators: other products have the PE's format",
                "add --memory factored or --accumulator fixed, or leave it out",
            ));
        }
        let (memory, product_width) = match self.memory {
            MemoryChoice::Pair if fixed || self.index => {
                return Err(Failure::input(
                    "a pair memory is built with a float accumulator and weights by value",
                    "add --memory factored or --memory grid",
                ));
            }
            MemoryChoice::Pair if self.size.is_some() => {
                return Err(Failure::input("--size is for grid and factored memories", "give a pair memory --rows"));
            }
            MemoryChoice::Pair => return Ok(None),
            MemoryChoice::Grid => (ColumnMemory::Grid, 18.min(self.accumulator_bits - 1)),
            MemoryChoice::Factored => (ColumnMemory::Factored, 9),
        };
        let product_width = self.product_bits.unwrap_or(product_width);
        let accumulator = match self.accumulator {
            AccumulatorChoice::Float => Accumulator::Float,
            AccumulatorChoice::Fixed => Accumulator::Fixed { width: self.accumulator_bits, product_width },
        };
        let product_bits = (!fixed && self.memory == MemoryChoice::Factored).then_some(product_width);
        let weight = if self.index { WeightOperand::Index } else { WeightOperand::Value };
        Ok(Some(ColumnOptions { memory, weight, accumulator, product_bits, frozen: self.frozen, size: self.size }))
    }
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let sizes = text.split_once('x').and_then(|(first, second)| Some((number(first)?, number(second)?)));
    sizes.ok_or_else(|| "write two numbers with an x between them, such as 8x3".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(memory: MemoryChoice, accumulator: AccumulatorChoice) -> MemoryOptions {
        MemoryOptions {
            memory,
            accumulator,
            accumulator_bits: 24,
            product_bits: None,
            frozen: false,
            index: false,
            size: None,
        }
    }

    #[test]
    fn products_are_as_wide_as_the_memory_needs() {
        let width = |memory| match options(memory, AccumulatorChoice::Fixed).columns() {
            Ok(Some(ColumnOptions { accumulator: Accumulator::Fixed { product_width, .. }, .. })) => product_width,
            other => panic!("{:?}", other.is_ok()),
        };
        assert_eq!((width(MemoryChoice::Factored), width(MemoryChoice::Grid)), (9, 18));
        assert!(matches!(options(MemoryChoice::Pair, AccumulatorChoice::Float).columns(), Ok(None)));
    }

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let float = options(MemoryChoice::Grid, AccumulatorChoice::Float);
        assert!(MemoryOptions { product_bits: Some(9), ..float }.columns().is_err());
        let factored = options(MemoryChoice::Factored, AccumulatorChoice::Float);
        let bits = |options: MemoryOptions| options.columns().ok().flatten().and_then(|columns| columns.product_bits);
        assert_eq!(bits(factored.clone()), Some(9));
        assert_eq!(bits(MemoryOptions { product_bits: Some(24), ..factored }), Some(24));
        assert!(options(MemoryChoice::Pair, AccumulatorChoice::Fixed).columns().is_err());
        let indexed = MemoryOptions { index: true, ..options(MemoryChoice::Pair, AccumulatorChoice::Float) };
        assert!(indexed.columns().is_err());
        let sized = MemoryOptions { size: Some((8, 3)), ..options(MemoryChoice::Pair, AccumulatorChoice::Float) };
        assert!(sized.columns().is_err());
    }

    #[test]
    fn sizes_are_two_numbers() {
        assert_eq!(parse_size("16x8"), Ok((16, 8)));
        for bad in ["", "16", "16x", "x8", "-1x2", "4x4x4", "ax3"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}

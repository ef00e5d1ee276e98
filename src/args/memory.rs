//! The options of `axp build` that choose the PE's memory and accumulator.

use crate::exit::Failure;
use axp_golden::codesign::columns::{ColumnMemory, ColumnOptions, Sum};
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
    /// Bits of a fixed accumulator [default: 10, 12, 14, 16, 20 or 24, as few as keep
    /// --max-loss]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(8..=64))]
    pub accumulator_bits: Option<u32>,
    /// Bits of a stored product [default: factored 6 or 9 beside a float accumulator, and 9, 8, 6, 6, 5 and 4
    /// beside 24, 20, 16, 14, 12 and 10 bits of a fixed one; grid three quarters of a fixed accumulator, the
    /// PE's format beside a float one]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(2..=32))]
    pub product_bits: Option<u32>,
    /// Build the rows of all layers into the PE instead of a row port
    #[arg(long)]
    pub frozen: bool,
    /// Keep the rows in latches instead of flip-flops; the search goes by estimates of flip-flops
    #[arg(long, conflicts_with = "frozen")]
    pub latches: bool,
    /// The only size to try, instead of several: columns x mantissa bits of a factored
    /// memory, patterns x columns of a grid [default: what needs the least energy and keeps --max-loss]
    #[arg(long, value_name = "8x3", value_parser = parse_size)]
    pub size: Option<(u32, u32)>,
    /// With --size and --index: let the columns of a factored memory share so many significands, each at
    /// columns / N powers of two; in logic, columns of one significand are one
    #[arg(long, value_name = "N", requires = "size", requires = "index", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub fractions: Option<u32>,
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
        if self.accumulator_bits.is_some() && !fixed {
            return Err(Failure::input(
                "--accumulator-bits is for fixed accumulators: a float one has the PE's format",
                "add --accumulator fixed, or leave it out",
            ));
        }
        let memory = match self.memory {
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
            MemoryChoice::Grid => ColumnMemory::Grid,
            MemoryChoice::Factored => ColumnMemory::Factored,
        };
        if let (Some(fractions), Some((columns, _))) = (self.fractions, self.size)
            && (memory != ColumnMemory::Factored || columns % fractions != 0)
        {
            return Err(Failure::input(
                "--fractions is for factored memories, and divides the number of columns",
                "for example --memory factored --size 64x3 --fractions 8",
            ));
        }
        let sums = if fixed { self.fixed(memory) } else { self.float(memory) };
        let weight = if self.index { WeightOperand::Index } else { WeightOperand::Value };
        Ok(Some(ColumnOptions {
            memory,
            weight,
            sums,
            frozen: self.frozen,
            size: self.size,
            fractions: self.fractions,
        }))
    }

    /// Binary32 sums with the products that may be tried.
    fn float(&self, memory: ColumnMemory) -> Vec<Sum> {
        match self.product_bits {
            Some(bits) => vec![Sum::float(Some(bits))],
            None => Sum::floats(memory),
        }
    }

    /// Fixed-point sums of the widths that may be tried.
    fn fixed(&self, memory: ColumnMemory) -> Vec<Sum> {
        let sums = match self.accumulator_bits {
            Some(width) => vec![Sum::of_width(memory, width)],
            None => Sum::choices(memory),
        };
        let with_products = |sum: Sum| match (self.product_bits, sum.accumulator) {
            (Some(bits), Accumulator::Fixed { width, .. }) => Sum::fixed(width, bits),
            _ => sum,
        };
        sums.into_iter().map(with_products).collect()
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
            accumulator_bits: None,
            product_bits: None,
            frozen: false,
            latches: false,
            index: false,
            size: None,
            fractions: None,
        }
    }

    #[test]
    fn products_are_as_wide_as_the_memory_needs() {
        let sums = |options: MemoryOptions| match options.columns() {
            Ok(Some(ColumnOptions { sums, .. })) => sums,
            other => panic!("{:?}", other.is_ok()),
        };
        let fixed = |memory| options(memory, AccumulatorChoice::Fixed);
        let found = sums(fixed(MemoryChoice::Factored));
        let fixed_sums =
            [(10, 4), (12, 5), (14, 6), (16, 6), (20, 8), (24, 9)].map(|(width, bits)| Sum::fixed(width, bits));
        assert_eq!(found, fixed_sums);
        let bits = |bits| MemoryOptions { accumulator_bits: Some(bits), ..fixed(MemoryChoice::Grid) };
        assert_eq!(sums(bits(24)), [Sum::fixed(24, 18)]);
        assert_eq!(sums(MemoryOptions { product_bits: Some(7), ..bits(16) }), [Sum::fixed(16, 7)]);
        let factored = |bits| MemoryOptions { accumulator_bits: Some(bits), ..fixed(MemoryChoice::Factored) };
        assert_eq!(sums(factored(8)), [Sum::fixed(8, 4)]);
        assert_eq!(sums(factored(18)), [Sum::fixed(18, 6)]);
        assert_eq!(sums(factored(64)), [Sum::fixed(64, 9)]);
        assert!(matches!(options(MemoryChoice::Pair, AccumulatorChoice::Float).columns(), Ok(None)));
    }

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let float = options(MemoryChoice::Grid, AccumulatorChoice::Float);
        assert!(MemoryOptions { product_bits: Some(9), ..float.clone() }.columns().is_err());
        assert!(MemoryOptions { accumulator_bits: Some(16), ..float }.columns().is_err());
        let factored = options(MemoryChoice::Factored, AccumulatorChoice::Float);
        let sums = |options: MemoryOptions| options.columns().ok().flatten().map(|columns| columns.sums);
        assert_eq!(sums(factored.clone()), Some(vec![Sum::float(Some(6)), Sum::float(Some(9))]));
        assert_eq!(sums(MemoryOptions { product_bits: Some(24), ..factored }), Some(vec![Sum::float(Some(24))]));
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

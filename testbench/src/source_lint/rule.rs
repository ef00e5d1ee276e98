//! The constructs that are refused, why, and what to write instead.

use serde::Serialize;

/// A construct whose Verilog means something else than its Rust.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Two different operators without parentheses.
    Precedence,
    /// `bit_cast` of something that is no plain signal.
    CastOfExpression,
    /// A literal that widens a sum, difference, complement or left shift whose upper bits count.
    WideningLiteral,
    /// `get_bits` or `get_bit` past the top of a signal.
    PastTheTop,
    /// `a..=b`.
    InclusiveRange,
    /// `pattern if condition =>`.
    MatchGuard,
    /// `match` on a `bool`.
    MatchBool,
    /// `match` on something that is no plain signal.
    MatchExpression,
    /// A const item or generic as a value.
    ConstantItem,
    /// `a[i][j]`, `a[i].b[j]`.
    NestedArray,
    /// `.val().a.b`, `.next.a.b`.
    NestedField,
    /// A bit or part of something that is no plain signal.
    SliceOfExpression,
    /// A kernel that reads nothing.
    ConstantKernel,
    /// A child's input is read.
    ChildInputRead,
    /// `.index()` in arithmetic or a comparison.
    IndexArithmetic,
    /// Signed arithmetic.
    Signed,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 16] = [
        Self::Precedence,
        Self::CastOfExpression,
        Self::WideningLiteral,
        Self::PastTheTop,
        Self::InclusiveRange,
        Self::MatchGuard,
        Self::MatchBool,
        Self::MatchExpression,
        Self::ConstantItem,
        Self::NestedArray,
        Self::NestedField,
        Self::SliceOfExpression,
        Self::ConstantKernel,
        Self::ChildInputRead,
        Self::IndexArithmetic,
        Self::Signed,
    ];

    /// What is wrong, in one sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Precedence => "operators of different precedence without parentheses, which rust-hdl does not add",
            Self::CastOfExpression => "bit_cast of an expression, whose carry leaks into the wider result",
            Self::WideningLiteral => "a literal becomes 32 bits wide here, and so does the operation beside it",
            Self::PastTheTop => "bits past the top of the signal are 0 in Rust and x in Verilog",
            Self::InclusiveRange => "an inclusive range is translated as if it were exclusive",
            Self::MatchGuard => "the guard of a match arm is dropped",
            Self::MatchBool => "a match on bool becomes an undeclared `true`",
            Self::MatchExpression => "a match on an expression is evaluated at the width of the labels",
            Self::ConstantItem => "a const item or generic becomes an undeclared identifier",
            Self::NestedArray => "nested arrays become bad Verilog",
            Self::NestedField => "nested struct fields become bad Verilog",
            Self::SliceOfExpression => "a part of an expression is no Verilog",
            Self::ConstantKernel => "a kernel that reads nothing becomes an always block that never runs",
            Self::ChildInputRead => "the input of a child is read: its settled value in Rust, a sequence in Verilog",
            Self::IndexArithmetic => "index() is a usize in Rust and keeps its narrow width in Verilog",
            Self::Signed => "signed casts lose their width",
        }
    }

    /// What to write instead.
    pub const fn instead(self) -> &'static str {
        match self {
            Self::Precedence => "write the parentheses",
            Self::CastOfExpression => "assign the expression to a Local first",
            Self::WideningLiteral => "assign the operation to a Local first, or put the literal into a Constant field",
            Self::PastTheTop => "read only what is there, or widen with bit_cast first",
            Self::InclusiveRange => "write an exclusive range",
            Self::MatchGuard => "write an if inside the arm",
            Self::MatchBool => "write if and else",
            Self::MatchExpression => "assign the expression to a Local and match on that",
            Self::ConstantItem => "put the value into a Constant field",
            Self::NestedArray => "use one array with computed indices",
            Self::NestedField => "read one level into a Local first",
            Self::SliceOfExpression => "assign the expression to a Local first",
            Self::ConstantKernel => "implement Logic by hand, or use a Constant field where the value is read",
            Self::ChildInputRead => "read what drives it",
            Self::IndexArithmetic => "compute with Bits in a Local",
            Self::Signed => "use Bits and explicit sign extension",
        }
    }
}

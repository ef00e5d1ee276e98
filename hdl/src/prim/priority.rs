//! Priority select: the lowest set bit, one-hot.

use crate::annotate;
use rust_hdl::prelude::*;

/// Keeps the lowest set bit of a vector and clears the others; combinational.
///
/// `x & -x`: synthesis builds the negation as a parallel-prefix carry chain.
#[derive(LogicBlock)]
pub struct PrioritySelect<const N: usize> {
    /// Requests; bit 0 is the strongest.
    pub match_i: Signal<In, Bits<N>>,
    /// At most one bit set: the lowest of `match_i`.
    pub select_o: Signal<Out, Bits<N>>,
}

const LOWEST: &str = "\
always @* select_o = match_i & (~match_i + {n}'d1);
";

impl<const N: usize> PrioritySelect<N> {
    /// A select among `N` requests.
    pub fn new() -> Self {
        let mut select = Self {
            match_i: annotate::signal("requests, bit 0 is the strongest"),
            select_o: annotate::signal("one-hot: the lowest request, or none"),
        };
        let name = format!("axp_priority_n{N}");
        annotate::module(&mut select.match_i, &name, "one-hot select of the lowest set bit, combinational");
        select
    }
}

impl<const N: usize> Default for PrioritySelect<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Logic for PrioritySelect<N> {
    fn update(&mut self) {
        let requests = self.match_i.val();
        let none = Bits::<N>::default();
        self.select_o.next = match (0..N).find(|bit| requests.get_bit(*bit)) {
            Some(bit) => none.replace_bit(bit, true),
            None => none,
        };
    }

    fn connect(&mut self) {
        self.select_o.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(LOWEST.replace("{n}", &N.to_string()))
    }
}

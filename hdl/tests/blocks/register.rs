//! A register with enable and reset, whose type is a parameter.

use axp_hdl::annotate;
use axp_hdl::prim::style_name;
use axp_spec::ResetStyle;
use rust_hdl::prelude::*;

/// Flip-flops with an enable, reset to zero by `rst_ni` (active low).
///
/// Whether the reset acts at once or at the next clock edge is chosen at
/// construction. Latency: one clock edge.
///
/// ```text
/// clk_i  _/‾\_/‾\_/‾\_/‾\_
/// en_i   _/‾‾‾\____________
/// d_i    =X a X b X c X d =
/// q_o    ==0==X a ========
/// ```
#[derive(LogicBlock)]
pub struct Register<T: Synth> {
    /// Clock, rising edge.
    pub clk_i: Signal<In, Clock>,
    /// Reset, active low.
    pub rst_ni: Signal<In, Bit>,
    /// Takes `d_i` at the clock edge.
    pub en_i: Signal<In, Bit>,
    /// Next value.
    pub d_i: Signal<In, T>,
    /// Stored value.
    pub q_o: Signal<Out, T>,
    _reset: ResetStyle,
}

const ASYNC: &str = "\
always @(posedge clk_i or negedge rst_ni)
    if (!rst_ni) q_o <= {zero};
    else if (en_i) q_o <= d_i;
";

const SYNC: &str = "\
always @(posedge clk_i)
    if (!rst_ni) q_o <= {zero};
    else if (en_i) q_o <= d_i;
";

impl<T: Synth> Register<T> {
    /// A register that is reset in the given style.
    pub fn new(reset: ResetStyle) -> Self {
        let mut register = Self {
            clk_i: annotate::signal("clock, rising edge"),
            rst_ni: annotate::signal("reset to zero, active low"),
            en_i: annotate::signal("take d_i at the clock edge"),
            d_i: annotate::signal("next value"),
            q_o: annotate::signal("stored value"),
            _reset: reset,
        };
        let name = format!("axp_reg_{}_w{}", style_name(reset), T::BITS);
        annotate::module(&mut register.clk_i, &name, "register with enable and reset");
        register
    }
}

impl<T: Synth> Logic for Register<T> {
    fn update(&mut self) {
        let edge = self.clk_i.pos_edge();
        if !self.rst_ni.val() && (edge || self._reset == ResetStyle::Async) {
            self.q_o.next = T::default();
        } else if edge && self.en_i.val() {
            self.q_o.next = self.d_i.val();
        }
    }

    fn connect(&mut self) {
        self.q_o.connect();
    }

    fn hdl(&self) -> Verilog {
        let body = match self._reset {
            ResetStyle::Async => ASYNC,
            ResetStyle::Sync => SYNC,
        };
        Verilog::Custom(body.replace("{zero}", &format!("{}'d0", T::BITS)))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "register".into(),
            clock: "clk_i".into(),
            inputs: vec!["en_i".into(), "d_i".into()],
            outputs: vec!["q_o".into()],
        }]
    }
}

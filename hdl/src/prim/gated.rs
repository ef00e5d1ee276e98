//! Register banks behind a clock gate: one primitive, two bodies.
//!
//! With `AXP_CE` defined, the banks are flip-flops with a clock enable (FPGA,
//! formal, and what rust-hdl's simulation does). Without it, each bank has one
//! `axp_clock_gate` and plain flip-flops on the gated clock, so that a bank
//! that keeps its value costs no clock energy. The banks have no reset: whether
//! what they hold counts is told by a flag elsewhere.

use super::ClockGate;
use crate::annotate;
use rust_hdl::prelude::*;

const BANK: &str = "\
`ifdef AXP_CE
wire unused_test_en = test_en_i;
always @(posedge clk_i)
    if (en_i) begin
{enabled}    end
`else
wire clk_gated;
{gate} u_clock_gate (.clk_i(clk_i), .en_i(en_i), .test_en_i(test_en_i), .clk_o(clk_gated));
always @(posedge clk_gated) begin
{gated}end
`endif
";

pub(super) fn bank(lanes: &[(&str, &str)]) -> Verilog {
    let load = |indent: &str| -> String {
        lanes.iter().map(|(input, output)| format!("{indent}{output} <= {input};\n")).collect()
    };
    let body = BANK.replace("{gate}", ClockGate::MODULE);
    Verilog::Custom(body.replace("{enabled}", &load("        ")).replace("{gated}", &load("    ")))
}

pub(super) fn timing(name: &str, lanes: &[(&str, &str)]) -> Vec<TimingInfo> {
    vec![TimingInfo {
        name: name.into(),
        clock: "clk_i".into(),
        inputs: std::iter::once("en_i".into()).chain(lanes.iter().map(|lane| lane.0.into())).collect(),
        outputs: lanes.iter().map(|lane| lane.1.into()).collect(),
    }]
}

/// Declares a bank: a struct with one data input and one output a lane.
macro_rules! gated_bank {
    (
        $(#[$doc:meta])*
        $name:ident, $module:literal, $line:literal, $($input:ident -> $output:ident: $what:literal;)+
    ) => {
        $(#[$doc])*
        #[derive(LogicBlock)]
        pub struct $name<const W: usize> {
            /// Free-running clock, rising edge.
            pub clk_i: Signal<In, Clock>,
            /// Test enable of the clock gate.
            pub test_en_i: Signal<In, Bit>,
            /// Clocks the bank.
            pub en_i: Signal<In, Bit>,
            $(
                #[doc = concat!("Next ", $what, ".")]
                pub $input: Signal<In, Bits<W>>,
                #[doc = concat!("Stored ", $what, ".")]
                pub $output: Signal<Out, Bits<W>>,
            )+
        }

        impl<const W: usize> $name<W> {
            const LANES: &'static [(&'static str, &'static str)] = &[$((stringify!($input), stringify!($output))),+];

            /// An empty bank: what it holds before its first clock is unknown.
            pub fn new() -> Self {
                let mut bank = Self {
                    clk_i: annotate::signal("free-running clock, rising edge"),
                    test_en_i: annotate::signal("test enable of the clock gate"),
                    en_i: annotate::signal("clock the bank"),
                    $(
                        $input: annotate::signal(concat!("next ", $what)),
                        $output: annotate::signal(concat!("stored ", $what)),
                    )+
                };
                annotate::module(&mut bank.clk_i, &format!(concat!($module, "_w{}"), W), $line);
                bank
            }
        }

        impl<const W: usize> Default for $name<W> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<const W: usize> Logic for $name<W> {
            fn update(&mut self) {
                if self.clk_i.pos_edge() && self.en_i.val() {
                    $(self.$output.next = self.$input.val();)+
                }
            }

            fn connect(&mut self) {
                $(self.$output.connect();)+
            }

            fn hdl(&self) -> Verilog {
                bank(Self::LANES)
            }

            fn timing(&self) -> Vec<TimingInfo> {
                timing($module, Self::LANES)
            }
        }
    };
}

gated_bank! {
    /// One clock-gated word.
    GatedRegister, "axp_gated_reg", "clock-gated register",
    d_i -> q_o: "value";
}

gated_bank! {
    /// The two operands of a multiplication behind one clock gate.
    GatedOperands, "axp_gated_operands", "clock-gated operand pair",
    weight_i -> weight_o: "weight";
    activation_i -> activation_o: "activation";
}

gated_bank! {
    /// The storage of one ternary row behind one clock gate: pattern and care
    /// mask of both operands, and the product.
    RowStorage, "axp_row_storage", "clock-gated storage of one ternary row",
    key_weight_i -> key_weight_o: "pattern of the weight";
    key_activation_i -> key_activation_o: "pattern of the activation";
    care_weight_i -> care_weight_o: "compared bits of the weight";
    care_activation_i -> care_activation_o: "compared bits of the activation";
    product_i -> product_o: "product";
}

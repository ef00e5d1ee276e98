//! The flat list of files, in compile order.

use crate::rtl::Rtl;

/// Names relative to the list itself, one a line.
pub(super) fn text(rtl: &Rtl) -> String {
    let mut text = format!(
        "// {}: all modules in compile order. Names are relative to this file:\n\
         // verilator -F <this file>, or iverilog -c <this file> in this folder.\n",
        rtl.top
    );
    for module in &rtl.modules {
        text.push_str(&module.file());
        text.push('\n');
    }
    text
}

//! The FuseSoC core description (CAPI 2).

use super::header::AXP_VERSION;
use crate::rtl::Rtl;

/// A core with the targets `default`, `lint`, `sim` and `synth`.
///
/// All names in it are module names or the name of the configuration, which
/// are plain words; free text is quoted as JSON, which YAML contains.
pub(super) fn text(rtl: &Rtl) -> String {
    let top = &rtl.top;
    let doc = rtl.modules.last().map_or("", |module| module.doc.as_str());
    let description = serde_json::Value::from(doc);
    let files: String = rtl.modules.iter().map(|module| format!("      - {}\n", module.file())).collect();
    format!(
        "CAPI=2:
name: \"axp:pe:{top}:{AXP_VERSION}\"
description: {description}

filesets:
  rtl:
    files:
{files}    file_type: verilogSource-2005

parameters:
  AXP_CE:
    datatype: bool
    paramtype: vlogdefine
    description: Clock enables instead of gated clocks (FPGA, formal)

targets:
  default: &default
    filesets: [rtl]
    toplevel: {top}
    parameters: [AXP_CE]

  lint:
    <<: *default
    description: Verilator lint, all warnings
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [--lint-only, -Wall]

  sim:
    <<: *default
    description: Elaboration in Icarus; add a test bench as another fileset
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005, -Wall]

  synth:
    <<: *default
    description: Yosys for an FPGA (ECP5), with clock enables
    parameters: [AXP_CE=true]
    flow: generic
    flow_options:
      tool: yosys
      arch: ecp5
      output_format: json
"
    )
}

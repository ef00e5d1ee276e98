//! The Icarus bench: the vectors of `harness` in four-state simulation, so that X and Z show.
//!
//! The bench prints the same lines. An output that is X or Z never equals what
//! is expected, and is printed with its unknown digits.
//!
//! ```text
//! vvp -n IMAGE +compare [+trace=FILE +from=CYCLE +to=CYCLE]
//! vvp -n IMAGE +emit
//! ```

use crate::dut::{Body, Dut};
use crate::process::Invocation;
use crate::simulator::{Simulator, SimulatorError, SimulatorKind};
use crate::tools::Tool;
use crate::vectors::{Field, Layout, MAX_FRAME};
use crate::verilator::content_key;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Name of the generated bench module. The design's have lower-case names.
const BENCH: &str = "AxpBench";

/// Compiles the bench and the design, or takes the image from `cache` if the
/// same has been compiled there before.
///
/// # Errors
/// A missing tool, Verilog that does not compile, a folder that cannot be
/// written, or a cancelled run.
pub fn build(dut: &Dut, body: Body, cache: &Path, cancel: &AtomicBool) -> Result<Simulator, SimulatorError> {
    let layout = Layout::of(dut)?;
    let iverilog = Tool::Iverilog.find()?;
    let program = Tool::Vvp.find()?;
    let text = bench(dut, &layout);
    let define = body.define().map(|name| format!("-D{name}=1"));
    let key = content_key(&[Tool::Iverilog.version()?, define.clone().unwrap_or_default(), text.clone()], dut);
    let image = cache.join(format!("icarus-{key}.vvp"));
    let simulator = Simulator { kind: SimulatorKind::Icarus, layout, program, image: Some(image.clone()) };
    if image.is_file() {
        return Ok(simulator);
    }
    fs::create_dir_all(cache).map_err(|source| SimulatorError::file(cache, source))?;
    let folder = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(cache)
        .map_err(|source| SimulatorError::file(cache, source))?;
    dut.write(folder.path()).map_err(|(path, source)| SimulatorError::File { path, source })?;
    let main = folder.path().join("AxpBench.v");
    fs::write(&main, text).map_err(|source| SimulatorError::file(&main, source))?;
    Invocation::new(&iverilog)
        .directory(folder.path())
        .args(["-g2005", "-s", BENCH, "-o", "image.vvp"])
        .args(define)
        .args(dut.sources.iter().map(|source| &source.file))
        .arg("AxpBench.v")
        .cancel(cancel)
        .run()?;
    fs::rename(folder.path().join("image.vvp"), &image).map_err(|source| SimulatorError::file(&image, source))?;
    Ok(simulator)
}

/// The bench of a design.
pub fn bench(dut: &Dut, layout: &Layout) -> String {
    let total = layout.record_bytes();
    let mut signals = String::new();
    let mut drive = String::new();
    let mut connect = format!("    .{0}({0})", dut.clock);
    let mut compare = String::new();
    let mut unknown = String::new();
    for field in &layout.inputs {
        line(&mut signals, &format!("  reg  [{}:0] {};", field.width - 1, field.name));
        line(&mut drive, &format!("        {} = {};", field.name, slice(field, 0, total)));
    }
    for (index, field) in layout.outputs.iter().enumerate() {
        let Field { name, width, .. } = field;
        line(&mut signals, &format!("  wire [{}:0] {name};", width - 1));
        line(
            &mut signals,
            &format!("  wire [{}:0] want_{index} = {};", width - 1, slice(field, layout.input_bytes, total)),
        );
        line(&mut unknown, &format!("      unknown[{index}] = ^{name} === 1'bx;"));
        line(&mut compare, &format!("            if (!found && {name} !== want_{index}) begin"));
        line(&mut compare, "              found = 1'b1;");
        line(
            &mut compare,
            &format!(
                "              if (since == 0) $display(\"mismatch %0d {name} %h %h\", cycle, want_{index}, {name});"
            ),
        );
        line(&mut compare, "            end");
    }
    for name in layout.inputs.iter().chain(&layout.outputs).map(|field| &field.name) {
        let _ = write!(connect, ",\n    .{name}({name})");
    }
    TEMPLATE
        .replace("@TOP@", &dut.top)
        .replace("@CLOCK@", &dut.clock)
        .replace("@RECORD_TOP@", &(8 * total - 1).to_string())
        .replace("@RECORD_BYTES@", &total.to_string())
        .replace("@CHECK@", &(8 * (total - 1)).to_string())
        .replace("@MAX_FRAME@", &MAX_FRAME.to_string())
        .replace("@SIGNALS@", &signals)
        .replace("@CONNECT@", &connect)
        .replace("@DRIVE@", &drive)
        .replace("@UNKNOWN@", &unknown)
        .replace("@COMPARE@", &compare)
        .replace("@EMIT@", &emit(layout))
}

fn line(text: &mut String, statement: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{statement}");
}

/// The part of `record` that holds a field. `$fread` puts the first byte of a
/// record into the highest bits.
fn slice(field: &Field, start: usize, total: usize) -> String {
    let low = |byte: usize| 8 * (total - 1 - start - byte);
    if field.width == 1 {
        return format!("record[{}]", low(field.byte) + field.bit);
    }
    // Little endian: the last byte is the highest, and may be used in part.
    let bytes = (0..field.bytes()).rev().map(|index| {
        let bits = (field.width - 8 * index).min(8);
        let low = low(field.byte + index);
        format!("record[{}:{low}]", low + bits - 1)
    });
    format!("{{{}}}", bytes.collect::<Vec<_>>().join(", "))
}

/// Statements that write the outputs as 32-bit words, and the unknown mask.
/// Unknown bits become 0 in `%u`, the mask tells.
fn emit(layout: &Layout) -> String {
    let mut text = String::new();
    for word in 0..layout.output_bytes / 4 {
        let mut parts = Vec::new();
        for field in &layout.outputs {
            let name = &field.name;
            if field.width == 1 && field.byte / 4 == word {
                parts.push(format!("({{31'b0, {name}}} << {})", 8 * (field.byte % 4) + field.bit));
            }
            for index in (0..field.bytes()).filter(|index| field.width > 1 && (field.byte + index) / 4 == word) {
                let top = (8 * index + 7).min(field.width - 1);
                let pad = 32 - (top + 1 - 8 * index);
                let shift = 8 * ((field.byte + index) % 4);
                parts.push(format!("({{{pad}'b0, {name}[{top}:{}]}} << {shift})", 8 * index));
            }
        }
        let value = if parts.is_empty() { "32'b0".to_owned() } else { parts.join(" | ") };
        line(&mut text, &format!("          word = {value};"));
        line(&mut text, "          $fwrite(STDOUT, \"%u\", word);");
    }
    text
}

const TEMPLATE: &str = r#"// Generated by axp from the port list. Do not edit.
`timescale 1ns/1ps
`default_nettype none
module AxpBench;
  localparam [31:0] STDIN = 32'h8000_0000;
  localparam [31:0] STDOUT = 32'h8000_0001;
  localparam [31:0] STDERR = 32'h8000_0002;

  reg  @CLOCK@;
  reg  [@RECORD_TOP@:0] record;
@SIGNALS@
  @TOP@ dut (
@CONNECT@
  );

  reg [31:0] raw, count, index, word, unknown;
  reg [63:0] cycle, since, mismatches, from, to;
  reg [8*256-1:0] file;
  reg emitting, tracing, found, more;
  integer got;

  task fail(input [8*48-1:0] reason);
    begin
      $fdisplay(STDERR, "%0s", reason);
      $finish(0);
      more = 1'b0;
    end
  endtask

  task find_unknown;
    begin
      unknown = 32'b0;
@UNKNOWN@    end
  endtask

  initial begin
    @CLOCK@ = 1'b0;
    emitting = $test$plusargs("emit");
    tracing = $value$plusargs("trace=%s", file);
    from = 64'hFFFF_FFFF_FFFF_FFFF;
    to = 64'hFFFF_FFFF_FFFF_FFFF;
    if (tracing) begin
      got = $value$plusargs("from=%d", from);
      got = $value$plusargs("to=%d", to);
      $dumpfile(file);
    end
    cycle = 0;
    since = 0;
    mismatches = 0;
    more = 1'b1;
    while (more) begin
      got = $fread(raw, STDIN);
      count = {raw[7:0], raw[15:8], raw[23:16], raw[31:24]};
      if (got == 0) more = 1'b0;
      else if (got != 4) fail("the test vectors end inside a count");
      else if (count == 0) begin
        if (!emitting) $display("mark %0d %0d", cycle, since);
        since = 0;
        $fflush(STDOUT);
      end else if (count > @MAX_FRAME@) fail("a frame is larger than the layout allows");
      else begin
        index = 0;
        while (more && index < count) begin
          got = $fread(record, STDIN);
          if (got != @RECORD_BYTES@) fail("the test vectors end inside a frame");
          else step;
          index = index + 1;
        end
        if (emitting) $fflush(STDOUT);
      end
    end
    if (!emitting) $display("done %0d %0d", cycle, mismatches);
    $finish(0);
  end

  task step;
    begin
      if (tracing && cycle == from) $dumpvars(0, dut);
      @CLOCK@ = 1'b0;
@DRIVE@      #5;
      found = 1'b0;
      if (emitting) begin
@EMIT@        find_unknown;
        $fwrite(STDOUT, "%u", unknown);
      end else if (record[@CHECK@]) begin
@COMPARE@        if (found) begin
          since = since + 1;
          mismatches = mismatches + 1;
        end
      end
      @CLOCK@ = 1'b1;
      #5;
      cycle = cycle + 1;
      if (tracing && cycle > to) more = 1'b0;
    end
  endtask
endmodule
`default_nettype wire
"#;

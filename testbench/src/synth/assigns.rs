//! Assignments of a netlist in the form that OpenSTA reads.
//!
//! Yosys writes what is wired without a cell as `assign { a, b[2:1] } = 3'b000;`.
//! OpenSTA's reader knows no concatenations, so they become one assignment a bit.

use std::collections::HashMap;

/// The netlist with every assignment to a concatenation taken apart; anything
/// else, and what is not understood, stays as it is.
pub fn single_bits(netlist: &str) -> String {
    let widths = widths(netlist);
    let mut text = String::with_capacity(netlist.len());
    for line in netlist.lines() {
        match bits_of(line, &widths) {
            Some(pairs) => {
                for (left, right) in pairs {
                    text += &format!("  assign {left} = {right};\n");
                }
            }
            None => {
                text += line;
                text.push('\n');
            }
        }
    }
    text
}

/// The ranges of the vectors that are declared.
fn widths(netlist: &str) -> HashMap<String, (u32, u32)> {
    let mut widths = HashMap::new();
    for line in netlist.lines() {
        let mut words = line.trim().trim_end_matches(';').split_whitespace();
        let (Some("input" | "output" | "wire"), Some(range), Some(name)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if let Some(range) = range.strip_prefix('[').and_then(|range| range.strip_suffix(']')).and_then(bounds) {
            widths.insert(name.to_owned(), range);
        }
    }
    widths
}

fn bounds(range: &str) -> Option<(u32, u32)> {
    let (high, low) = range.split_once(':').unwrap_or((range, range));
    Some((high.parse().ok()?, low.parse().ok()?))
}

/// Both sides of an assignment to or of a concatenation, bit by bit.
fn bits_of(line: &str, widths: &HashMap<String, (u32, u32)>) -> Option<Vec<(String, String)>> {
    let (left, right) = line.trim().strip_prefix("assign ")?.strip_suffix(';')?.split_once(" = ")?;
    if !left.starts_with('{') && !right.starts_with('{') {
        return None;
    }
    let (left, right) = (side(left, widths)?, side(right, widths)?);
    (left.len() == right.len()).then(|| left.into_iter().zip(right).collect())
}

/// The bits of one side, the highest first.
fn side(text: &str, widths: &HashMap<String, (u32, u32)>) -> Option<Vec<String>> {
    let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let mut bits = Vec::new();
    for part in inside.split(", ") {
        bits.extend(part_bits(part.trim(), widths)?);
    }
    Some(bits)
}

fn part_bits(part: &str, widths: &HashMap<String, (u32, u32)>) -> Option<Vec<String>> {
    if let Some((_, digits)) = part.split_once("'b") {
        return Some(digits.chars().map(|digit| format!("1'b{digit}")).collect());
    }
    // An escaped name ends with a space, and may itself contain brackets.
    let (name, range) = match part.strip_suffix(']').and_then(|part| part.rsplit_once('[')) {
        Some((name, range)) if !name.starts_with('\\') || name.ends_with(' ') => (name, Some(bounds(range)?)),
        _ => (part, None),
    };
    match range.or_else(|| widths.get(name).copied()) {
        None if name.starts_with('\\') => Some(vec![format!("{name} ")]),
        None => Some(vec![name.to_owned()]),
        Some((high, low)) => Some((low..=high).rev().map(|bit| format!("{name}[{bit}]")).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concatenations_become_single_bits_and_the_rest_stays() {
        let netlist = "\
module m(a, y);
  input [3:0] a;
  output [4:0] y;
  wire b;
  assign { y[4], y[2:1] } = 3'b010;
  assign { y[3], y[0] } = { b, a[3] };
  assign y = { b, a };
  assign b = a[0];
endmodule
";
        let expected = "\
module m(a, y);
  input [3:0] a;
  output [4:0] y;
  wire b;
  assign y[4] = 1'b0;
  assign y[2] = 1'b1;
  assign y[1] = 1'b0;
  assign y[3] = b;
  assign y[0] = a[3];
  assign y[4] = b;
  assign y[3] = a[3];
  assign y[2] = a[2];
  assign y[1] = a[1];
  assign y[0] = a[0];
  assign b = a[0];
endmodule
";
        assert_eq!(single_bits(netlist), expected);
    }

    #[test]
    fn escaped_names_keep_their_brackets() {
        let line = "  assign { \\part.q[1] , y } = { y, \\part.q[1]  };\n";
        assert_eq!(single_bits(line), "  assign \\part.q[1]  = y;\n  assign y = \\part.q[1] ;\n");
    }
}

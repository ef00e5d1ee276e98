//! Which names can be modules, and so files and folders.

/// Whether a name is safe as a module and a folder: 1 to 48 lower-case letters,
/// digits and `_`, a letter first, no `__`, no `_` at the end, no keyword.
pub fn is_safe_name(name: &str) -> bool {
    (1..=48).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.contains("__")
        && !name.ends_with('_')
        && !VERILOG_KEYWORDS.contains(&name)
}

/// Reserved words of Verilog-2005 and SystemVerilog that the character rule
/// alone would let through.
#[rustfmt::skip] // One word a line would be 240 lines.
pub const VERILOG_KEYWORDS: &[&str] = &[
    "alias", "always", "and", "assert", "assign", "assume", "automatic", "before", "begin", "bind", "bins", "bit",
    "break", "buf", "bufif0", "bufif1", "byte", "case", "casex", "casez", "cell", "chandle", "checker", "class",
    "clocking", "cmos", "config", "const", "constraint", "context", "continue", "cover", "covergroup",
    "coverpoint", "cross", "deassign", "default", "defparam", "design", "disable", "dist", "do", "edge", "else",
    "end", "endcase", "endclass", "endconfig", "endfunction", "endgenerate", "endmodule", "endpackage",
    "endprimitive", "endproperty", "endspecify", "endtable", "endtask", "enum", "event", "eventually", "expect",
    "export", "extends", "extern", "final", "for", "force", "foreach", "forever", "fork", "function", "generate",
    "genvar", "global", "highz0", "highz1", "if", "iff", "ifnone", "ignore_bins", "implements", "implies",
    "import", "incdir", "include", "initial", "inout", "input", "inside", "instance", "int", "integer",
    "interconnect", "interface", "intersect", "join", "large", "let", "liblist", "library", "local", "localparam",
    "logic", "longint", "macromodule", "matches", "medium", "modport", "module", "nand", "negedge", "nettype",
    "new", "nexttime", "nmos", "nor", "noshowcancelled", "not", "notif0", "notif1", "null", "or", "output",
    "package", "packed", "parameter", "pmos", "posedge", "primitive", "priority", "program", "property",
    "protected", "pull0", "pull1", "pulldown", "pullup", "pure", "rand", "randc", "randcase", "rcmos", "real",
    "realtime", "ref", "reg", "reject_on", "release", "repeat", "restrict", "return", "rnmos", "rpmos", "rtran",
    "rtranif0", "rtranif1", "scalared", "sequence", "shortint", "shortreal", "signed", "small", "soft", "solve",
    "specify", "specparam", "static", "string", "strong", "strong0", "strong1", "struct", "super", "supply0",
    "supply1", "table", "tagged", "task", "this", "throughout", "time", "timeprecision", "timeunit", "tran",
    "tranif0", "tranif1", "tri", "tri0", "tri1", "triand", "trior", "trireg", "type", "typedef", "union", "unique",
    "unique0", "unsigned", "until", "untyped", "use", "uwire", "var", "vectored", "virtual", "void", "wait",
    "wand", "weak", "weak0", "weak1", "while", "wildcard", "wire", "with", "within", "wor", "xnor", "xor",
];

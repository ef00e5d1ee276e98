//! The lint over rust-hdl kernels: nothing in ours, and every bad construct found.

use axp_testbench::source_lint::{Finding, Rule, lint_folder, lint_sources};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn our_kernels_have_no_findings() {
    // Descriptions of axp are circuits; kernels stand among the back-end's examples.
    let report = lint_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl")).unwrap();
    let text: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{}", text.join("\n"));
    assert!(report.kernels >= 3, "only {} kernels were seen", report.kernels);
}

/// The kernel of a block with some signals, its body on lines from 18 on.
fn kernel(body: &str) -> Vec<Finding> {
    let text = format!(
        "\
struct Child {{
    d_i: Signal<In, Bits<8>>,
    q_o: Signal<Out, Bits<8>>,
}}
struct Parent<const N: usize> {{
    a: Signal<In, Bits<8>>,
    b: Signal<In, Bits<8>>,
    flag: Signal<In, Bit>,
    wide: Signal<In, Bits<N>>,
    y: Signal<Out, Bits<8>>,
    z: Signal<Out, Bit>,
    child: Child,
    lane: Vec<Child>,
}}
impl<const N: usize> Logic for Parent<N> {{
    #[hdl_gen]
    fn update(&mut self) {{
{body}
    }}
    fn not_a_kernel(&self) -> bool {{ 1 + 2 == 3 && N == 3 }}
}}
"
    );
    let report = lint_sources(&[(PathBuf::from("parent.rs"), text)]).unwrap();
    assert_eq!(report.kernels, 1);
    report.findings
}

#[test]
fn every_bad_construct_is_found_where_it_stands() {
    let a = "self.a.val()";
    let b = "self.b.val()";
    let cases = [
        (Rule::Precedence, format!("self.z.next = {a} & {b} == {b};")),
        (Rule::Precedence, format!("self.y.next = {a} & {b} | {a};")),
        (Rule::CastOfExpression, format!("self.w.next = bit_cast::<9, 8>({a} + {b});")),
        (Rule::CastOfExpression, format!("self.w.next = bit_cast::<9, 8>(!{a});")),
        (Rule::WideningLiteral, format!("self.z.next = ({a} + 1) == {b};")),
        (Rule::WideningLiteral, format!("self.y.next = ({a} + 1) >> 1;")),
        (Rule::WideningLiteral, format!("self.z.next = !{a} == 5;")),
        (Rule::WideningLiteral, format!("self.z.next = ({a} - {b}) > 3;")),
        (Rule::WideningLiteral, format!("self.z.next = ({a} + bits::<8>(1)) == {b};")),
        (Rule::WideningLiteral, format!("self.y.next = (({a} - {b}) >> 1) & 0x7F;")),
        (Rule::WideningLiteral, format!("self.z.next = ({a} + 1).any();")),
        (Rule::WideningLiteral, format!("self.z.next = ({a} | 1).all();")),
        (Rule::WideningLiteral, format!("self.y.next = {a} << ({b} + 1);")),
        (Rule::WideningLiteral, format!("if ({a} << 1) == 2 {{ self.y.next = {b}; }}")),
        (Rule::WideningLiteral, format!("for i in 0..4 {{ self.z.next = ({a} + i.to_bits::<8>()) == {b}; }}")),
        (Rule::PastTheTop, format!("self.y.next = {a}.get_bits::<4>(5);")),
        (Rule::PastTheTop, format!("self.z.next = {a}.get_bit(8);")),
        (Rule::PastTheTop, "self.y.next = self.child.q_o.val().get_bits::<4>(6);".to_owned()),
        (Rule::PastTheTop, format!("for i in 0..9 {{ self.z.next = {a}.get_bit(i); }}")),
        (Rule::InclusiveRange, format!("for i in 0..=3 {{ self.lane[i].d_i.next = {a}; }}")),
        (
            Rule::MatchGuard,
            format!("match {a}.index() {{ 0 if self.flag.val() => {{ self.y.next = {b}; }} _ => {{}} }}"),
        ),
        (Rule::MatchBool, format!("match self.flag.val() {{ true => {{ self.y.next = {a}; }} false => {{}} }}")),
        (Rule::MatchExpression, format!("match ({a} + {b}).index() {{ 0 => {{ self.y.next = {b}; }} _ => {{}} }}")),
        (Rule::ConstantItem, format!("self.y.next = {a} + LIMIT;")),
        (Rule::ConstantItem, format!("self.y.next = {a} + Self::LIMIT;")),
        (Rule::ConstantItem, format!("self.z.next = {a} == N.to_bits();")),
        (Rule::NestedArray, format!("for i in 0..4 {{ self.lane[i].row[i].d_i.next = {a}; }}")),
        (Rule::NestedArray, "for i in 0..4 { self.y.next = self.table[i][0].val(); }".to_owned()),
        (Rule::NestedField, "self.y.next = self.packet.val().head.kind;".to_owned()),
        (Rule::NestedField, format!("self.packet.next.head.kind = {a};")),
        (Rule::SliceOfExpression, format!("self.y.next = ({a} + {b}).get_bits::<4>(0);")),
        (Rule::SliceOfExpression, format!("self.z.next = {a}.get_bits::<4>(0).get_bit(1);")),
        (Rule::SliceOfExpression, format!("self.y.next = ({a} ^ {b}).replace_bit(0, true);")),
        (Rule::ConstantKernel, "self.y.next = 5.into();".to_owned()),
        (Rule::ChildInputRead, format!("self.child.d_i.next = {a}; self.y.next = self.child.d_i.val();")),
        (
            Rule::ChildInputRead,
            format!("for i in 0..2 {{ self.lane[i].d_i.next = {a}; self.y.next = self.lane[i].d_i.val(); }}"),
        ),
        (Rule::IndexArithmetic, format!("self.z.next = {a}.index() == 3;")),
        (Rule::Signed, format!("self.y.next = unsigned_bit_cast(signed_bit_cast::<8, 8>({a}));")),
        (Rule::Signed, format!("self.z.next = {a}.to_signed_bits();")),
    ];
    let mut covered = BTreeSet::new();
    for (rule, line) in cases {
        // A line before and one after, to see that the place is right.
        let found = kernel(&format!("        self.y.next = {a};\n        {line}\n        self.y.next = {b};"));
        let constant = rule == Rule::ConstantKernel;
        let found = if constant { kernel(&format!("        {line}")) } else { found };
        let expected_line = if constant { 17 } else { 19 };
        let hit = found.iter().find(|finding| finding.rule == rule).unwrap_or_else(|| panic!("{line}: {found:?}"));
        assert_eq!(hit.line, expected_line, "{line}");
        let text = hit.to_string();
        assert!(text.starts_with(&format!("parent.rs:{expected_line}:")) && text.contains("; "), "{text}");
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        covered.insert(rule);
    }
    assert_eq!(covered.len(), Rule::ALL.len(), "not every rule has an example");
}

#[test]
fn what_translates_exactly_is_left_alone() {
    for line in [
        "self.y.next = self.a.val() + 1;",
        "self.y.next = self.a.val() + self.b.val() + 1;",
        "self.y.next = !(self.a.val() + 1);",
        "self.y.next = self.a.val() + self.flag.val();",
        "self.z.next = self.a.val() == 5;",
        "self.z.next = (self.a.val() & self.b.val()) == 5;",
        "self.z.next = (self.a.val() + self.b.val()) == self.b.val();",
        "self.y.next = (self.a.val() & 0x0F) >> 2;",
        "self.y.next = self.a.val() >> 1;",
        "self.z.next = !self.flag.val() & !(self.a.val() == 0);",
        "self.z.next = (self.a.val() == 1) | (self.b.val() == 2);",
        "self.z.next = (self.a.val() & self.b.val()).any();",
        "self.y.next = self.a.val().get_bits::<4>(4);",
        "self.y.next = self.wide.val().get_bits::<4>(60);",
        "self.y.next = bit_cast::<8, 4>(self.a.val().get_bits::<4>(4));",
        "self.y.next = bits::<8>(3);",
        "for i in 0..8 { self.z.next = self.a.val().get_bit(i); }",
        "for i in 0..N { self.lane[i + 1].d_i.next = self.lane[i].q_o.val(); }",
        "self.y.next = self.a.val().replace_bit(self.b.val().index(), true);",
        "match self.a.val().index() { 0 => { self.y.next = self.b.val(); } _ => {} }",
        "match self.state.val() { State::Idle => { self.y.next = self.b.val(); } _ => {} }",
        "if self.state.val() == State::Idle { self.y.next = self.b.val(); }",
        "self.y.next = self.packet.val().kind;",
        "self.packet.next.kind = self.a.val();",
        "self.child.d_i.next = self.a.val(); self.y.next = self.child.q_o.val();",
        "Bus::link(&mut self.bus, &mut self.child.bus);",
        "clock!(self, clk, child);",
    ] {
        let found = kernel(&format!("        self.z.next = self.flag.val();\n        {line}"));
        assert!(found.is_empty(), "{line}: {found:?}");
    }
}

#[test]
fn what_is_no_rust_is_an_error() {
    let error = lint_sources(&[(PathBuf::from("bad.rs"), "fn a() {\n    let = 3;\n}".to_owned())]).unwrap_err();
    assert!(error.to_string().starts_with("cannot parse bad.rs at line 2: "), "{error}");
    let error = lint_folder(Path::new("no/such/folder")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read no/such/folder: "), "{error}");
}

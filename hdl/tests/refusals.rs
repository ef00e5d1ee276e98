//! What the back-end refuses, and how it says so.

use axp_hdl::annotate;
use axp_hdl::verilog::emit;
use axp_spec::{Content, LayerMemory, PeConfig, Storage};
use rust_hdl::prelude::ast::{VerilogExpression as Expr, VerilogLink, VerilogLinkDetails, VerilogOp, VerilogStatement};
use rust_hdl::prelude::*;

/// A block that computes whatever syntax tree it is given.
#[derive(LogicBlock)]
struct Tree {
    a_i: Signal<In, Bits<8>>,
    flag_i: Signal<In, Bit>,
    y_o: Signal<Out, Bits<8>>,
    x: Signal<Local, Bits<8>>,
    _code: Verilog,
}

impl Tree {
    fn new(code: Verilog) -> Self {
        let mut block = Self {
            a_i: annotate::signal("operand"),
            flag_i: annotate::signal("flag"),
            y_o: annotate::signal("result"),
            x: annotate::signal("inside"),
            _code: code,
        };
        annotate::module(&mut block.a_i, "axp_tree", "a tree");
        block.connect_all();
        block
    }
}

impl Logic for Tree {
    fn update(&mut self) {}

    fn connect(&mut self) {
        self.y_o.connect();
        self.x.connect();
    }

    fn hdl(&self) -> Verilog {
        self._code.clone()
    }
}

fn refusal(block: &dyn Block) -> String {
    emit(block, "axp_top", &[], &[]).unwrap_err().to_string()
}

fn statements(list: Vec<VerilogStatement>) -> String {
    refusal(&Tree::new(Verilog::Combinatorial(list)))
}

fn signal(name: &str) -> Expr {
    Expr::Signal(name.to_owned())
}

fn set(target: &str, value: Expr) -> VerilogStatement {
    VerilogStatement::Assignment(signal(target), value)
}

fn number(value: u64) -> Expr {
    Expr::Literal(value.into())
}

fn binary(left: Expr, op: VerilogOp, right: Expr) -> Expr {
    Expr::Binary(Box::new(left), op, Box::new(right))
}

#[test]
fn what_has_no_exact_verilog_is_named() {
    let slice = |offset: u64| Expr::Slice(Box::new(signal("a_i")), 8, Box::new(number(offset)));
    let link = |kind: fn(VerilogLinkDetails) -> VerilogLink| {
        let details = VerilogLinkDetails { my_name: String::new(), owner_name: "a_i".into(), other_name: "y_o".into() };
        VerilogStatement::Link(vec![kind(details)])
    };
    for (list, expected) in [
        (vec![set("y_o", signal("LIMIT"))], "LIMIT is no signal of this block"),
        (vec![set("y_o", signal("a_i[0][1]"))], "nested arrays"),
        (vec![set("y_o", signal("a_i[k]"))], "the index is not made of loop variables and numbers"),
        (vec![set("y_o", signal("a_i[0"))], "bracket without end"),
        (vec![set("y_o", number(256))], "does not fit 8 bits"),
        (vec![set("y_o", signal("flag_i"))], "has 1 bits where 8 are needed"),
        (vec![set("y_o", binary(number(1), VerilogOp::Shl, signal("flag_i"))), set("x", number(0))], ""),
        (vec![set("y_o", slice(8))], "bit 8 of a signal of 8 bits is read"),
        (vec![set("y_o", Expr::Index(Box::new(number(5)), Box::new(number(0))))], "bits where 8 are needed"),
        (vec![set("y_o", Expr::Signed(Box::new(signal("a_i"))))], "signed arithmetic"),
        (vec![set("a_i", number(0))], "rust-hdl refuses it"),
        (vec![VerilogStatement::Assignment(number(1), number(2))], "assignment to something that is no signal"),
        (vec![set("y_o", binary(signal("y_o"), VerilogOp::Add, number(1)))], "rust-hdl refuses it: LogicLoops"),
        (vec![link(VerilogLink::Bidirectional)], "a bidirectional link"),
    ] {
        if expected.is_empty() {
            // The amount of a shift takes no width from its result, which has one here.
            let block = Tree::new(Verilog::Combinatorial(list));
            assert!(emit(&block, "axp_top", &[], &[]).unwrap().modules[0].text.contains("8'h01 << flag_i"));
            continue;
        }
        let found = statements(list);
        assert!(found.starts_with("module axp_top: ") && found.contains(expected), "{expected}: {found}");
    }
}

#[test]
fn a_frozen_memory_has_no_latches() {
    let mut config = PeConfig::pair("axp_frozen", 2);
    let am = config.am.as_mut().unwrap();
    (am.storage, am.content) = (Storage::Latches, Content::Frozen { layers: vec![LayerMemory::default()] });
    let found = axp_hdl::generate(&config).unwrap_err().to_string();
    assert!(found.contains("a frozen memory has no rows to keep in latches"), "{found}");
}

#[test]
fn latches_are_named() {
    let conditional = |otherwise| {
        VerilogStatement::If(ast::VerilogConditional {
            test: signal("flag_i"),
            then: vec![set("y_o", signal("a_i"))],
            otherwise,
        })
    };
    let found = statements(vec![conditional(ast::VerilogBlockOrConditional::None)]);
    assert!(found.contains("y_o keeps its old value on some path (a latch)"), "{found}");
    let other = ast::VerilogBlockOrConditional::Block(vec![set("x", number(0))]);
    let found = statements(vec![conditional(other)]);
    assert!(found.contains("keeps its old value"), "{found}");
    let half = VerilogStatement::If(ast::VerilogConditional {
        test: signal("flag_i"),
        then: vec![set("x", signal("a_i"))],
        otherwise: ast::VerilogBlockOrConditional::None,
    });
    let found = statements(vec![half, set("y_o", signal("x")), set("x", number(0))]);
    assert!(found.contains("x is read before it has a value in the same sequence"), "{found}");
    let part = VerilogStatement::SliceAssignment {
        base: signal("y_o"),
        width: 7,
        offset: number(0),
        replacement: Expr::Slice(Box::new(signal("a_i")), 7, Box::new(number(0))),
    };
    let found = statements(vec![part]);
    assert!(found.contains("y_o keeps its old value"), "{found}");
}

#[test]
fn a_match_must_end_where_rust_ends_it() {
    let arms = |conditions: &[&str]| {
        let cases = conditions.iter().map(|condition| ast::VerilogCase {
            condition: (*condition).to_owned(),
            block: vec![set("y_o", signal("a_i"))],
        });
        statements(vec![VerilogStatement::Match(ast::VerilogMatch { test: signal("a_i"), cases: cases.collect() })])
    };
    assert!(arms(&["default", "1"]).contains("match arms after `_`"));
    assert!(arms(&["1", "other"]).contains("the match arm \"other\""));
    assert!(arms(&["256"]).contains("does not fit 8 bits"));
    assert!(arms(&["1", "2"]).contains("y_o keeps its old value"));
}

#[test]
fn black_boxes_and_cores_are_refused() {
    let found = refusal(&Tree::new(Verilog::Blackbox(BlackBox { code: String::new(), name: "x".into() })));
    assert!(found.contains("a black box"), "{found}");
    let wrapper = Wrapper { code: String::new(), cores: "module x; endmodule".into() };
    let found = refusal(&Tree::new(Verilog::Wrapper(wrapper)));
    assert!(found.contains("cores in a wrapper"), "{found}");
}

/// A block around two others, which may be named as one likes.
#[derive(LogicBlock)]
struct Pair {
    a_i: Signal<In, Bits<8>>,
    y_o: Signal<Out, Bits<8>>,
    first: Tree,
    second: Tree,
}

impl Logic for Pair {
    #[hdl_gen]
    fn update(&mut self) {
        self.first.a_i.next = self.a_i.val();
        self.first.flag_i.next = true;
        self.second.a_i.next = self.first.y_o.val();
        self.second.flag_i.next = false;
        self.y_o.next = self.second.y_o.val();
    }
}

fn pair(first: u64, second: u64) -> Pair {
    let tree = |value| {
        Tree::new(Verilog::Combinatorial(vec![
            set("y_o", binary(signal("a_i"), VerilogOp::Add, number(value))),
            set("x", number(0)),
        ]))
    };
    let mut pair = Pair {
        a_i: annotate::signal("operand"),
        y_o: annotate::signal("result"),
        first: tree(first),
        second: tree(second),
    };
    pair.connect_all();
    pair
}

#[test]
fn one_name_stands_for_one_text() {
    let emitted = emit(&pair(1, 1), "axp_top", &[], &[]).unwrap();
    assert_eq!(emitted.modules.len(), 2);
    assert_eq!(emitted.modules[0].stock_names, ["top$first", "top$second"]);
    let found = refusal(&pair(1, 2));
    assert!(found.starts_with("module axp_tree: two different modules have this name"), "{found}");
    assert!(found.contains("8'h01") && found.contains("8'h02"), "{found}");
}

#[test]
fn names_and_documentation_must_be_there() {
    let good = || Tree::new(Verilog::Combinatorial(vec![set("y_o", signal("a_i")), set("x", number(0))]));
    assert!(emit(&good(), "axp_top", &[], &[]).is_ok());
    for name in ["module", "9", "a b", "a$b", ""] {
        let found = emit(&good(), name, &[], &[]).unwrap_err().to_string();
        assert!(found.contains("not a legal module name"), "{found}");
    }
    let mut block = good();
    block.y_o = Signal::default();
    block.connect_all();
    assert!(refusal(&block).contains("port y_o has no documentation"), "{}", refusal(&block));

    let mut outer = pair(1, 1);
    outer.second.a_i = annotate::signal("not named");
    outer.connect_all();
    assert!(refusal(&outer).contains("the block top$second has no name"), "{}", refusal(&outer));

    let unconnected =
        Pair { a_i: annotate::signal("operand"), y_o: annotate::signal("result"), first: good(), second: good() };
    assert!(refusal(&unconnected).contains("rust-hdl refuses it: OpenSignal"), "{}", refusal(&unconnected));
}

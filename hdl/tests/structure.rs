//! rust-hdl's own checks on every module: all inputs driven, no combinational
//! loop, no input written; and its emitter takes them all.

use axp_hdl::pe;
use axp_spec::{Accumulator, FloatFormat, PeConfig, ResetStyle, Storage};
use rust_hdl::prelude::*;

fn configs() -> Vec<PeConfig> {
    let mut configs: Vec<PeConfig> = [1, 2, 5, 37].iter().map(|rows| PeConfig::pair("axp_test", *rows)).collect();
    configs[2].reset = ResetStyle::Sync;
    (configs[2].multiplier_stages, configs[2].adder_stages) = (2, 1);
    configs[3].format = FloatFormat::Binary16;
    configs.extend([(1, 0), (3, 2)].map(|(columns, bits)| PeConfig::factored("axp_test", columns, bits)));
    let accumulator = Accumulator::Fixed { width: 20, product_width: 7 };
    configs.push(PeConfig::grid("axp_test", 2, 3));
    for index in [1, 4, configs.len() - 1] {
        let mut latched = configs[index].clone();
        latched.am.as_mut().unwrap().storage = Storage::Latches;
        configs.push(latched);
    }
    configs.push(PeConfig { accumulator, multiplier_stages: 1, ..PeConfig::factored("axp_test", 2, 1) });
    configs
}

#[test]
fn every_module_passes_the_checks() {
    for config in configs() {
        check_all(&pe::describe(&config).unwrap()).unwrap();
        for module in pe::modules(&config).unwrap() {
            check_all(module.as_ref()).unwrap();
        }
    }
}

/// Module names and the modules below each instance, as the probe sees them.
#[derive(Default)]
struct Names {
    named: Vec<String>,
    open: Vec<bool>,
}

impl Probe for Names {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.open.push(false);
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        if let Some(note) = axp_hdl::annotate::module_note(signal) {
            let named = self.open.last_mut().unwrap();
            assert!(!*named, "{} is named twice", note.name);
            *named = true;
            self.named.push(note.name);
        }
        assert!(axp_hdl::annotate::port_doc(signal).is_some(), "{name} is not documented");
    }

    fn visit_end_scope(&mut self, name: &str, _node: &dyn Block) {
        assert!(self.open.pop().unwrap(), "{name} has no module name");
    }
}

#[test]
fn every_module_is_named_and_every_signal_documented() {
    for config in configs() {
        let mut whole = Names::default();
        pe::describe(&config).unwrap().accept("top", &mut whole);
        let mut used = whole.named;
        used.sort();
        used.dedup();

        let mut listed: Vec<String> = pe::modules(&config)
            .unwrap()
            .iter()
            .map(|module| {
                let mut names = Names::default();
                module.accept("top", &mut names);
                names.named[0].clone()
            })
            .collect();
        assert_eq!(listed.last(), Some(&config.name));
        listed.sort();
        // The list is complete; the clock gate is instantiated by Verilog text.
        listed.retain(|name| name != axp_hdl::prim::ClockGate::MODULE);
        assert_eq!(listed, used);
    }
}

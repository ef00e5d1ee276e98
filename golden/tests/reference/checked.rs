//! A PE whose outputs are predicted in every cycle.

use axp_golden::am::Am;
use axp_golden::float;
use axp_golden::pe::{self, CyclePe};
use axp_spec::{AmImage, FloatFormat::Binary32, PeConfig, PeInputs, PeOutputs};
use std::collections::VecDeque;

pub const ROWS: usize = 8;

/// Without cuts.
pub fn config() -> PeConfig {
    PeConfig::pair("pe", ROWS)
}

/// A PE, and what its ports must show in the current cycle.
pub struct Checked {
    config: PeConfig,
    pub pe: CyclePe,
    cycle: u64,
    /// The memory as operands of this cycle find it.
    pub am: Am,
    /// The sums of the pairs accepted so far: a pair's position since `first`
    /// picks one, if there are two.
    sums: [u32; 2],
    position: usize,
    /// For each result not yet offered: the edges of a moving pipe until then.
    in_flight: VecDeque<u32>,
    /// Results that are offered or wait behind the offered one.
    pending: usize,
    /// All results not yet taken, oldest first.
    pub results: VecDeque<u32>,
    /// What `data` shows while `valid` is low.
    held: u32,
    /// Cycles in which a `last` was accepted.
    pub accepted_lasts: Vec<u64>,
    /// Results in the order in which they were taken, and the cycles of that.
    pub taken: Vec<u32>,
    pub taken_in: Vec<u64>,
    pub frozen_cycles: u64,
}

impl Checked {
    pub fn new(image: &AmImage) -> Self {
        Self::of(&config(), image)
    }

    pub fn of(config: &PeConfig, image: &AmImage) -> Self {
        let mut pe = CyclePe::new(config);
        pe.load(image).unwrap();
        let am = pe.am().clone();
        Self {
            config: config.clone(),
            pe,
            cycle: 0,
            am,
            sums: [0; 2],
            position: 0,
            in_flight: VecDeque::new(),
            pending: 0,
            results: VecDeque::new(),
            held: 0,
            accepted_lasts: Vec::new(),
            taken: Vec::new(),
            taken_in: Vec::new(),
            frozen_cycles: 0,
        }
    }

    /// Steps the PE by one cycle and compares every output.
    pub fn step(&mut self, inputs: &PeInputs) -> PeOutputs {
        let outputs = self.pe.step(inputs);
        let frozen = self.pending == 2;
        let valid = self.pending > 0;
        if valid {
            self.held = self.results[0];
        }
        assert_eq!(
            outputs,
            PeOutputs { ready: !frozen, valid, data: self.held, ..PeOutputs::default() },
            "in cycle {}",
            self.cycle
        );

        if valid && inputs.out_ready {
            self.pending -= 1;
            self.taken.extend(self.results.pop_front());
            self.taken_in.push(self.cycle);
        }
        if !frozen {
            self.in_flight.iter_mut().for_each(|edges| *edges -= 1);
            if self.in_flight.front() == Some(&0) {
                self.in_flight.pop_front();
                self.pending += 1;
            }
            if inputs.valid {
                self.accept(inputs);
            }
        }
        if let Some(write) = &inputs.row {
            self.am.write(write);
        }
        self.frozen_cycles += u64::from(frozen);
        self.cycle += 1;
        outputs
    }

    fn accept(&mut self, inputs: &PeInputs) {
        // The product of a pair is the sum of that pair alone: an accumulator
        // that starts at +0 never becomes -0, so the lost sign of a zero
        // product makes no difference.
        let alone = pe::sum(&config(), &self.am, inputs.zero_skip, [(inputs.weight, inputs.activation)]);
        if inputs.first {
            (self.sums, self.position) = ([0; 2], 0);
        }
        let interleaved = self.config.adder_stages == 1;
        let sum = &mut self.sums[if interleaved { self.position % 2 } else { 0 }];
        if alone.skipped == 0 {
            *sum = add(*sum, alone.data);
        }
        self.position += 1;
        if inputs.last {
            let [even, odd] = self.sums;
            self.in_flight.push_back(self.config.latency() - 1);
            self.results.push_back(if interleaved { add(even, odd) } else { even });
            self.accepted_lasts.push(self.cycle);
        }
    }

    /// Offers the pairs in order, with gaps and stalls from the two patterns
    /// (repeated), until all results are taken and the pipe is idle. Between
    /// pairs the operand wires carry values that would show in a sum.
    pub fn run(&mut self, stream: &[PeInputs], gaps: &[bool], stalls: &[bool]) {
        let mut waiting = stream.iter().peekable();
        let mut committed = false;
        let mut idle = 0;
        while idle < 3 + self.config.latency() {
            assert!(self.cycle < 200_000, "the PE hangs");
            let at = self.cycle as usize;
            // A sender that has begun to offer a pair goes on until it is taken.
            committed = waiting.peek().is_some() && (committed || !gaps[at % gaps.len()]);
            let noise = PeInputs { first: true, last: true, weight: 0x4000_0000, activation: 1, ..PeInputs::default() };
            let offered = if committed { waiting.peek().map_or(noise, |pair| **pair) } else { noise };
            let inputs = PeInputs { valid: committed, out_ready: !stalls[at % stalls.len()], ..offered };
            let outputs = self.step(&inputs);
            if committed && outputs.ready {
                waiting.next();
                committed = false;
            }
            idle = if waiting.peek().is_none() && self.results.is_empty() { idle + 1 } else { 0 };
        }
    }
}

fn add(a: u32, b: u32) -> u32 {
    float::add(Binary32, a.into(), b.into()).bits as u32
}

//! Streams layers into the test vectors, with the golden PE beside.

use super::stalls::StallPattern;
use super::{LayerTrace, ReplayError, ReplayOptions, SumTrace};
use crate::compare::{FrameWriter, Stop};
use crate::pe_ports::PeVectors;
use axp_golden::pe::{CyclePe, Epilogue};
use axp_spec::{CodebookWrite, PeConfig, PeInputs, PeOutputs};
use std::collections::{BTreeMap, VecDeque};

/// MACs between two calls of `progress`.
const PROGRESS: u64 = 1 << 16;

/// What was streamed of one layer, and how golden compares with inference.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Operand pairs accepted.
    pub macs: u64,
    /// Results compared with their tensor element.
    pub outputs: u64,
    /// Results that differ from it.
    pub wrong: u64,
    /// The first of them.
    pub first: Option<WrongElement>,
}

/// A sum whose value is not the tensor element.
#[derive(Clone, Debug)]
pub struct WrongElement {
    /// Cycle in which the result was taken.
    pub cycle: u64,
    /// Flat index in the layer's output tensor.
    pub index: usize,
    /// The tensor element.
    pub element: u32,
    /// The element of the golden PE's sum.
    pub golden: u32,
}

/// Why the stream ended early.
pub enum Halt {
    /// The simulator or the user ended it.
    Stop(Stop),
    /// The traces cannot be streamed.
    Error(ReplayError),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// The producer of one run.
pub struct Driver<'a, 't> {
    layers: &'a [LayerTrace<'t>],
    config: PeConfig,
    /// Columns of the weights of this layer, as far as they have been met.
    columns: BTreeMap<u32, u32>,
    /// What the range port carries for this layer.
    range: u32,
    pe: CyclePe,
    vectors: PeVectors,
    stalls: StallPattern,
    /// Results still to come, oldest first.
    pending: VecDeque<Pending>,
    tally: Tally,
    macs: u64,
}

struct Pending {
    index: usize,
    pairs: usize,
    epilogue: Epilogue,
    element: u32,
}

impl<'a, 't> Driver<'a, 't> {
    pub fn new(config: &PeConfig, layers: &'a [LayerTrace<'t>], options: &ReplayOptions, vectors: PeVectors) -> Self {
        Self {
            layers,
            config: config.clone(),
            columns: BTreeMap::new(),
            range: 0,
            pe: CyclePe::new(config),
            vectors,
            stalls: StallPattern::new(options.stalls, options.seed),
            pending: VecDeque::new(),
            tally: Tally::default(),
            macs: 0,
        }
    }

    /// Streams all layers, with a mark after the reset and after each layer.
    pub fn run(mut self, writer: &mut FrameWriter<'_>, progress: &dyn Fn(u64)) -> Result<Vec<Tally>, Halt> {
        let layers = self.layers;
        let disturbance = self.junk();
        self.vectors.push_reset(writer.records()?, &disturbance);
        writer.mark()?;
        let mut tallies = Vec::with_capacity(layers.len());
        for layer in layers {
            self.load(writer, layer)?;
            for sum in (layer.sums)() {
                self.stream(writer, layer, sum, progress)?;
            }
            self.drain(writer, layer)?;
            writer.mark()?;
            tallies.push(std::mem::take(&mut self.tally));
            progress(self.macs);
        }
        Ok(tallies)
    }

    /// Puts a layer into the PE, which is empty: every row and every magnitude is
    /// written, so that nothing of the previous layer stays. A frozen memory is told
    /// which layer it is.
    fn load(&mut self, writer: &mut FrameWriter<'_>, layer: &LayerTrace<'_>) -> Result<(), Halt> {
        self.columns.clear();
        self.range = layer.memory.range;
        if self.config.is_frozen() {
            let inputs = PeInputs { layer: Some(layer.number), ..self.idle() };
            self.cycle(writer, &inputs)?;
            return Ok(());
        }
        for write in layer.memory.am.writes(&self.config) {
            let inputs = PeInputs { row: Some(write), ..self.idle() };
            self.cycle(writer, &inputs)?;
        }
        let columns = if self.config.has_codebook() { self.config.columns().unwrap_or(0) } else { 0 };
        for column in 0..columns {
            let write = CodebookWrite { column, magnitude: layer.memory.magnitude(column) };
            let inputs = PeInputs { codebook: Some(write), ..self.idle() };
            self.cycle(writer, &inputs)?;
        }
        Ok(())
    }

    fn stream(
        &mut self,
        writer: &mut FrameWriter<'_>,
        layer: &LayerTrace<'_>,
        sum: SumTrace,
        progress: &dyn Fn(u64),
    ) -> Result<(), Halt> {
        let Some(final_pair) = sum.operands.len().checked_sub(1) else {
            return Err(Halt::Error(ReplayError::EmptySum { layer: layer.name.clone(), index: sum.index }));
        };
        let pairs = sum.operands.len();
        self.pending.push_back(Pending { index: sum.index, pairs, epilogue: sum.epilogue, element: sum.element });
        let mut position = 0;
        while position <= final_pair {
            let inputs = if self.stalls.sends() {
                let (weight, activation) = sum.operands[position];
                PeInputs {
                    zero_skip: layer.zero_skip,
                    range: self.range,
                    row: None,
                    codebook: None,
                    layer: None,
                    valid: true,
                    first: position == 0,
                    last: position == final_pair,
                    weight,
                    activation,
                    column: self.column(layer, weight),
                    out_ready: self.stalls.takes(),
                }
            } else {
                self.idle()
            };
            let mut ready = self.cycle(writer, &inputs)?;
            // A pair that is offered stays until it is accepted.
            while inputs.valid && !ready {
                let inputs = PeInputs { out_ready: self.stalls.takes(), ..inputs };
                ready = self.cycle(writer, &inputs)?;
            }
            if inputs.valid {
                position += 1;
                self.tally.macs += 1;
                self.macs += 1;
                self.stalls.sent();
                if self.macs.is_multiple_of(PROGRESS) {
                    progress(self.macs);
                }
            }
        }
        Ok(())
    }

    /// The column of a weight. One that the layer does not know gets any: in a
    /// layer without rows all of them miss, and a zero in a `factored` memory needs
    /// no row.
    fn column(&mut self, layer: &LayerTrace<'_>, weight: u32) -> u32 {
        let config = &self.config;
        if config.columns().is_none() {
            return 0;
        }
        *self.columns.entry(weight).or_insert_with(|| layer.memory.column_sent(config, weight))
    }

    /// Cycles without operands until all results have been taken.
    fn drain(&mut self, writer: &mut FrameWriter<'_>, layer: &LayerTrace<'_>) -> Result<(), Halt> {
        // More than the pipe and the longest holds of the receiver can take.
        let patience = 1024 + self.pending.iter().map(|sum| 16 * sum.pairs).sum::<usize>();
        for _ in 0..patience {
            if self.pending.is_empty() {
                return Ok(());
            }
            let inputs = self.idle();
            self.cycle(writer, &inputs)?;
        }
        Err(Halt::Error(ReplayError::Lost { layer: layer.name.clone(), missing: self.pending.len() }))
    }

    /// One cycle: golden runs, the record is written, a result may be taken.
    /// Returns whether operands were accepted, had there been any.
    fn cycle(&mut self, writer: &mut FrameWriter<'_>, inputs: &PeInputs) -> Result<bool, Stop> {
        let outputs = self.pe.step(inputs);
        self.vectors.push(writer.records()?, inputs, &outputs);
        if outputs.valid && inputs.out_ready {
            self.take(writer.cycle() - 1, outputs);
        }
        Ok(outputs.ready)
    }

    fn take(&mut self, cycle: u64, outputs: PeOutputs) {
        let Some(sum) = self.pending.pop_front() else {
            // More results than sums: golden and the stream disagree.
            self.tally.wrong += 1;
            return;
        };
        let golden = sum.epilogue.apply(outputs.data);
        self.tally.outputs += 1;
        if golden != sum.element {
            self.tally.wrong += 1;
            let wrong = WrongElement { cycle, index: sum.index, element: sum.element, golden };
            self.tally.first.get_or_insert(wrong);
        }
        self.stalls.taken(sum.pairs);
    }

    fn idle(&mut self) -> PeInputs {
        PeInputs { valid: false, ..self.junk() }
    }

    /// Junk on everything that must not matter without `valid`.
    fn junk(&mut self) -> PeInputs {
        let bits = self.stalls.junk();
        PeInputs {
            zero_skip: bits & 1 == 1,
            // Static while a layer runs.
            range: self.range,
            row: None,
            codebook: None,
            layer: None,
            valid: false,
            first: bits & 2 == 2,
            last: bits & 4 == 4,
            weight: (bits >> 32) as u32,
            activation: bits as u32,
            column: (bits >> 3) as u32,
            out_ready: self.stalls.takes(),
        }
    }
}

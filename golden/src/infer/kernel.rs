//! One mapped layer, compiled for fast and bit-exact evaluation.

use super::arithmetic::{Fixed, Float};
use super::by_rule::ByRule;
use super::compiled::{Compiled, Totals};
use super::error::EngineError;
use super::lanes::Level;
use super::stats::LayerStats;
use crate::am::Am;
use crate::net::{Geometry, Layout, MacLayer};
use crate::pe::{Epilogue, Settings};
use axp_spec::design::CHANNEL_EXPONENTS;
use axp_spec::{AmImage, Bits32, Content, FloatFormat, LayerDesign, PeConfig};
use std::collections::HashMap;

/// A mapped layer with the PE's settings for it.
#[derive(Debug)]
pub struct LayerKernel {
    geometry: Geometry,
    /// The (clustered) weights, in the order of the weight tensor.
    weights: Vec<f32>,
    /// One for each output channel, or none.
    bias: Vec<f32>,
    /// Powers of two of the channels, or none; their exponents.
    scales: Vec<f32>,
    exponents: Vec<i32>,
    image: AmImage,
    rule: ByRule,
    method: Method,
}

/// How the products are found. All ways give the same bits.
#[derive(Debug)]
enum Method {
    /// Binary32 sums.
    Float(Compiled<Float>),
    /// Fixed-point sums.
    Fixed(Compiled<Fixed>),
    /// Pair by pair, for images whose classes are too many and sums that are too wide.
    ByRule,
}

impl LayerKernel {
    /// The layer with the weights as imported and an empty AM.
    pub fn exact(layer: &MacLayer, zero_skip: bool) -> Self {
        let (codebook, assignment) = distinct(&layer.weights);
        let config = PeConfig::pair("axp_pe", 1);
        let rule = ByRule {
            am: Am::new(&config),
            settings: Settings::from(zero_skip),
            columns: vec![0; codebook.len()],
            config,
            codebook,
            assignment,
        };
        Self::compile(&layer.geometry, rule, layer.bias.clone(), Vec::new(), AmImage::default())
    }

    /// The layer with the clustered weights, bias and AM rows of a design, on a PE
    /// with a `pair` memory and a binary32 sum.
    ///
    /// # Errors
    /// A design of another shape, or rows that the AM's loader refuses.
    pub fn new(layer: &MacLayer, design: &LayerDesign, zero_skip: bool) -> Result<Self, EngineError> {
        Self::on(&PeConfig::pair("axp_pe", design.am.rows.len().max(1)), layer, design, zero_skip)
    }

    /// The layer with the clustered weights, bias, range and AM rows of a design,
    /// on a PE of `config`.
    ///
    /// # Errors
    /// A PE that is not binary32 or has two sums; a design of another shape; rows that
    /// the AM's loader refuses; weights without a column beside rows for others.
    pub fn on(config: &PeConfig, layer: &MacLayer, design: &LayerDesign, zero_skip: bool) -> Result<Self, EngineError> {
        if config.format != FloatFormat::Binary32 || config.is_interleaved() {
            let what = "inference computes binary32 with one sum; build the design for a PE in the format \
                        binary32 without adder_stages";
            return Err(EngineError::Design { what: what.to_owned() });
        }
        let mismatch = |what: String| EngineError::Design { what: format!("layer {:?} {what}", layer.name) };
        if design.weight_shape != layer.weight_shape || design.assignment.len() != layer.weights.len() {
            return Err(mismatch(format!(
                "has weights of shape {:?} in the design, {:?} in the network",
                design.weight_shape, layer.weight_shape
            )));
        }
        let channels = layer.geometry.out_channels;
        if !design.bias.is_empty() && design.bias.len() != channels {
            return Err(mismatch(format!("has {} biases for {channels} output channels", design.bias.len())));
        }
        let exponents = &design.channel_exponents;
        if !exponents.is_empty() && exponents.len() != channels {
            return Err(mismatch(format!("has {} channel exponents for {channels} output channels", exponents.len())));
        }
        if let Some(exponent) = exponents.iter().find(|exponent| !CHANNEL_EXPONENTS.contains(*exponent)) {
            return Err(mismatch(format!("has a channel exponent of {exponent}")));
        }
        if let Some(index) = design.assignment.iter().find(|index| **index as usize >= design.codebook.len()) {
            return Err(mismatch(format!("uses weight {index} of a codebook of {}", design.codebook.len())));
        }
        let config = programmable(config);
        let mut am = Am::new(&config);
        am.load_layer(&design.memory()).map_err(|source| EngineError::Am { layer: layer.name.clone(), source })?;
        let codebook: Vec<f32> = design.codebook.iter().map(|bits| bits.value()).collect();
        let columns = codebook.iter().map(|weight| column(&config, design, *weight)).collect::<Result<_, _>>();
        let rule = ByRule {
            am,
            settings: Settings { zero_skip, range: design.range },
            columns: columns.map_err(mismatch)?,
            config,
            codebook,
            assignment: design.assignment.clone(),
        };
        let bias = design.bias.iter().map(|bits| bits.value()).collect();
        Ok(Self::compile(&layer.geometry, rule, bias, exponents.clone(), design.am.clone()))
    }

    fn compile(geometry: &Geometry, rule: ByRule, bias: Vec<f32>, exponents: Vec<i32>, image: AmImage) -> Self {
        let weights: Vec<f32> = rule.assignment.iter().map(|index| rule.codebook[*index as usize]).collect();
        let method = match rule.config.accumulator_format(rule.settings.range) {
            None => {
                let sign = |negative: bool| u32::from(negative) << 31;
                let word = |product: u32, negative| product | sign(negative);
                Compiled::new(Float, geometry, &weights, &image, &rule, &word).map(Method::Float)
            }
            Some(format) => Fixed::new(format).and_then(|fixed| {
                let units = |product: u32, negative: bool| match (rule.config.grid_memory(), rule.config.stores_units())
                {
                    (Some(_), _) if negative => -(product as i32),
                    (Some(_), _) => product as i32,
                    (None, true) => sign_extended(product, rule.config.product_bits()),
                    (None, false) => fixed.convert(f32::from_bits(product)),
                };
                let word = |product: u32, negative: bool| units(product, negative) as u32;
                Compiled::new(fixed, geometry, &weights, &image, &rule, &word).map(Method::Fixed)
            }),
        };
        let scales = exponents.iter().map(|exponent| 2_f32.powi(*exponent)).collect();
        let method = method.unwrap_or(Method::ByRule);
        Self { geometry: geometry.clone(), weights, bias, scales, exponents, image, rule, method }
    }

    /// The same with other biases: one for each output channel, or none.
    pub(crate) fn with_bias(self, bias: &[Bits32]) -> Self {
        Self { bias: bias.iter().map(|bits| bits.value()).collect(), ..self }
    }

    /// Which weight meets which input element.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The (clustered) weights, in the order of the weight tensor.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// What makes an element of the output tensor of its sum.
    pub fn epilogue(&self, output: usize) -> Epilogue {
        let channel = self.geometry.channel_of(output);
        Epilogue {
            exponent: self.exponents.get(channel).copied().unwrap_or(0),
            bias: self.bias.get(channel).map(|bias| bias.to_bits()),
        }
    }

    /// The rows of the AM.
    pub fn image(&self) -> &AmImage {
        &self.image
    }

    /// Whether zero activations are skipped.
    pub fn zero_skip(&self) -> bool {
        self.rule.settings.zero_skip
    }

    /// Computes the output tensor from the input tensor (both flat, in the
    /// layout of the geometry).
    ///
    /// # Panics
    /// If the input does not have the geometry's number of elements.
    pub fn run(&self, input: &[f32]) -> (Vec<f32>, LayerStats) {
        self.run_on(Level::best(), input)
    }

    /// What [`LayerKernel::run`] gives on each vector unit that the CPU has, and without
    /// any: the same, for tests to find.
    ///
    /// # Panics
    /// As [`LayerKernel::run`].
    pub fn run_on_all_units(&self, input: &[f32]) -> Vec<(Vec<f32>, LayerStats)> {
        Level::available().map(|level| self.run_on(level, input)).collect()
    }

    fn run_on(&self, level: Level, input: &[f32]) -> (Vec<f32>, LayerStats) {
        assert_eq!(input.len(), self.geometry.inputs(), "input elements");
        let Totals { sums: mut output, open, mut stats } = match &self.method {
            Method::Float(sums) => sums.run(level, input),
            Method::Fixed(sums) => sums.run(level, input),
            Method::ByRule => {
                let (sums, stats) = self.rule.run(&self.geometry, input);
                Totals { sums, open: Vec::new(), stats }
            }
        };
        for index in open {
            let (sum, of_sum) = self.rule.sum(&self.geometry, input, index);
            stats.overflows += of_sum.overflows;
            stats.invalid += of_sum.invalid;
            output[index] = sum;
        }
        self.on_channels(&mut output, &self.scales, |sum, scale| *sum *= scale);
        if self.bias.is_empty() {
            output.iter_mut().for_each(|sum| *sum = canonical(*sum));
        } else {
            // A NaN stays one.
            self.on_channels(&mut output, &self.bias, |sum, bias| *sum = canonical(*sum + bias));
        }
        (output, stats)
    }

    /// Changes all sums by a value of their channel, if there are such values.
    fn on_channels(&self, output: &mut [f32], values: &[f32], change: impl Fn(&mut f32, f32)) {
        if values.is_empty() {
            return;
        }
        if self.geometry.layout == Layout::ChannelsFirst {
            let channels = output.chunks_exact_mut(self.geometry.positions()).zip(values);
            channels.for_each(|(sums, value)| sums.iter_mut().for_each(|sum| change(sum, *value)));
        } else {
            let rows = output.chunks_exact_mut(values.len());
            rows.for_each(|row| row.iter_mut().zip(values).for_each(|(sum, value)| change(sum, *value)));
        }
    }

    /// The operands of one output element, {weight, activation} encodings in
    /// the order in which the PE accumulates them; padding is +0.
    pub fn operands<'a>(&'a self, input: &'a [f32], output: usize) -> impl Iterator<Item = (u32, u32)> + 'a {
        self.geometry.operands(output).map(move |(weight, source)| {
            (self.weights[weight].to_bits(), source.map_or(0, |source| input[source].to_bits()))
        })
    }
}

/// A PE that computes the same and is loaded a layer at a time.
fn programmable(config: &PeConfig) -> PeConfig {
    let mut config = config.clone();
    if let Some(am) = &mut config.am {
        am.content = Content::Programmable;
    }
    config
}

/// The column with which a weight is sent. In a layer without rows any will do, and
/// so it will for a zero in a `factored` memory.
fn column(config: &PeConfig, design: &LayerDesign, weight: f32) -> Result<u32, String> {
    let Some(columns) = config.columns() else { return Ok(0) };
    match design.column_of(config, weight.to_bits()) {
        Some(column) => Ok(column),
        None if design.am.rows.is_empty() && !config.has_codebook() => Ok(0),
        None if weight == 0.0 && config.factored_memory().is_some() => Ok(0),
        None if config.grid_memory().is_some() && !config.has_codebook() => {
            Err("does not say which weights its columns are for; use a grid with weights by index".to_owned())
        }
        None => Err(format!("has the weight {weight:e}, for which none of the {columns} columns is")),
    }
}

fn sign_extended(bits: u32, width: u32) -> i32 {
    let unused = 32 - width;
    ((bits << unused) as i32) >> unused
}

/// The only NaN that a PE produces.
fn canonical(value: f32) -> f32 {
    if value.is_nan() { f32::from_bits(0x7FC0_0000) } else { value }
}

/// Distinct values in order of appearance, and for each value its index.
fn distinct(values: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let mut codebook = Vec::new();
    let mut index_of = HashMap::new();
    let assign = |value: &f32| {
        *index_of.entry(value.to_bits()).or_insert_with(|| {
            codebook.push(*value);
            codebook.len() as u32 - 1
        })
    };
    let assignment = values.iter().map(assign).collect();
    (codebook, assignment)
}

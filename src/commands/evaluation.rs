//! Samples through the float net and through the net on the PE, as a stage of a command.

use crate::exit::Failure;
use crate::input::Evaluation as Samples;
use crate::interrupt::{Cancel, requested};
use crate::progress::Stages;
use crate::report::{Accuracy, HitRate, Layer, NarrowAccuracy};
use axp_golden::infer::{Control, Engine, EngineError, Evaluation, LayerStats, evaluate_baseline, narrow};
use axp_golden::net::{MacOp, Network, Samples as Tensors};
use axp_spec::{Design, NarrowOperands};

/// What the evaluation found.
pub struct Evaluated {
    /// Accuracy before and after.
    pub accuracy: Accuracy,
    /// Classes that the float net gives the samples.
    pub float: Vec<usize>,
    /// Counts on the PE.
    pub on_pe: Evaluation,
}

/// Runs both nets over the samples.
///
/// # Errors
/// The model cannot be run, or Ctrl-C.
pub fn run(
    engine: &Engine,
    data: &Samples,
    max_loss_pp: f64,
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Evaluated, Failure> {
    let samples = &data.samples;
    let labels = data.labels.as_deref();
    let of = 2 * samples.len() as u64;
    let stage = stages.start("evaluate", of);
    stage.say(format!("{} samples", samples.len()));
    let half = |offset: usize| {
        let stage = &stage;
        move |done: usize| stage.set((offset + done) as u64, of)
    };
    let fail = |error: EngineError| failure(&error, cancel);
    let baseline = half(0);
    let float =
        evaluate_baseline(engine.network(), samples, labels, &Control { progress: &baseline, cancel }).map_err(fail)?;
    let on_pe = half(samples.len());
    let on_pe = engine.evaluate(samples, labels, &Control { progress: &on_pe, cancel }).map_err(fail)?;
    let accuracy = Accuracy::measure(&float.predictions, &on_pe.predictions, labels, max_loss_pp);
    stage.done(format!(
        "{:.2} % before, {:.2} % on the PE ({:+.2} pp lost), {} samples",
        100.0 * accuracy.baseline,
        100.0 * accuracy.axp,
        accuracy.loss_pp,
        accuracy.samples
    ));
    Ok(Evaluated { accuracy, float: float.predictions, on_pe })
}

/// Runs the net over the same samples on plain multiply-accumulates of narrower operands, which
/// the design competes with. `float` are the float net's classes.
///
/// # Errors
/// As [`run`].
pub fn narrow(
    network: &Network,
    calibration: &Tensors,
    data: &Samples,
    float: &[usize],
    stages: &Stages,
    cancel: &Cancel,
) -> Result<Vec<NarrowAccuracy>, Failure> {
    let all = [NarrowOperands::Bfloat16, NarrowOperands::Int8];
    let (count, of) = (data.samples.len(), (all.len() * data.samples.len()) as u64);
    let stage = stages.start("compare", of);
    stage.say("plain MACs of narrower operands".to_owned());
    let one = |(place, operands): (usize, NarrowOperands)| {
        let progress = |done: usize| stage.set((place * count + done) as u64, of);
        let control = Control { progress: &progress, cancel };
        let found = narrow::classes(network, operands, calibration, &data.samples, &control);
        let found = found.map_err(|error| failure(&error, cancel))?;
        let measured = Accuracy::measure(float, &found, data.labels.as_deref(), 0.0);
        Ok(NarrowAccuracy::new(operands, &measured))
    };
    let found = all.into_iter().enumerate().map(one).collect::<Result<Vec<_>, Failure>>()?;
    stage.done(NarrowAccuracy::text(&found));
    Ok(found)
}

/// An inference error as the end of a command.
pub fn failure(error: &EngineError, cancel: &Cancel) -> Failure {
    match error {
        EngineError::Cancelled => Failure::Interrupted,
        _ if requested(cancel) => Failure::Interrupted,
        other => Failure::input(other, "check that the model runs elsewhere, for example in onnxruntime"),
    }
}

/// The share of MACs served by the memory.
pub fn hit_rate(stats: &LayerStats) -> HitRate {
    HitRate { all: stats.hit_rate(), nonzero: stats.nonzero_hit_rate() }
}

/// Every multiply-accumulate layer as a row of the report: first those on the
/// PE in the order in which they run, then those that run exactly.
pub fn layer_rows(network: &Network, design: &Design, stats: &[LayerStats]) -> Vec<Layer> {
    let mapped = network.layers().iter().zip(&design.layers).zip(stats).map(|((layer, choice), stats)| Layer {
        name: layer.name.clone(),
        op: match layer.op {
            MacOp::Conv => "Conv",
            MacOp::Gemm => "Gemm",
            MacOp::MatMul => "MatMul",
        }
        .to_owned(),
        mapped: true,
        reason: None,
        macs: Some(layer.geometry.macs()),
        hit_rate: hit_rate(stats),
        zero_rate: stats.zero_rate(),
        clusters: choice.codebook.len(),
        rows: choice.am.rows.len(),
        key_fraction_bits: choice.key_fraction_bits,
        overflows: stats.overflows + stats.invalid,
    });
    let unmapped = network.unmapped().iter().map(|layer| Layer {
        name: layer.name.clone(),
        op: layer.op.clone(),
        mapped: false,
        reason: Some(layer.reason.clone()),
        macs: None,
        hit_rate: HitRate::default(),
        zero_rate: 0.0,
        clusters: 0,
        rows: 0,
        key_fraction_bits: 0,
        overflows: 0,
    });
    mapped.chain(unmapped).collect()
}

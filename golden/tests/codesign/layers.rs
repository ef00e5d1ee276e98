//! Small random layers, and their multiply-accumulates one by one.

use axp_golden::codesign::classes::InputClasses;
use axp_golden::codesign::cluster::Clustering;
use axp_golden::codesign::profile::{Activations, MacCounts, Pair};
use axp_golden::net::Geometry;
use axp_golden::net::Layout;
use proptest::prelude::*;

/// A layer with clustered weights and some input tensors.
#[derive(Clone, Debug)]
pub struct Layer {
    pub geometry: Geometry,
    pub clustering: Clustering,
    pub samples: Vec<Vec<f32>>,
}

impl Layer {
    /// Every (cluster, activation) of every sample, in the PE's order; padding
    /// is `None`.
    pub fn operands(&self) -> impl Iterator<Item = (u32, Option<f32>)> + '_ {
        self.samples.iter().flat_map(move |sample| {
            (0..self.geometry.outputs()).flat_map(move |output| {
                let value = |(weight, input): (usize, Option<usize>)| {
                    (self.clustering.assignment[weight], input.map(|i| sample[i]))
                };
                self.geometry.operands(output).map(value)
            })
        })
    }

    pub fn classes(&self) -> InputClasses {
        InputClasses::new(&self.geometry)
    }

    pub fn activations(&self) -> Activations {
        Activations::collect(&self.classes(), self.samples.iter().map(Vec::as_slice))
    }

    pub fn pairs(&self, fraction_bits: u32) -> Vec<Pair> {
        let clusters = self.classes().clusters(&self.clustering);
        let mut pairs = Vec::new();
        self.activations().profile(fraction_bits).pairs(&clusters, |pair| pairs.push(pair));
        pairs
    }

    pub fn counts(&self) -> MacCounts {
        self.activations().profile(23).counts(&self.classes())
    }
}

fn geometry() -> impl Strategy<Value = Geometry> {
    let conv = (1_usize..3, 1_usize..4, 1_usize..3, [1_usize..6, 1..6], [1_usize..4, 1..4], [1_usize..3, 1..3])
        .prop_flat_map(|(groups, outs, ins, input, kernel, stride)| {
            ([1_usize..3, 1..3], [0_usize..3, 0..3], [0_usize..3, 0..3]).prop_filter_map(
                "the kernel is larger than the padded input",
                move |(dilation, padding, after)| {
                    let size = |axis: usize| {
                        let reach = (kernel[axis] - 1) * dilation[axis] + 1;
                        let padded = input[axis] + padding[axis] + after[axis];
                        padded.checked_sub(reach).map(|free| free / stride[axis] + 1)
                    };
                    Some(Geometry {
                        layout: Layout::ChannelsFirst,
                        in_channels: groups * ins,
                        out_channels: groups * outs,
                        groups,
                        input,
                        output: [size(0)?, size(1)?],
                        kernel,
                        stride,
                        dilation,
                        padding,
                    })
                },
            )
        });
    let dense =
        (1_usize..4, 1_usize..8, 1_usize..5).prop_map(|(rows, inputs, outputs)| Geometry::dense(rows, inputs, outputs));
    prop_oneof![3 => conv, 1 => dense]
}

/// Activations from few enough values that keys repeat. Sums of them and of
/// their squares are exact in binary64, subnormals apart.
fn activation(special: bool) -> BoxedStrategy<f32> {
    let finite = prop_oneof![
        3 => Just(0.0_f32),
        1 => Just(-0.0_f32),
        8 => (-40_i32..40).prop_map(|n| n as f32 / 16.0),
        2 => (1_i32..9).prop_map(|n| n as f32 / 1024.0),
        1 => Just(f32::from_bits(3)),
        1 => Just(-2000.0_f32),
    ];
    if special {
        prop_oneof![12 => finite, 1 => Just(f32::NAN), 1 => Just(f32::NEG_INFINITY)].boxed()
    } else {
        finite.boxed()
    }
}

/// A layer of up to `codebook` weight values; with NaN and infinities among
/// the activations if `special`.
pub fn layer(codebook: usize, special: bool) -> impl Strategy<Value = Layer> {
    let value = prop_oneof![6 => (-60_i32..60).prop_map(|n| n as f32 / 32.0), 1 => Just(-3.5_f32), 1 => Just(0.0_f32)];
    (geometry(), prop::collection::vec(value, 1..=codebook), 1_usize..4).prop_flat_map(
        move |(geometry, mut codebook, samples)| {
            codebook.sort_unstable_by(f32::total_cmp);
            codebook.dedup();
            let assignment = prop::collection::vec(0..codebook.len() as u32, geometry.weights());
            let sample = prop::collection::vec(activation(special), geometry.inputs());
            (assignment, prop::collection::vec(sample, samples)).prop_map(move |(assignment, samples)| Layer {
                geometry: geometry.clone(),
                clustering: Clustering { codebook: codebook.clone(), assignment },
                samples,
            })
        },
    )
}

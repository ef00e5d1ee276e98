//! Input classes: input elements of a layer that meet the same weights.
//!
//! All inner elements of a convolution's input channel meet the same weights,
//! those at a border fewer. Every element of a class adds the same to the
//! count of a (weight, activation) pair, so a profile needs one histogram a
//! class, and no enumeration of multiply-accumulates.

use super::cluster::Clustering;
use crate::net::{Geometry, Layout};
use std::collections::BTreeMap;

/// The input elements of a layer by the weights they meet.
///
/// In one sample an input element meets a weight at most once: the weight's
/// place in the kernel fixes the output position.
#[derive(Clone, Debug)]
pub struct InputClasses {
    geometry: Geometry,
    /// For each spatial class, the kernel taps (row-major) that meet it.
    taps: Vec<Vec<usize>>,
    /// Spatial class of each position of the input.
    class_of_position: Vec<usize>,
    /// Multiply-accumulates of one sample whose activation is padding.
    padding: u64,
}

impl InputClasses {
    /// The classes of a layer's input.
    pub fn new(geometry: &Geometry) -> Self {
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let mut met = vec![Vec::new(); geometry.input[0] * geometry.input[1]];
        let mut padded = 0_u64;
        // Every channel meets its inputs the same way: look at the first input
        // channel of the first output channel only.
        for output in (0..geometry.outputs()).filter(|output| geometry.channel_of(*output) == 0) {
            for (tap, (_, input)) in geometry.operands(output).take(taps).enumerate() {
                match input {
                    Some(input) => met[position_of(geometry, input)].push(tap),
                    None => padded += 1,
                }
            }
        }
        let mut known = BTreeMap::new();
        let class_of_position = met
            .into_iter()
            .map(|mut taps| {
                taps.sort_unstable();
                let next = known.len();
                *known.entry(taps).or_insert(next)
            })
            .collect();
        let mut by_class: Vec<(Vec<usize>, usize)> = known.into_iter().collect();
        by_class.sort_unstable_by_key(|(_, class)| *class);
        Self {
            geometry: geometry.clone(),
            taps: by_class.into_iter().map(|(taps, _)| taps).collect(),
            class_of_position,
            padding: padded * geometry.group_channels() as u64 * geometry.out_channels as u64,
        }
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.geometry.in_channels * self.taps.len()
    }

    /// Whether the layer has no input at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The geometry that the classes were made from.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Multiply-accumulates of one sample whose activation is padding.
    pub fn padding(&self) -> u64 {
        self.padding
    }

    /// The class of each element of the input tensor.
    pub fn of_inputs(&self) -> Vec<u32> {
        let class = |input| {
            let channel = channel_of(&self.geometry, input);
            channel * self.taps.len() + self.class_of_position[position_of(&self.geometry, input)]
        };
        (0..self.geometry.inputs()).map(|input| class(input) as u32).collect()
    }

    /// Flat indices of the weights that an element of a class meets.
    pub fn weights(&self, class: usize) -> impl Iterator<Item = usize> + '_ {
        let geometry = &self.geometry;
        let (channel, spatial) = (class / self.taps.len(), class % self.taps.len());
        let (group, in_group) = (channel / geometry.group_channels(), channel % geometry.group_channels());
        let group_outputs = geometry.out_channels / geometry.groups;
        let first = in_group * geometry.kernel[0] * geometry.kernel[1];
        (group * group_outputs..(group + 1) * group_outputs).flat_map(move |output| {
            self.taps[spatial].iter().map(move |tap| output * geometry.macs_per_output() + first + tap)
        })
    }

    /// How often an element of each class meets each cluster.
    pub fn clusters(&self, clustering: &Clustering) -> ClassClusters {
        let mut times = vec![0_u32; clustering.codebook.len()];
        let of_class = (0..self.len())
            .map(|class| {
                let mut met = Vec::new();
                for weight in self.weights(class) {
                    let cluster = clustering.assignment[weight];
                    if times[cluster as usize] == 0 {
                        met.push(cluster);
                    }
                    times[cluster as usize] += 1;
                }
                met.sort_unstable();
                met.into_iter().map(|cluster| (cluster, std::mem::take(&mut times[cluster as usize]))).collect()
            })
            .collect();
        ClassClusters { clusters: clustering.codebook.len(), of_class }
    }
}

/// For each input class, how often an element of it meets each cluster in one
/// sample.
#[derive(Clone, Debug)]
pub struct ClassClusters {
    /// Size of the codebook.
    pub clusters: usize,
    /// (cluster, times) for each class; clusters ascending, times positive.
    pub of_class: Vec<Vec<(u32, u32)>>,
}

fn channel_of(geometry: &Geometry, input: usize) -> usize {
    match geometry.layout {
        Layout::ChannelsFirst => input / (geometry.input[0] * geometry.input[1]),
        Layout::ChannelsLast => input % geometry.in_channels,
    }
}

fn position_of(geometry: &Geometry, input: usize) -> usize {
    match geometry.layout {
        Layout::ChannelsFirst => input % (geometry.input[0] * geometry.input[1]),
        Layout::ChannelsLast => input / geometry.in_channels,
    }
}

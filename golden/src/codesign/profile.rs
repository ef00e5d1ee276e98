//! The activation profile of a layer: how often each weight cluster meets each
//! activation key.
//!
//! A key of width m is the activation's sign, exponent and top m fraction
//! bits; m = 23 is the whole encoding. Counts follow from one histogram an
//! input class and the number of weights of each cluster that the class meets,
//! never from enumerating multiply-accumulates. Zeros and padding are counted
//! apart; a subnormal is not a zero.

use super::classes::{ClassClusters, InputClasses};

/// Fraction bits of a binary32 value: the widest key.
pub const FRACTION_BITS: u32 = 23;

/// The key of width m as a mask over the activation's encoding.
pub const fn key_mask(fraction_bits: u32) -> u32 {
    u32::MAX << (FRACTION_BITS - fraction_bits)
}

/// Every activation that a layer saw, at full resolution.
#[derive(Clone, Debug)]
pub struct Activations {
    /// Distinct (encoding, class) of finite nonzero activations, ascending,
    /// with their number.
    runs: Vec<Run>,
    zeros: Vec<Zeros>,
    samples: usize,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    bits: u32,
    class: u32,
    count: u32,
}

/// Zero activations by sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zeros {
    /// How many are +0.
    pub positive: u64,
    /// How many are −0.
    pub negative: u64,
}

impl Zeros {
    /// Zeros of both signs.
    pub fn total(&self) -> u64 {
        self.positive + self.negative
    }
}

impl Activations {
    /// Counts the activations of samples, each one flat input tensor of the
    /// layer. NaN and infinities are left out: they never match a row.
    pub fn collect<'a>(classes: &InputClasses, samples: impl IntoIterator<Item = &'a [f32]>) -> Self {
        let class_of = classes.of_inputs();
        let mut zeros = vec![Zeros::default(); classes.len()];
        let mut words = Vec::new();
        let mut count = 0;
        for sample in samples {
            count += 1;
            for (value, class) in sample.iter().zip(&class_of) {
                if *value != 0.0 {
                    if value.is_finite() {
                        words.push(u64::from(value.to_bits()) << 32 | u64::from(*class));
                    }
                } else if value.is_sign_negative() {
                    zeros[*class as usize].negative += 1;
                } else {
                    zeros[*class as usize].positive += 1;
                }
            }
        }
        words.sort_unstable();
        let runs = words
            .chunk_by(|a, b| a == b)
            .map(|run| Run { bits: (run[0] >> 32) as u32, class: run[0] as u32, count: run.len() as u32 })
            .collect();
        Self { runs, zeros, samples: count }
    }

    /// The profile at a key width of 0 to 23 fraction bits.
    pub fn profile(&self, fraction_bits: u32) -> Profile {
        let mask = key_mask(fraction_bits);
        let mut entries: Vec<Entry> = Vec::new();
        let mut sums = vec![Moments::default(); self.zeros.len()];
        for key in self.runs.chunk_by(|a, b| a.bits & mask == b.bits & mask) {
            let mut met: Vec<u32> = Vec::new();
            for run in key {
                let moments = &mut sums[run.class as usize];
                if moments.count == 0 {
                    met.push(run.class);
                }
                moments.add(f64::from(f32::from_bits(run.bits)), u64::from(run.count));
            }
            met.sort_unstable();
            entries.extend(met.into_iter().map(|class| Entry {
                key: key[0].bits & mask,
                class,
                moments: std::mem::take(&mut sums[class as usize]),
            }));
        }
        Profile { fraction_bits, entries, zeros: self.zeros.clone(), samples: self.samples }
    }
}

/// Number, sum and sum of squares of some activations, in binary64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub square: f64,
}

impl Moments {
    fn add(&mut self, value: f64, count: u64) {
        let n = count as f64;
        self.count += count;
        self.sum += value * n;
        self.square += value * value * n;
    }

    /// Adds `times` copies of `other`.
    pub fn add_times(&mut self, other: &Self, times: u32) {
        let n = f64::from(times);
        self.count += other.count * u64::from(times);
        self.sum += other.sum * n;
        self.square += other.square * n;
    }

    /// The mean; 0 of nothing.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// Sum of the squared distances to the mean, at least 0.
    pub fn scatter(&self) -> f64 {
        (self.square - self.sum * self.mean()).max(0.0)
    }
}

/// The activations of one key in one input class.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    key: u32,
    class: u32,
    moments: Moments,
}

/// What a layer's inputs look like at one key width, before any clustering.
#[derive(Clone, Debug)]
pub struct Profile {
    fraction_bits: u32,
    /// By key, then class.
    entries: Vec<Entry>,
    zeros: Vec<Zeros>,
    samples: usize,
}

/// The multiply-accumulates of one cluster with one activation key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index of the weight in the codebook.
    pub cluster: u32,
    /// The activation's top bits, in place; the bits below are 0.
    pub key: u32,
    /// The activations behind the key, one for each multiply-accumulate.
    pub moments: Moments,
}

/// Multiply-accumulates of a layer over all samples, by kind of activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MacCounts {
    /// All of them.
    pub macs: u64,
    /// Those with a zero from the input tensor.
    pub zeros: Zeros,
    /// Those with padding (+0).
    pub padding: u64,
    /// Those with a NaN or an infinity.
    pub special: u64,
}

impl MacCounts {
    /// Zeros and padding.
    pub fn all_zeros(&self) -> u64 {
        self.zeros.total() + self.padding
    }

    /// Multiply-accumulates whose activation is not ±0 (NaN and infinity
    /// included).
    pub fn nonzero(&self) -> u64 {
        self.macs - self.all_zeros()
    }
}

impl Profile {
    /// Top fraction bits in the keys.
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// Σ (activation − mean)² over the activations that each weight meets in all
    /// samples, zeros included, in the order of the weight tensor: the
    /// importance that k-means needs. The mean does not count, because bias
    /// correction takes its part of the error out.
    pub fn importance(&self, classes: &InputClasses) -> Vec<f64> {
        let mut of_class = vec![Moments::default(); classes.len()];
        self.entries.iter().for_each(|entry| of_class[entry.class as usize].add_times(&entry.moments, 1));
        let mut importance = vec![0.0; classes.geometry().weights()];
        for (class, moments) in of_class.iter_mut().enumerate() {
            moments.count += self.zeros[class].total();
            classes.weights(class).for_each(|weight| importance[weight] += moments.scatter());
        }
        importance
    }

    /// How many multiply-accumulates there are of each kind.
    pub fn counts(&self, classes: &InputClasses) -> MacCounts {
        let samples = self.samples as u64;
        let mut counts = MacCounts {
            macs: classes.geometry().macs() * samples,
            padding: classes.padding() * samples,
            ..MacCounts::default()
        };
        for (class, zeros) in self.zeros.iter().enumerate() {
            let fan_out = classes.weights(class).count() as u64;
            counts.zeros.positive += zeros.positive * fan_out;
            counts.zeros.negative += zeros.negative * fan_out;
        }
        let mut finite = 0;
        let mut class_fan_out = vec![None; classes.len()];
        for entry in &self.entries {
            let fan_out = class_fan_out[entry.class as usize]
                .get_or_insert_with(|| classes.weights(entry.class as usize).count() as u64);
            finite += entry.moments.count * *fan_out;
        }
        counts.special = counts.nonzero() - finite;
        counts
    }

    /// Calls `visit` for each cluster and key that meet, keys ascending as
    /// unsigned encodings, clusters ascending within a key.
    pub fn pairs(&self, clusters: &ClassClusters, mut visit: impl FnMut(Pair)) {
        let mut sums = vec![Moments::default(); clusters.clusters];
        let mut met: Vec<u32> = Vec::new();
        for key in self.entries.chunk_by(|a, b| a.key == b.key) {
            for entry in key {
                for (cluster, times) in &clusters.of_class[entry.class as usize] {
                    let moments = &mut sums[*cluster as usize];
                    if moments.count == 0 {
                        met.push(*cluster);
                    }
                    moments.add_times(&entry.moments, *times);
                }
            }
            met.sort_unstable();
            for cluster in met.drain(..) {
                let moments = std::mem::take(&mut sums[cluster as usize]);
                visit(Pair { cluster, key: key[0].key, moments });
            }
        }
    }
}

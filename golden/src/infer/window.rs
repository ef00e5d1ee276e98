//! Where the activations of a layer lie, so that each weight finds its own by one
//! addition.
//!
//! Each input channel is copied, with its padding, into a plane whose rows and columns
//! are sorted by phase (index modulo stride). Then the activations that one weight
//! meets in a row of outputs lie side by side, whatever the stride:
//!
//! ```text
//! the activation of weight m at position p  =  planes[bases[p] + offsets[m]]
//! ```

use super::lanes::{Kernel, Lanes, WIDTH};
use crate::net::{Geometry, Layout};
use std::ops::Range;

/// How the planes of a layer are laid out.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Elements of a plane.
    pub size: usize,
    /// For each output position.
    pub bases: Vec<usize>,
    /// For each weight of an output channel: input channel of the group, kernel row,
    /// kernel column.
    pub offsets: Vec<usize>,
    /// How often each element of a plane is read for one output channel.
    pub reads: Vec<u32>,
    /// Input channels.
    pub channels: usize,
    /// Input elements of a channel that stay side by side.
    runs: Vec<Run>,
    group_channels: usize,
    /// From an element to the next, and from a channel to the next, in the input.
    steps: [usize; 2],
}

/// Elements of one channel.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// By index of the position.
    from: usize,
    /// By index in the plane.
    to: usize,
    len: usize,
}

impl Window {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let phase = [0, 1].map(|axis| {
            // What the outputs reach; input beyond it is never read.
            let reach = (geometry.kernel[axis] - 1) * geometry.dilation[axis];
            let size = (geometry.output[axis] - 1) * geometry.stride[axis] + reach + 1;
            size.div_ceil(geometry.stride[axis])
        });
        let place = |row: usize, column: usize| {
            let [rows, columns] = geometry.stride;
            let phase_index = row % rows * columns + column % columns;
            (phase_index * phase[0] + row / rows) * phase[1] + column / columns
        };
        let size = phase[0] * phase[1] * geometry.stride[0] * geometry.stride[1];
        let taps = geometry.kernel[0] * geometry.kernel[1];
        let tap = |tap: usize| {
            let [row, column] = [tap / geometry.kernel[1], tap % geometry.kernel[1]];
            place(row * geometry.dilation[0], column * geometry.dilation[1])
        };
        let offsets = (0..geometry.macs_per_output()).map(|mac| mac / taps * size + tap(mac % taps)).collect();
        let bases: Vec<usize> = (0..geometry.positions())
            .map(|position| position / geometry.output[1] * phase[1] + position % geometry.output[1])
            .collect();
        let mut reads = vec![0; size];
        for offset in (0..taps).map(tap) {
            bases.iter().for_each(|base| reads[base + offset] += 1);
        }
        let mut runs: Vec<Run> = Vec::new();
        for from in 0..geometry.input[0] * geometry.input[1] {
            let [row, column] =
                [from / geometry.input[1] + geometry.padding[0], from % geometry.input[1] + geometry.padding[1]];
            if row / geometry.stride[0] >= phase[0] || column / geometry.stride[1] >= phase[1] {
                continue;
            }
            let to = place(row, column);
            match runs.last_mut() {
                Some(run) if run.from + run.len == from && run.to + run.len == to => run.len += 1,
                _ => runs.push(Run { from, to, len: 1 }),
            }
        }
        let steps = match geometry.layout {
            Layout::ChannelsFirst => [1, geometry.input[0] * geometry.input[1]],
            Layout::ChannelsLast => [geometry.in_channels, 1],
        };
        Self {
            size,
            bases,
            offsets,
            reads,
            runs,
            channels: geometry.in_channels,
            group_channels: geometry.group_channels(),
            steps,
        }
    }

    /// Elements of the planes of a group.
    pub(super) fn group_size(&self) -> usize {
        self.group_channels * self.size
    }

    /// Zeros that one output channel of each group meets, padding included.
    pub(super) fn zeros(&self, planes: &[u32]) -> u64 {
        let of_row = |(bits, reads): (&[u32], &[u32])| {
            let zeros = bits.iter().zip(reads).map(|(bits, reads)| if bits << 1 == 0 { *reads } else { 0 });
            // Wrapping, so that the compiler can do many at once; it never does wrap.
            u64::from(zeros.fold(0, u32::wrapping_add))
        };
        let planes = planes.chunks_exact(self.size).take(self.channels);
        // An element is read by each weight at most once, and weights are below 2^20.
        planes.flat_map(|plane| plane.chunks(1 << 10).zip(self.reads.chunks(1 << 10))).map(of_row).sum()
    }

    /// The planes of an input tensor, as encodings. Behind the last one there are enough elements
    /// for a whole line from any of its own.
    pub(super) fn planes(&self, input: &[f32]) -> Vec<u32> {
        let mut planes = vec![0; self.channels * self.size + WIDTH];
        let [step, channel_step] = self.steps;
        for (channel, plane) in planes.chunks_exact_mut(self.size).take(self.channels).enumerate() {
            let values = &input[channel * channel_step..];
            for run in &self.runs {
                let plane = &mut plane[run.to..][..run.len];
                if step == 1 {
                    let values = &values[run.from..][..run.len];
                    plane.iter_mut().zip(values).for_each(|(slot, value)| *slot = value.to_bits());
                } else {
                    let values = values[run.from * step..].iter().step_by(step);
                    plane.iter_mut().zip(values).for_each(|(slot, value)| *slot = value.to_bits());
                }
            }
        }
        planes
    }
}

/// Magnitudes, as encodings without their sign, between which all nonzero activations of a layer are:
/// first of the positive ones, then of the negative ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extremes {
    pub magnitudes: [Range<u32>; 2],
}

impl Extremes {
    /// Whether all nonzero activations have biased exponents of a range.
    pub(super) fn are_within(&self, exponents: &Range<u32>) -> bool {
        let within = |range: &Range<u32>| {
            range.is_empty() || exponents.contains(&(range.start >> 23)) && range.end <= exponents.end << 23
        };
        self.magnitudes.iter().all(within)
    }
}

/// Finds the [`Extremes`] of encodings.
pub(super) struct ExtremesOf<'a>(pub &'a [u32]);

impl Kernel for ExtremesOf<'_> {
    type Output = Extremes;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> Extremes {
        // As signed numbers the encodings of one sign are positive, and less 1 the zeros and those of the
        // other sign are none of its magnitudes.
        const SIGN: u32 = 1 << 31;
        let (mut greatest, mut least) = ([0_i32; 2], [u32::MAX; 2]);
        for bits in self.0 {
            for (negative, bits) in [*bits, bits ^ SIGN].into_iter().enumerate() {
                greatest[negative] = greatest[negative].max(bits as i32);
                least[negative] = least[negative].min(bits.wrapping_sub(1));
            }
        }
        let range = |negative: usize| match least[negative] < SIGN - 1 {
            true => least[negative] + 1..greatest[negative] as u32 + 1,
            false => 0..0,
        };
        Extremes { magnitudes: [range(0), range(1)] }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::Level;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn extremes_are_those_of_each_sign(
            encodings in proptest::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(1 << 31), Just(1), Just(u32::MAX)], 0..40),
        ) {
            let magnitudes = [0, 1].map(|sign| {
                let of_sign = encodings.iter().filter(|bits| *bits >> 31 == sign).map(|bits| bits & !(1 << 31));
                let nonzero: Vec<u32> = of_sign.filter(|magnitude| *magnitude != 0).collect();
                match (nonzero.iter().min(), nonzero.iter().max()) {
                    (Some(least), Some(greatest)) => *least..greatest + 1,
                    _ => 0..0,
                }
            });
            for level in Level::available() {
                prop_assert_eq!(&level.run(ExtremesOf(&encodings)).magnitudes, &magnitudes);
            }
        }
    }
}

//! Which weight meets which input element in every output of a MAC layer.

/// How a layer's tensors lie in memory (one sample, row major).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[channel, row, column]`: convolutions.
    ChannelsFirst,
    /// `[row, channel]`: dense layers, one row for each vector they transform.
    ChannelsLast,
}

/// The loop nest of one sample through a convolution or a dense layer.
///
/// Spatial pairs are `[rows, columns]`. A 1-D convolution has one row; a dense
/// layer has a 1 × 1 kernel and its input vectors as rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Memory layout of the input and output tensors.
    pub layout: Layout,
    /// Channels of the input tensor.
    pub in_channels: usize,
    /// Channels of the output tensor.
    pub out_channels: usize,
    /// Groups: each connects `in_channels / groups` to `out_channels / groups`.
    pub groups: usize,
    /// Size of the input.
    pub input: [usize; 2],
    /// Size of the output.
    pub output: [usize; 2],
    /// Size of the kernel, in weights.
    pub kernel: [usize; 2],
    /// Input elements from one output to the next.
    pub stride: [usize; 2],
    /// Input elements from one weight to the next.
    pub dilation: [usize; 2],
    /// Rows of +0 above and columns of +0 left of the input. Padding below and
    /// right follows from the output's size.
    pub padding: [usize; 2],
}

impl Geometry {
    /// A dense layer that maps `rows` vectors of `inputs` to vectors of `outputs`.
    pub fn dense(rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            layout: Layout::ChannelsLast,
            in_channels: inputs,
            out_channels: outputs,
            groups: 1,
            input: [rows, 1],
            output: [rows, 1],
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            padding: [0, 0],
        }
    }

    /// Input channels that one output channel sees.
    pub fn group_channels(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Multiply-accumulates behind one output element, padding included.
    pub fn macs_per_output(&self) -> usize {
        self.group_channels() * self.kernel[0] * self.kernel[1]
    }

    /// Multiply-accumulates of one sample, padding included.
    pub fn macs(&self) -> u64 {
        self.outputs() as u64 * self.macs_per_output() as u64
    }

    /// Output positions of one channel.
    pub fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Elements of the output tensor.
    pub fn outputs(&self) -> usize {
        self.out_channels * self.positions()
    }

    /// Elements of the input tensor.
    pub fn inputs(&self) -> usize {
        self.in_channels * self.input[0] * self.input[1]
    }

    /// Elements of the weight tensor.
    pub fn weights(&self) -> usize {
        self.out_channels * self.macs_per_output()
    }

    /// Output channel of a flat output index.
    pub fn channel_of(&self, output: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => output / self.positions(),
            Layout::ChannelsLast => output % self.out_channels,
        }
    }

    /// `[row, column]` of a flat output index.
    fn position_of(&self, output: usize) -> [usize; 2] {
        let position = match self.layout {
            Layout::ChannelsFirst => output % self.positions(),
            Layout::ChannelsLast => output / self.out_channels,
        };
        [position / self.output[1], position % self.output[1]]
    }

    /// Flat index of the output element of a channel at a position (row major).
    pub fn output_index(&self, channel: usize, position: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => channel * self.positions() + position,
            Layout::ChannelsLast => position * self.out_channels + channel,
        }
    }

    /// Flat index of an input element.
    fn input_index(&self, channel: usize, row: usize, column: usize) -> usize {
        let position = row * self.input[1] + column;
        match self.layout {
            Layout::ChannelsFirst => channel * self.input[0] * self.input[1] + position,
            Layout::ChannelsLast => position * self.in_channels + channel,
        }
    }

    /// The operands of one output element, by flat output index, in the order
    /// in which the PE accumulates them: input channel, kernel row, kernel
    /// column. Each item is the flat index of the weight and that of the input
    /// element, or `None` where padding (+0) is streamed.
    pub fn operands(&self, output: usize) -> impl Iterator<Item = (usize, Option<usize>)> + '_ {
        let channel = self.channel_of(output);
        let at = self.position_of(output);
        let first_input = channel / (self.out_channels / self.groups) * self.group_channels();
        let taps = self.kernel[0] * self.kernel[1];
        (0..self.macs_per_output()).map(move |mac| {
            let (in_channel, tap) = (first_input + mac / taps, mac % taps);
            let row = self.source(0, at[0], tap / self.kernel[1]);
            let column = self.source(1, at[1], tap % self.kernel[1]);
            let source = row.zip(column).map(|(row, column)| self.input_index(in_channel, row, column));
            (channel * self.macs_per_output() + mac, source)
        })
    }

    /// The input coordinate that a kernel coordinate meets; `None` in padding.
    fn source(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        (output * self.stride[axis] + tap * self.dilation[axis])
            .checked_sub(self.padding[axis])
            .filter(|at| *at < self.input[axis])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grouped_convolution_meets_its_group_only_and_padding_is_none() {
        let geometry = Geometry {
            layout: Layout::ChannelsFirst,
            in_channels: 4,
            out_channels: 2,
            groups: 2,
            input: [1, 3],
            output: [1, 3],
            kernel: [1, 2],
            stride: [1, 1],
            dilation: [1, 2],
            padding: [0, 1],
        };
        assert_eq!((geometry.macs(), geometry.weights(), geometry.inputs()), (24, 8, 12));
        // Output channel 1, column 0: input channels 2 and 3, columns -1 and 1.
        let operands: Vec<_> = geometry.operands(3).collect();
        assert_eq!(operands, [(4, None), (5, Some(7)), (6, None), (7, Some(10))]);
        assert_eq!((geometry.channel_of(3), geometry.output_index(1, 0)), (1, 3));
    }

    #[test]
    fn a_dense_layer_keeps_its_channels_side_by_side() {
        let geometry = Geometry::dense(2, 3, 5);
        // Row 1, channel 2.
        let operands: Vec<_> = geometry.operands(7).collect();
        assert_eq!(operands, [(6, Some(3)), (7, Some(4)), (8, Some(5))]);
        assert_eq!((geometry.channel_of(7), geometry.output_index(2, 1)), (2, 7));
    }
}

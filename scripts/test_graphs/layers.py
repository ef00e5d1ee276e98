"""Graphs that can be imported: geometries, dense layers, biases, batch norm, and layers that stay outside the PE."""

from test_graphs.builder import Graph
from test_graphs.registry import case, inexact


@case
def conv1d_dilated(g: Graph) -> None:
    """1-D convolution with dilation 3, stride 2, uneven padding and a bias."""
    g.output(g.conv(g.input("N", 3, 20), 5, 3, 3, bias=True, dilations=[3], strides=[2], pads=[2, 1]))


@case
def conv2d_uneven(g: Graph) -> None:
    """2-D convolution in which stride, dilation, padding and kernel differ between rows and columns."""
    x = g.input("N", 2, 9, 7)
    g.output(g.conv(x, 3, 2, 3, 2, strides=[2, 1], dilations=[1, 2], pads=[2, 0, 1, 3]))


@case
def conv2d_without_kernel_shape(g: Graph) -> None:
    """No attribute at all: kernel from the weight, stride 1, no padding."""
    g.output(g.conv(g.input("N", 2, 4, 5), 3, 2, 3, 3))


@case
def conv2d_valid(g: Graph) -> None:
    """auto_pad VALID with a stride that does not divide the input."""
    g.output(g.conv(g.input("N", 1, 8, 7), 2, 1, 3, 3, auto_pad="VALID", strides=[2, 3]))


@case
def depthwise_same_upper(g: Graph) -> None:
    """Depthwise convolution, auto_pad SAME_UPPER with an even kernel and stride: one more row below than above."""
    g.output(g.conv(g.input("N", 4, 7, 6), 4, 1, 4, 3, group=4, auto_pad="SAME_UPPER", strides=[2, 2]))


@case
def depthwise_same_lower(g: Graph) -> None:
    """Depthwise convolution, auto_pad SAME_LOWER with an even kernel: one more row above than below."""
    g.output(g.conv(g.input("N", 4, 7, 6), 4, 1, 4, 2, group=4, auto_pad="SAME_LOWER"))


@case
def depthwise_multiplier(g: Graph) -> None:
    """Depthwise convolution with two outputs for each input channel."""
    g.output(g.conv(g.input("N", 3, 5, 5), 6, 1, 3, 3, group=3, pads=[1, 1, 1, 1]))


@case
def depthwise_1d(g: Graph) -> None:
    """Depthwise 1-D convolution with dilation."""
    g.output(g.conv(g.input("N", 4, 12), 4, 1, 3, group=4, dilations=[2], pads=[2, 2]))


@case
def grouped_conv(g: Graph) -> None:
    """Two groups of several channels each."""
    g.output(g.conv(g.input("N", 4, 5, 4), 6, 2, 3, 3, group=2, bias=True, pads=[1, 1, 1, 1]))


@case
def one_mac_conv(g: Graph) -> None:
    """A convolution of a single multiplication."""
    g.output(g.conv(g.input("N", 1, 1, 1), 1, 1, 1, 1))


@case
def one_mac_gemm(g: Graph) -> None:
    """A dense layer of a single multiplication."""
    g.output(g.node("Gemm", [g.input("N", 1), g.weight(1, 1)]))
    g.maps((1, 1), bias=False)


@case
def residual_add(g: Graph) -> None:
    """A sum of two branches must not be taken for a bias."""
    x = g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, pads=[1, 1, 1, 1])
    g.output(g.node("Add", [x, g.conv(x, 3, 3, 1, 1)]))


@case
def projection_shortcut(g: Graph) -> None:
    """The branch that is written last may run first: layers are numbered as they run."""
    x = g.input("N", 2, 4, 4)
    main = g.conv(g.conv(x, 3, 2, 3, 3, pads=[1, 1, 1, 1]), 3, 3, 3, 3, pads=[1, 1, 1, 1])
    shortcut = g.conv(x, 3, 2, 1, 1)
    g.output(g.conv(g.node("Add", [shortcut, main]), 2, 3, 1, 1))


@case
def gemm_transb0(g: Graph) -> None:
    """Gemm with the weight as [in, out]."""
    g.output(g.node("Gemm", [g.input("N", 6), g.weight(6, 4), g.weight(4)]))
    g.maps((4, 6), bias=True)


@case
def gemm_transb1_alpha_beta(g: Graph) -> None:
    """Gemm with the weight as [out, in], scaled by alpha, and the bias by beta."""
    g.output(g.node("Gemm", [g.input("N", 6), g.weight(4, 6), g.weight(4)], transB=1, alpha=0.5, beta=-2.0))
    g.maps((4, 6), bias=True)


@case
def gemm_scalar_bias(g: Graph) -> None:
    """Gemm whose bias is one value for all outputs."""
    g.output(g.node("Gemm", [g.input("N", 6), g.weight(4, 6), g.weight(1)], transB=1))
    g.maps((4, 6), bias=True)


@case
def gemm_empty_bias(g: Graph) -> None:
    """Gemm whose third input is named "": no bias."""
    g.output(g.node("Gemm", [g.input("N", 6), g.weight(6, 4), ""]))
    g.maps((4, 6), bias=False)


@case
def gemm_beta_zero(g: Graph) -> None:
    """Gemm with beta 0: its bias counts for nothing."""
    g.output(g.node("Gemm", [g.input("N", 6), g.weight(6, 4), g.weight(4)], beta=0.0))
    g.maps((4, 6), bias=False)


@case
def matmul_add(g: Graph) -> None:
    """MatMul with a constant added: a dense layer with a bias."""
    x = g.node("MatMul", [g.input("N", 6), g.weight(6, 4)])
    g.maps((4, 6), bias=True)
    g.output(g.node("Add", [g.weight(4), x]))


@case
def matmul_rows(g: Graph) -> None:
    """MatMul that transforms three vectors of each sample."""
    g.output(g.node("MatMul", [g.input("N", 3, 6), g.weight(6, 4)]))
    g.maps((4, 6), bias=False)


@case
def matmul_add_rows(g: Graph) -> None:
    """A constant that differs from row to row, not from output to output, is no bias."""
    x = g.node("MatMul", [g.input("N", 3, 6), g.weight(6, 4)])
    g.maps((4, 6), bias=False)
    g.output(g.node("Add", [x, g.weight(3, 1)]))


@case
def matmul_weight_left(g: Graph) -> None:
    """MatMul with the constant on the left mixes rows; whether it is mapped is left to the importer."""
    x = g.node("Relu", [g.conv(g.input("N", 2, 5), 3, 2, 1)])
    g.output(g.node("MatMul", [g.weight(4, 3), x]))
    g.may_map()


@case
def matmul_batched_weight(g: Graph) -> None:
    """A weight of its own for each matrix of a batch: not mapped."""
    x = g.conv(g.input("N", 2, 6, 5), 3, 2, 1, 1)
    g.output(g.node("MatMul", [x, g.weight(3, 5, 4)]))
    g.stays()


@case
def conv_add_bias(g: Graph) -> None:
    """A constant of [1, channels, 1, 1] added to a convolution is its bias."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, folds_bias=True)
    g.output(g.node("Add", [x, g.weight(1, 3, 1, 1)]))


@case
def conv_add_columns(g: Graph) -> None:
    """A constant of [columns], as many as channels, is no bias."""
    x = g.conv(g.input("N", 2, 4, 3), 3, 2, 1, 1)
    g.output(g.node("Add", [x, g.weight(3)]))


@case
def conv_bias_add_bias(g: Graph) -> None:
    """A bias of the convolution and another after it: both count."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, bias=True)
    g.output(g.node("Add", [x, g.weight(3, 1, 1)]))


@case
@inexact
def conv_bn(g: Graph) -> None:
    """Batch norm after a convolution without bias, folded."""
    g.output(g.node("Relu", [g.batch_norm(g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, folds_bias=True), 3)]))


@case
@inexact
def conv_bias_bn(g: Graph) -> None:
    """Batch norm after a 1-D convolution with a bias, folded."""
    g.output(g.batch_norm(g.conv(g.input("N", 2, 9), 3, 2, 3, bias=True), 3))


@case
@inexact
def depthwise_bn(g: Graph) -> None:
    """Batch norm after a depthwise convolution, folded channel by channel."""
    g.output(g.batch_norm(g.conv(g.input("N", 3, 5, 5), 3, 1, 3, 3, group=3, folds_bias=True), 3))


@case
@inexact
def conv_bn_read_twice(g: Graph) -> None:
    """The convolution's own output is read too, so batch norm must not be folded into it."""
    x = g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3)
    g.output(g.node("Add", [g.batch_norm(x, 3), x]))


@case
@inexact
def bn_first(g: Graph) -> None:
    """Batch norm before a padded convolution must not be folded into it: padding is 0 after batch norm."""
    g.output(g.conv(g.batch_norm(g.input("N", 2, 5, 5), 2), 3, 2, 3, 3, pads=[1, 1, 1, 1]))


@case
@inexact
def lstm(g: Graph) -> None:
    """An LSTM after a 1-D convolution is not mapped."""
    x = g.node("Transpose", [g.conv(g.input(1, 2, 6), 3, 2, 1)], perm=[2, 0, 1])
    x = g.node("LSTM", [x, g.weight(1, 16, 3), g.weight(1, 16, 4), g.weight(1, 32)], hidden_size=4)
    g.stays()
    g.output(g.node("Flatten", [g.node("Transpose", [x], perm=[2, 0, 1, 3])]))


@case
def conv_transpose(g: Graph) -> None:
    """A transposed convolution is not mapped."""
    x = g.conv(g.input("N", 2, 3, 3), 3, 2, 1, 1)
    g.output(g.node("ConvTranspose", [x, g.weight(3, 2, 2, 2)], strides=[2, 2]))
    g.stays()


@case
def conv3d(g: Graph) -> None:
    """A 3-D convolution is not mapped; the dense layer after it is."""
    x = g.node("Conv", [g.input("N", 1, 3, 3, 3), g.weight(2, 1, 2, 2, 2)])
    g.stays()
    g.output(g.node("Gemm", [g.node("Flatten", [x]), g.weight(4, 16)], transB=1))
    g.maps((4, 16), bias=False)


@case
def dead_branch(g: Graph) -> None:
    """A convolution that no output needs is no layer of the network."""
    x = g.input("N", 2, 4, 4)
    g.node("Conv", [x, g.weight(5, 2, 1, 1)], "dead")
    g.output(g.conv(x, 3, 2, 3, 3, name="live"))

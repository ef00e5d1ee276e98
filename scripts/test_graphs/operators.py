"""Graphs with the operators that stand between layers, each in the forms that the operator sets 11 to 21 give them."""

import numpy as np
from onnx import TensorProto, helper

from test_graphs.builder import Graph
from test_graphs.registry import case, inexact, one_opinion


def dense(g: Graph, x: str, *shape: int) -> None:
    """A dense layer with a bias as the network's output."""
    g.output(g.node("Gemm", [x, g.weight(*shape), g.weight(shape[0])], transB=1))
    g.maps(shape, bias=True)


def view(g: Graph, x: str) -> str:
    """`x.view(x.size(0), -1)` as TorchScript exports it."""
    batch = g.node("Gather", [g.node("Shape", [x]), g.constant(np.int64(0))], axis=0)
    axes = {"axes": [0]} if g.opset < 13 else {}
    inputs = [batch] if g.opset < 13 else [batch, g.constant(np.int64([0]))]
    batch = g.node("Unsqueeze", inputs, **axes)
    return g.node("Reshape", [x, g.node("Concat", [batch, g.constant(np.int64([-1]))], axis=0)])


@case
def view_opset11(g: Graph) -> None:
    """A computed shape before the dense layer."""
    g.opset, g.ir_version = 11, 6
    dense(g, view(g, g.node("Relu", [g.conv(g.input("batch", 1, 4, 4), 2, 1, 3, 3)])), 3, 8)


@case
def view_opset13(g: Graph) -> None:
    """The same in opset 13, whose axes are inputs."""
    g.opset = 13
    dense(g, view(g, g.node("Relu", [g.conv(g.input("batch", 1, 4, 4), 2, 1, 3, 3)])), 3, 8)


@case
def reshape_keeps_batch(g: Graph) -> None:
    """A shape of [0, -1]: the first is copied, the second follows."""
    x = g.conv(g.input(None, 1, 4, 4), 2, 1, 3, 3)
    dense(g, g.node("Reshape", [x, g.constant(np.int64([0, -1]))]), 3, 8)


@case
def shape_of_dynamo(g: Graph) -> None:
    """A batch read by Shape with a start and an end, as dynamo exports it."""
    g.opset, g.ir_version = 18, 10
    x = g.conv(g.input("s77", 1, 4, 4), 2, 1, 3, 3)
    batch = g.node("Shape", [x], start=0, end=1)
    dense(g, g.node("Reshape", [x, g.node("Concat", [batch, g.constant(np.int64([8]))], axis=0)], allowzero=1), 3, 8)


@case
def relu6_inputs(g: Graph) -> None:
    """ReLU6 as Clip with inputs, one of them left out before, and a signed Clip after a second layer."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, bias=True)
    x = g.node("Clip", [x, "", g.constant(np.float32(6))])
    x = g.node("Clip", [x, g.constant(np.float32(0))])
    x = g.conv(x, 2, 3, 1, 1)
    g.output(g.node("Clip", [x, g.constant(np.float32(-1)), g.constant(np.float32(1))]))


@case
def relu6_attributes(g: Graph) -> None:
    """ReLU6 as opset 6 to 10 has it: Clip with attributes."""
    g.opset, g.ir_version = 10, 5
    g.output(g.node("Clip", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, bias=True)], min=0.0, max=6.0))


@case
def pad_attributes(g: Graph) -> None:
    """Padding before a convolution, as an attribute (opset 2)."""
    g.opset, g.ir_version = 10, 5
    x = g.node("Pad", [g.input("N", 2, 4, 4)], pads=[0, 0, 1, 0, 0, 0, 2, 1], mode="constant", value=0.0)
    g.output(g.conv(x, 3, 2, 3, 3))


@case
def pad_inputs(g: Graph) -> None:
    """Padding before a convolution, as an input (opset 11), by a value that is not 0."""
    g.opset, g.ir_version = 11, 6
    pads = g.constant(np.int64([0, 0, 1, 0, 0, 0, 2, 1]))
    g.output(g.conv(g.node("Pad", [g.input("N", 2, 4, 4), pads, g.constant(np.float32(0.5))]), 3, 2, 3, 3))


@case
def pad_axes(g: Graph) -> None:
    """Padding before a convolution, of some axes only (opset 18)."""
    g.opset, g.ir_version = 18, 8
    pads, axes = g.constant(np.int64([1, 0, 2, 1])), g.constant(np.int64([2, 3]))
    g.output(g.conv(g.node("Pad", [g.input("N", 2, 4, 4), pads, "", axes]), 3, 2, 3, 3))


@case
@one_opinion
def pad_cuts(g: Graph) -> None:
    """Padding by less than nothing cuts."""
    pads = g.constant(np.int64([0, 0, -1, 1, 0, 0, 0, -2]))
    g.output(g.conv(g.node("Pad", [g.input("N", 2, 4, 6), pads]), 3, 2, 3, 3))


@case
def pad_reflect(g: Graph) -> None:
    """Reflected borders before a convolution."""
    pads = g.constant(np.int64([0, 0, 1, 1, 0, 0, 1, 1]))
    g.output(g.conv(g.node("Pad", [g.input("N", 2, 4, 4), pads], mode="reflect"), 3, 2, 3, 3))


@case
def pad_edge(g: Graph) -> None:
    """Repeated borders before a convolution, of one axis."""
    g.opset = 19
    pads, axes = g.constant(np.int64([1, 2])), g.constant(np.int64([-1]))
    g.output(g.conv(g.node("Pad", [g.input("N", 2, 4, 4), pads, "", axes], mode="edge"), 3, 2, 3, 3))


@case
def pools(g: Graph) -> None:
    """Average pools with and without counted padding, a max pool with padding, a global one, joined channels."""
    x = g.conv(g.input("N", 2, 4, 4), 2, 2, 1, 1)
    same = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    counted = g.node("AveragePool", [x], count_include_pad=1, **same)
    uncounted = g.node("AveragePool", [x], **same)
    x = g.node("Concat", [counted, uncounted, g.node("MaxPool", [x], **same)], axis=1)
    x = g.node("Flatten", [g.node("GlobalMaxPool", [g.conv(x, 4, 6, 2, 2)])])
    dense(g, x, 3, 4)


@case
def mean_attributes(g: Graph) -> None:
    """A mean over rows and columns, axes as an attribute."""
    x = g.node("ReduceMean", [g.conv(g.input("N", 2, 4, 4), 4, 2, 1, 1)], axes=[2, 3], keepdims=0)
    dense(g, x, 3, 4)


@case
def mean_inputs(g: Graph) -> None:
    """A mean over rows and columns, axes as an input (opset 18), negative ones."""
    g.opset = 18
    axes = g.constant(np.int64([-1, -2]))
    x = g.node("ReduceMean", [g.conv(g.input("N", 2, 4, 4), 4, 2, 1, 1), axes], keepdims=1)
    dense(g, g.node("Squeeze", [x, axes]), 3, 4)


@case
@inexact
def activations(g: Graph) -> None:
    """Signed activations: leaky and parametric ReLU, hard sigmoid and swish, sigmoid, tanh, softplus, GELU."""
    g.opset, g.ir_version = 20, 9
    x = g.node("LeakyRelu", [g.conv(g.input("N", 2, 3, 3), 3, 2, 1, 1, bias=True)], alpha=0.1)
    x = g.node("PRelu", [g.conv(x, 2, 3, 1, 1), g.weight(2, 1, 1)])
    x = g.node("Add", [g.node("HardSwish", [x]), g.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5)])
    x = g.node("Add", [g.node("Sigmoid", [x]), g.node("Tanh", [x])])
    x = g.node("Add", [g.node("Softplus", [x]), g.node("Gelu", [g.conv(x, 2, 2, 1, 1)])])
    x = g.node("Elu", [x], alpha=0.5)
    dense(g, g.node("Flatten", [x]), 3, 18)


@case
@inexact
def hard_swish_parts(g: Graph) -> None:
    """Hard swish in parts: the sum in it must not be taken for a bias, since the product reads the layer too."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)
    gate = g.node("Clip", [g.node("Add", [x, g.constant(np.float32(3))]), *(g.constant(np.float32(v)) for v in (0, 6))])
    g.output(g.node("Div", [g.node("Mul", [x, gate]), g.constant(np.float32(6))]))


@case
@inexact
def squeeze_excite(g: Graph) -> None:
    """Channels scaled by what two layers make of their means."""
    x = g.node("Relu", [g.conv(g.input("N", 2, 4, 4), 4, 2, 1, 1)])
    gate = g.node("Relu", [g.conv(g.node("GlobalAveragePool", [x]), 2, 4, 1, 1, bias=True)])
    gate = g.node("Sigmoid", [g.conv(gate, 4, 2, 1, 1, bias=True)])
    g.output(g.conv(g.node("Mul", [x, gate]), 2, 4, 1, 1))


@case
@inexact
def log_softmax_opset12(g: Graph) -> None:
    """The old LogSoftmax, which takes everything from its axis on for one."""
    g.opset, g.ir_version = 12, 7
    g.output(g.node("LogSoftmax", [g.conv(g.input("N", 2, 3, 2), 2, 2, 1, 1)], axis=1))


@case
@inexact
def training_leftovers(g: Graph) -> None:
    """Dropout that is off, between a layer and its batch norm; weights that pass through Identity."""
    weight = g.node("Identity", [g.node("Identity", [g.weight(3, 2, 3, 3)])])
    x = g.node("Conv", [g.input("N", 2, 5, 5), weight])
    g.maps((3, 2, 3, 3), bias=True)
    off = g.constant(np.bool_(False))
    x = g.node("Identity", [g.node("Dropout", [x, g.constant(np.float32(0.5)), off], outputs=2)])
    g.output(g.batch_norm(x, 3))


@case
def dropout_opset11(g: Graph) -> None:
    """Dropout with its ratio as an attribute."""
    g.opset, g.ir_version = 11, 6
    g.output(g.node("Dropout", [g.node("Relu", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)])], ratio=0.5))


@case
def constants_computed(g: Graph) -> None:
    """A weight from ConstantOfShape, a bias that is cast from float64 and cut out of a longer one."""
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.25])
    weight = g.node("ConstantOfShape", [g.constant(np.int64([3, 2, 3, 3]))], value=value)
    bias = g.node("Cast", [g.constant(g.values(5).astype(np.float64))], to=TensorProto.FLOAT)
    bias = g.node("Slice", [bias, *(g.constant(np.int64([v])) for v in (1, 4))])
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight, bias]))
    g.maps((3, 2, 3, 3), bias=True)


@case
def weights_as_floats(g: Graph) -> None:
    """Weights as a list of floats instead of bytes."""
    for index, shape in enumerate([(3, 2, 3, 3), (3,)]):
        values = g.values(*shape)
        g.initializers.append(helper.make_tensor(f"listed{index}", TensorProto.FLOAT, shape, values.ravel().tolist()))
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), "listed0", "listed1"]))
    g.maps((3, 2, 3, 3), bias=True)


@case
def gemm_scaled_behind(g: Graph) -> None:
    """A dense layer whose result is scaled and moved by constants: all one layer."""
    x = g.node("Gemm", [g.input("N", 6), g.weight(4, 6), g.weight(4)], transB=1)
    g.maps((4, 6), bias=True)
    x = g.node("Div", [x, g.constant(np.float32([2, 4, 0.5, 1]))])
    g.output(g.node("Sub", [g.weight(1, 4), x]))


@case
def gemm_divided_by_zero(g: Graph) -> None:
    """A constant divided by the layer, and the layer by a zero: neither is folded."""
    x = g.node("Gemm", [g.input("N", 6), g.weight(4, 6)], transB=1)
    g.maps((4, 6), bias=False)
    x = g.node("Div", [x, g.constant(np.float32([2, 0, 0.5, 1]))])
    g.output(g.node("Clip", [g.node("Div", [g.constant(np.float32([1, 0, 0, 0])), x])]))


@case
@inexact
def frames_bn(g: Graph) -> None:
    """A dense layer on frames, transposed to channels first for its batch norm: folded."""
    x = g.node("MatMul", [g.input("N", 5, 3), g.weight(3, 4)])
    g.maps((4, 3), bias=True)
    x = g.node("Relu", [g.batch_norm(g.node("Transpose", [x], perm=[0, 2, 1]), 4)])
    g.output(g.conv(x, 2, 4, 3, bias=True))


@case
@inexact
def dense_bn_of_pixels(g: Graph) -> None:
    """Batch norm after Flatten counts pixels, not channels: not folded."""
    x = g.node("Flatten", [g.conv(g.input("N", 2, 2, 2), 3, 2, 1, 1)])
    g.output(g.batch_norm(x, 12))


@case
@inexact
def dense_bn_of_channels(g: Graph) -> None:
    """Batch norm after Flatten of one pixel counts channels: folded."""
    x = g.node("Flatten", [g.conv(g.input("N", 2, 2, 2), 3, 2, 2, 2, folds_bias=True)])
    g.output(g.batch_norm(x, 3))

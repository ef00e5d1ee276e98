"""Graphs that can be imported: ways to store weights, names, opsets, shapes and outputs."""

import numpy as np
from onnx import TensorProto, helper

from test_graphs.builder import Graph
from test_graphs.registry import case, inexact, option

HOSTILE_NAMES = [
    'it\'s "quoted"',
    "a/b\\c",
    "../../etc/passwd",
    "line\nbreak\r\ttab",
    "module",
    "always @(*) begin end",
    "endmodule // */ /*",
    "</script><script>alert(1)</script>",
    "&lt;b&gt; <!-- -->",
    "$(touch x); `touch y` | z &",
    "--help",
    " ",
    "CON",
    "%s {} {0}",
    "\u00fcn\u00efc\u00f6de \u5c64 \u202e",
    "axp_pe",
    "x" * 300,
]


@case
def weights_as_inputs(g: Graph) -> None:
    """IR version 3 lists initializers among the inputs."""
    g.opset, g.ir_version = 7, 3
    g.output(g.conv(g.input(1, 2, 4, 4), 3, 2, 3, 3, bias=True))
    for tensor in g.initializers:
        g.inputs.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))


@case
def weights_in_constant_node(g: Graph) -> None:
    """The weight comes out of a Constant node, through Identity."""
    value = helper.make_tensor("value", TensorProto.FLOAT, [3, 2, 3, 3], g.values(3, 2, 3, 3).ravel())
    weight = g.node("Identity", [g.node("Constant", [], value=value)])
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight]))
    g.maps((3, 2, 3, 3), bias=False)


@case
def weights_transposed(g: Graph) -> None:
    """The weight of a MatMul is the transpose of a constant."""
    weight = g.node("Transpose", [g.weight(4, 6)], perm=[1, 0])
    g.output(g.node("MatMul", [g.input("N", 6), weight]))
    g.maps((4, 6), bias=False)


@case
def weights_float16(g: Graph) -> None:
    """The weight is stored as float16 and cast."""
    weight = g.node("Cast", [g.constant(g.values(3, 2, 3, 3).astype(np.float16))], to=TensorProto.FLOAT)
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight]))
    g.maps((3, 2, 3, 3), bias=False)


@case
def weights_qdq(g: Graph) -> None:
    """int8 weights with a scale for each channel behind DequantizeLinear, activations through a QDQ pair."""
    g.opset, g.ir_version = 19, 9
    x, scale = g.input("N", 2, 4, 4), g.constant(np.float32(1 / 16))
    zero = g.constant(np.int8(0))
    x = g.node("DequantizeLinear", [g.node("QuantizeLinear", [x, scale, zero]), scale, zero])
    stored = g.constant(g.generator.integers(-128, 128, (3, 2, 3, 3)).astype(np.int8))
    scales, zeros = g.constant(np.float32([1 / 64, 1 / 32, 1 / 128])), g.constant(np.zeros(3, np.int8))
    weight = g.node("DequantizeLinear", [stored, scales, zeros], axis=0)
    g.output(g.node("Conv", [x, weight]))
    g.maps((3, 2, 3, 3), bias=False)


@case
def weights_shared(g: Graph) -> None:
    """Two convolutions read one weight."""
    weight = g.weight(2, 2, 1, 3)
    x = g.node("Conv", [g.input("N", 2, 4, 7), weight], "first")
    g.maps((2, 2, 1, 3), bias=False)
    g.output(g.node("Conv", [g.node("Relu", [x]), weight], "second"))
    g.maps((2, 2, 1, 3), bias=False)


@case
def weights_dynamic(g: Graph) -> None:
    """A product of two activations is not mapped; the convolution before it is."""
    x = g.conv(g.input("N", 2, 3, 3), 2, 2, 1, 1)
    g.output(g.node("MatMul", [x, g.node("Transpose", [x], perm=[0, 1, 3, 2])]))
    g.stays()


@case
def weights_zero(g: Graph) -> None:
    """A layer whose weights are all zero, of either sign."""
    weight = g.constant(np.where(g.values(3, 2, 3, 3) < 0, -0.0, 0.0).astype(np.float32))
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight, g.weight(3)]))
    g.maps((3, 2, 3, 3), bias=True)


@case
def names_hostile(g: Graph) -> None:
    """Names with quotes, paths, line breaks, Verilog, HTML and shell; each is data, to be kept as it is."""
    x = g.input("N", 1, 2)
    for name in HOSTILE_NAMES:
        g.node("Conv", [x, g.constant(np.float32([[[g.generator.choice([-2.0, -1.0, 1.0, 2.0])]]]))], name)
        g.maps((1, 1, 1), bias=False)
        # The tensor carries the name too.
        g.nodes[-1].output[0] = x = f"{name}:0"
    g.output(x)


@case
def names_duplicate(g: Graph) -> None:
    """Two nodes of one name, one that differs by case, two that sanitising would make equal."""
    x = g.input("N", 2, 3)
    for index, name in enumerate(["conv", "conv", "Conv", "a b", "a_b"]):
        x = g.conv(x, 2, 2, 1, name=name, layer_name=None if index < 2 else "")
        # Small whole numbers, so that sums stay exact.
        x = g.node("Clip", [x, g.constant(np.float32(-1)), g.constant(np.float32(1))])
        x = g.node("Floor", [x])
    g.output(x)


@case
def names_missing(g: Graph) -> None:
    """Nodes without names."""
    x = g.conv(g.input("N", 2, 4), 3, 2, 1, name="", layer_name=None)
    g.output(g.conv(g.node("Relu", [x], ""), 2, 3, 2, name="", layer_name=None))


def small_net(g: Graph, opset: int) -> None:
    """Convolution, ReLU, max-pool, flatten, dense, softmax."""
    g.opset, g.ir_version = opset, 10 if opset > 20 else 6
    x = g.node("Relu", [g.conv(g.input("N", 1, 6, 6), 3, 1, 3, 3, bias=True)])
    x = g.node("Flatten", [g.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])])
    x = g.node("Gemm", [x, g.weight(4, 12), g.weight(4)], transB=1)
    g.maps((4, 12), bias=True)
    g.output(g.node("Softmax", [x], axis=1))


@case
@inexact
def opset11(g: Graph) -> None:
    """A small net in opset 11."""
    small_net(g, 11)


@case
@inexact
def opset21(g: Graph) -> None:
    """A small net in opset 21."""
    small_net(g, 21)


@case
@inexact
def opset9_bn(g: Graph) -> None:
    """Batch norm as opset 9 has it."""
    g.opset, g.ir_version = 9, 4
    g.output(g.batch_norm(g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, folds_bias=True), 3))


@case
def batch_fixed(g: Graph) -> None:
    """A batch of 1 in the file."""
    g.output(g.conv(g.input(1, 2, 4, 4), 3, 2, 3, 3))


@case
def batch_unnamed(g: Graph) -> None:
    """An open batch without a name."""
    g.output(g.conv(g.input(None, 2, 4, 4), 3, 2, 3, 3))


@case
@option(input_shape=[2, 9])
def length_given(g: Graph) -> None:
    """An open dimension besides the batch, with a value given at import."""
    g.output(g.conv(g.input("N", 2, "length"), 3, 2, 3))


@case
def outputs_labels_and_scores(g: Graph) -> None:
    """A classifier that returns labels (int64) and then scores: the scores are the output."""
    x = g.node("Gemm", [g.input("N", 6), g.weight(6, 4)])
    g.maps((4, 6), bias=False)
    g.output(g.node("ArgMax", [x], axis=1), TensorProto.INT64)
    g.output(x)

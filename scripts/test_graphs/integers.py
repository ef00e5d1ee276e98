"""Graphs with quantised integers, recurrent layers and computed weights: what of them is mapped, and refused."""

import numpy as np
from onnx import TensorProto, helper

from test_graphs.builder import Graph
from test_graphs.refused import encoded, refused
from test_graphs.registry import case, inexact


def quantised(g: Graph, *shape: int) -> list[str]:
    """A weight of int8 with its scale and zero point."""
    stored = g.generator.integers(-127, 128, shape).astype(np.int8)
    return [g.constant(stored), g.constant(np.float32(1 / 64)), g.constant(np.int8(0))]


def pair(g: Graph, x: str, scale: float, zero: np.generic) -> str:
    """Activations through QuantizeLinear and back."""
    parameters = [g.constant(np.float32(scale)), g.constant(zero)]
    return g.node("DequantizeLinear", [g.node("QuantizeLinear", [x, *parameters]), *parameters])


@case
def qdq_net(g: Graph) -> None:
    """QDQ as onnxruntime's static quantisation writes it: int8 weights and int32 biases behind DequantizeLinear."""
    g.opset, g.ir_version = 19, 9
    x = pair(g, g.input("N", 2, 4, 4), 1 / 16, np.int8(0))
    scales = [g.constant(np.float32([1 / 64, 1 / 32, 1 / 128])), g.constant(np.int8([0, 0, 0]))]
    weight = g.node("DequantizeLinear", [quantised(g, 3, 2, 3, 3)[0], *scales], axis=0)
    stored = g.constant(g.generator.integers(-2000, 2000, 3).astype(np.int32))
    scales = [g.constant(np.float32([1 / 1024, 1 / 512, 1 / 2048])), g.constant(np.int32([0, 0, 0]))]
    bias = g.node("DequantizeLinear", [stored, *scales], axis=0)
    x = g.node("Conv", [x, weight, bias])
    g.maps((3, 2, 3, 3), bias=True)
    x = g.node("Flatten", [pair(g, g.node("Relu", [x]), 1 / 16, np.uint8(0))])
    weight = g.node("DequantizeLinear", quantised(g, 12, 4))
    x = g.node("MatMul", [x, weight])
    g.maps((4, 12), bias=False)
    g.output(pair(g, x, 1 / 8, np.uint8(128)))


@case
@inexact
def qdq_softmax(g: Graph) -> None:
    """A softmax between DequantizeLinear and QuantizeLinear is not a table of its input's 256 values."""
    g.opset, g.ir_version = 19, 9
    x = g.node("Gemm", [g.input("N", 6), g.weight(3, 6)], transB=1)
    g.maps((3, 6), bias=False)
    x = g.node("Softmax", [pair(g, x, 1 / 32, np.int8(3))])
    g.output(pair(g, x, 1 / 256, np.int8(-128)))


@case
def qdq_int16(g: Graph) -> None:
    """Activations of int16 and uint16, one scale a channel, quantised by a scale whose reciprocal is not exact."""
    g.opset, g.ir_version = 21, 10
    x = pair(g, g.input("N", 2, 3, 3), 1 / 16, np.int16(5))
    scales, zeros = g.constant(np.float32([3 / 8, 1 / 8])), g.constant(np.uint16([7, 65000]))
    x = g.node("QuantizeLinear", [x, scales, zeros], axis=1)
    x = g.node("DequantizeLinear", [x, scales, zeros], axis=-3)
    g.output(g.conv(x, 3, 2, 2, 2))


@case
def qlinear_conv(g: Graph) -> None:
    """A convolution of integers is not mapped; the dense layer behind it is."""
    g.opset, g.ir_version = 19, 9
    scale, zero = g.constant(np.float32(1 / 16)), g.constant(np.int8(0))
    x = g.node("QuantizeLinear", [g.input("N", 2, 4, 4), scale, zero])
    x = g.node("QLinearConv", [x, scale, zero, *quantised(g, 3, 2, 3, 3), scale, zero])
    g.stays()
    x = g.node("Gemm", [g.node("Flatten", [g.node("DequantizeLinear", [x, scale, zero])]), g.weight(3, 12)], transB=1)
    g.maps((3, 12), bias=False)
    g.output(x)


@case
@inexact
def conv_integer(g: Graph) -> None:
    """A product of integers, as dynamic quantisation writes it, is not mapped; the convolution before it is."""
    x = g.node("Flatten", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)])
    x = g.node("DynamicQuantizeLinear", [x], outputs=3)
    scale, zero = g.nodes[-1].output[1:]
    weight, weight_scale, weight_zero = quantised(g, 12, 4)
    y = g.node("MatMulInteger", [x, weight, zero, weight_zero])
    g.stays()
    y = g.node("Cast", [y], to=TensorProto.FLOAT)
    g.output(g.node("Mul", [y, g.node("Mul", [scale, weight_scale])]))


@case
@inexact
def gru(g: Graph) -> None:
    """A GRU is not mapped; the dense layer on its frames is."""
    x = g.node("Transpose", [g.input(1, 6, 2)], perm=[1, 0, 2])
    x = g.node("GRU", [x, g.weight(1, 9, 2), g.weight(1, 9, 3), g.weight(1, 18)], hidden_size=3, linear_before_reset=1)
    g.stays()
    x = g.node("Transpose", [g.node("Squeeze", [x, g.constant(np.int64([1]))])], perm=[1, 0, 2])
    g.output(g.node("MatMul", [x, g.weight(3, 2)]))
    g.maps((2, 3), bias=False)


@case
def weights_computed(g: Graph) -> None:
    """A kernel that a dense layer computes from the input: its convolution is not mapped, the dense layer is."""
    x = g.input(1, 2, 4, 4)
    mean = g.node("Gemm", [g.node("Flatten", [g.node("GlobalAveragePool", [x])]), g.weight(6, 2)], transB=1)
    g.maps((6, 2), bias=False)
    kernel = g.node("Reshape", [mean, g.constant(np.int64([3, 2, 1, 1]))])
    g.output(g.node("Conv", [x, kernel]))
    g.stays()


@refused("UnsupportedOperator")
def bad_qlinear_add(g: Graph) -> bytes:
    """A sum of integers of onnxruntime's own."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)
    scale, zero = g.constant(np.float32(1 / 16)), g.constant(np.int8(0))
    x = g.node("QuantizeLinear", [x, scale, zero])
    x = g.node("QLinearAdd", [x, scale, zero, x, scale, zero, scale, zero], "sum", domain="com.microsoft")
    g.output(g.node("DequantizeLinear", [x, scale, zero]))
    return encoded(g.model())


@refused("NoMacLayer")
def bad_only_integers(g: Graph) -> bytes:
    """A net that computes with integers alone."""
    scale, zero = g.constant(np.float32(1 / 16)), g.constant(np.int8(0))
    weight = g.constant(g.generator.integers(-127, 128, (3, 2, 3, 3)).astype(np.int8))
    x = g.node("QuantizeLinear", [g.input("N", 2, 4, 4), scale, zero])
    x = g.node("QLinearConv", [x, scale, zero, weight, scale, zero, scale, zero])
    g.output(g.node("DequantizeLinear", [x, scale, zero]))
    return encoded(g.model())


@refused("NoMacLayer")
def bad_many_integers(g: Graph) -> bytes:
    """So many layers of integers that the message names a few of them only."""
    scale, zero = g.constant(np.float32(1 / 16)), g.constant(np.int8(0))
    x = g.node("QuantizeLinear", [g.input("N", 2, 4, 4), scale, zero])
    for _ in range(9):
        x = g.node("QLinearConv", [x, scale, zero, *quantised(g, 2, 2, 1, 1), scale, zero])
    g.output(g.node("DequantizeLinear", [x, scale, zero]))
    return encoded(g.model())


@refused("NoMacLayer")
def bad_only_recurrent(g: Graph) -> bytes:
    """A net of one LSTM."""
    weights = [g.weight(1, 16, 3), g.weight(1, 16, 4)]
    g.output(g.node("LSTM", [g.node("Transpose", [g.input(1, 6, 3)], perm=[1, 0, 2]), *weights], hidden_size=4))
    return encoded(g.model())


@refused("Unsupported")
def bad_int4_weight(g: Graph) -> bytes:
    """A weight of int4, which is not read."""
    g.opset, g.ir_version = 21, 10
    weight = helper.make_tensor("packed", TensorProto.INT4, [3, 2, 3, 3], [1] * 54)
    g.initializers.append(weight)
    weight = g.node("DequantizeLinear", ["packed", g.constant(np.float32(1 / 4))])
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight]))
    return encoded(g.model())

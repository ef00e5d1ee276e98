"""Graphs as tf2onnx leaves them: channels last, with transposes around convolutions, and batch norm as Mul and Add."""

import numpy as np
from onnx import TensorProto

from test_graphs.builder import Graph
from test_graphs.registry import case, inexact

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@case
def tf_transposes(g: Graph) -> None:
    """A channels-last input: each convolution stands between two transposes, with its bias behind the second."""
    x = g.node("Transpose", [g.input("N", 5, 4, 2)], perm=FIRST)
    x = g.node("Transpose", [g.conv(x, 3, 2, 3, 3, folds_bias=True)], perm=LAST)
    x = g.node("Transpose", [g.node("Relu", [g.node("Add", [x, g.weight(3)])])], perm=FIRST)
    g.output(g.node("Transpose", [g.conv(x, 2, 3, 1, 1)], perm=LAST))


@case
@inexact
def tf_bn_mul_add(g: Graph) -> None:
    """Batch norm as a product and a sum of constants."""
    x = g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, folds_bias=True)
    g.output(g.node("Relu", [g.node("Add", [g.node("Mul", [x, g.weight(1, 3, 1, 1)]), g.weight(3, 1, 1)])]))


@case
@inexact
def tf_bn_mul_sub_behind_transpose(g: Graph) -> None:
    """Batch norm as a product and a difference behind a convolution with a bias and a transpose."""
    x = g.node("Transpose", [g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, bias=True)], perm=LAST)
    g.output(g.node("Sub", [g.node("Mul", [g.weight(3), x]), g.weight(1, 1, 3)]))


@case
@inexact
def tf_bn_behind_transposes(g: Graph) -> None:
    """Batch norm after two transposes that cancel out, folded."""
    x = g.node("Transpose", [g.conv(g.input("N", 2, 5, 5), 3, 2, 3, 3, folds_bias=True)], perm=LAST)
    g.output(g.batch_norm(g.node("Transpose", [x], perm=FIRST), 3))


@case
@inexact
def tf_bn_axis_of_columns(g: Graph) -> None:
    """Batch norm after one transpose counts columns, of which there are as many as channels: not folded."""
    x = g.node("Transpose", [g.conv(g.input("N", 2, 3, 3), 3, 2, 1, 1)], perm=[0, 3, 2, 1])
    g.output(g.batch_norm(x, 3))


@case
@inexact
def tf_bn_behind_pad(g: Graph) -> None:
    """Batch norm after padding changes the padding too: not folded."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)
    pads = g.constant(np.int64([0, 0, 1, 1, 0, 0, 1, 1]))
    g.output(g.batch_norm(g.node("Pad", [x, pads]), 3))


@case
@inexact
def tf_conv1d(g: Graph) -> None:
    """A 1-D convolution as a 2-D one of one row, with its batch norm behind the row's removal."""
    x = g.node("Transpose", [g.input("N", 9, 2)], perm=[0, 2, 1])
    x = g.conv(g.node("Unsqueeze", [x, g.constant(np.int64([2]))]), 3, 2, 1, 3, folds_bias=True, dilations=[1, 2])
    x = g.batch_norm(g.node("Squeeze", [x, g.constant(np.int64([2]))]), 3)
    g.output(g.node("Transpose", [g.node("Relu", [x])], perm=[0, 2, 1]))


@case
@inexact
def tf_conv1d_opset11(g: Graph) -> None:
    """The same in opset 11, whose axes are attributes, with batch norm as Mul and Add in the channels-last order."""
    g.opset, g.ir_version = 11, 6
    x = g.node("Transpose", [g.node("Unsqueeze", [g.input("N", 9, 2)], axes=[1])], perm=FIRST)
    x = g.node("Transpose", [g.conv(x, 3, 2, 1, 3, folds_bias=True, strides=[1, 2])], perm=LAST)
    x = g.node("Squeeze", [x], axes=[1])
    g.output(g.node("Add", [g.node("Mul", [x, g.weight(3)]), g.weight(1, 1, 3)]))


@case
def tf_dense_behind_reshape(g: Graph) -> None:
    """A dense layer on frames: reshaped to a matrix and back with a computed shape, its bias after that."""
    x = g.input("N", 3, 4)
    shape = g.node("Cast", [g.node("Shape", [x])], to=TensorProto.INT32)
    batch = g.node("Slice", [shape, *(g.constant(np.int64([v])) for v in (0, 1, 0))])
    rest = g.node("Cast", [g.node("Concat", [batch, g.constant(np.int32([3, 5]))], axis=0)], to=TensorProto.INT64)
    y = g.node("MatMul", [g.node("Reshape", [x, g.constant(np.int64([-1, 4]))]), g.weight(4, 5)])
    g.maps((5, 4), bias=True)
    g.output(g.node("Relu", [g.node("Add", [g.node("Reshape", [y, rest]), g.weight(5)])]))


@case
def tf_matmul_batch_of_one(g: Graph) -> None:
    """A weight of [1, in, out] is a matrix."""
    g.output(g.node("MatMul", [g.input("N", 3, 4), g.weight(1, 4, 5)]))
    g.maps((5, 4), bias=False)


@case
@inexact
def tf_separable(g: Graph) -> None:
    """Explicit padding, a depthwise weight that is transposed and reshaped, ReLU6 as Min and Max, a mean over rows."""
    x = g.node("Transpose", [g.input("N", 6, 6, 2)], perm=FIRST)
    x = g.node("Pad", [x, g.constant(np.int64([0, 0, 0, 0, 0, 0, 1, 1]))])
    stored = g.node("Transpose", [g.weight(3, 3, 2, 1)], perm=[2, 3, 0, 1])
    weight = g.node("Reshape", [stored, g.constant(np.int64([2, 1, 3, 3]))])
    x = g.batch_norm(g.node("Conv", [x, weight], group=2, strides=[2, 2]), 2)
    g.maps((2, 1, 3, 3), bias=True, name=g.nodes[-2].name)
    g.mapped[-1].node -= 1
    x = g.node("Min", [g.node("Max", [x, g.constant(np.float32(0))]), g.constant(np.float32(6))])
    x = g.node("Transpose", [g.conv(x, 4, 2, 1, 1, bias=True)], perm=LAST)
    x = g.node("ReduceMean", [x], axes=[1, 2], keepdims=0)
    x = g.node("MatMul", [x, g.weight(4, 3)])
    g.maps((3, 4), bias=True)
    g.output(g.node("Softmax", [g.node("Add", [x, g.weight(3)])]))


def space_to_batch(g: Graph, strides: list[int]) -> str:
    """A convolution that reads even and odd columns as two images."""
    x = g.node("Reshape", [g.input("N", 2, 3, 8), g.constant(np.int64([2, 3, 4, 2]))])
    x = g.node("Transpose", [x], perm=[3, 0, 1, 2])
    weight = g.weight(3, 2, 2, 3)
    return g.node("Conv", [x, weight, g.weight(3)], pads=[1, 2, 0, 1], strides=strides, dilations=[2, 1])


@case
def tf_space_to_batch(g: Graph) -> None:
    """A dilated convolution as TensorFlow Lite has it, of pixels moved into the batch, with its bias behind."""
    x = space_to_batch(g, [1, 2])
    g.maps((3, 2, 2, 3), bias=True)
    x = g.node("Transpose", [g.node("Mul", [x, g.constant(np.float32([[[2]], [[4]], [[0.5]]]))])], perm=[1, 2, 3, 0])
    g.output(g.node("Reshape", [x, g.constant(np.int64([1, 3, 2, 6]))]))


@case
def tf_space_to_batch_strided(g: Graph) -> None:
    """The same with a stride of rows is not mapped; the convolution behind it is."""
    x = space_to_batch(g, [2, 1])
    g.stays()
    x = g.node("Transpose", [x], perm=[1, 2, 3, 0])
    g.output(g.conv(g.node("Reshape", [x, g.constant(np.int64([1, 3, 1, 10]))]), 2, 3, 1, 2))


@case
def tf_space_to_batch_1d(g: Graph) -> None:
    """Even and odd steps of a 1-D signal as two signals."""
    x = g.node("Reshape", [g.input("N", 2, 10), g.constant(np.int64([2, 5, 2]))])
    x = g.conv(g.node("Transpose", [x], perm=[2, 0, 1]), 3, 2, 3, bias=True, pads=[1, 0])
    g.output(g.node("Reshape", [g.node("Transpose", [x], perm=[1, 2, 0]), g.constant(np.int64([1, 3, 8]))]))

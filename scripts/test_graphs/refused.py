"""Files that the importer must refuse, each with the error it should give (the name of a NetError variant).

Each case makes the bytes of a file; its docstring says what it tests.
"""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from test_graphs.builder import Graph

CASES: list[tuple[Callable[[Graph], bytes], list[str]]] = []


def refused(*errors: str) -> Callable:
    """Adds a case that must end in one of these errors."""

    def add(function: Callable[[Graph], bytes]) -> Callable[[Graph], bytes]:
        CASES.append((function, list(errors)))
        return function

    return add


def encoded(model: onnx.ModelProto) -> bytes:
    """The bytes of a file."""
    return model.SerializeToString(deterministic=True)


def _small(g: Graph) -> onnx.ModelProto:
    g.output(g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, bias=True))
    return g.model()


@refused("Empty")
def bad_empty(g: Graph) -> bytes:
    """A file of no bytes."""
    return b""


@refused("NotOnnx", "Malformed")
def bad_text(g: Graph) -> bytes:
    """Text."""
    return b"This is not a network.\n"


@refused("NotOnnx", "Malformed")
def bad_truncated(g: Graph) -> bytes:
    """The first half of a model."""
    whole = encoded(_small(g))
    return whole[: len(whole) // 2]


@refused("NotOnnx", "Malformed")
def bad_no_graph(g: Graph) -> bytes:
    """A model without a graph."""
    model = onnx.ModelProto(ir_version=8)
    return encoded(model)


@refused("Malformed")
def bad_short_weight(g: Graph) -> bytes:
    """A weight with fewer bytes than its shape needs."""
    model = _small(g)
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    return encoded(model)


@refused("Malformed")
def bad_huge_weight(g: Graph) -> bytes:
    """A weight whose shape has more elements than 64 bits count."""
    model = _small(g)
    model.graph.initializer[0].dims[:] = [2**62, 2**62, 3, 3]
    return encoded(model)


@refused("Malformed")
def bad_negative_weight_shape(g: Graph) -> bytes:
    """A weight with a negative dimension."""
    model = _small(g)
    model.graph.initializer[0].dims[0] = -3
    return encoded(model)


@refused("Unsupported")
def bad_external_weight(g: Graph) -> bytes:
    """A weight in a file beside the model, which is not there."""
    model = _small(g)
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location="missing.bin")
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    return encoded(model)


@refused("Malformed")
def bad_missing_tensor(g: Graph) -> bytes:
    """A node reads a tensor that nothing writes."""
    model = _small(g)
    model.graph.node[0].input[0] = "nowhere"
    return encoded(model)


@refused("Malformed")
def bad_circle(g: Graph) -> bytes:
    """Two nodes that read each other."""
    x = g.node("Add", [g.input("N", 2, 4, 4), "tensor1"])
    g.output(g.conv(x, 2, 2, 1, 1))
    return encoded(g.model())


@refused("Malformed")
def bad_written_twice(g: Graph) -> bytes:
    """Two nodes write one tensor."""
    model = _small(g)
    model.graph.node.append(model.graph.node[0])
    return encoded(model)


@refused("Malformed", "Run")
def bad_channels(g: Graph) -> bytes:
    """A weight for more channels than the input has."""
    g.output(g.conv(g.input("N", 2, 4, 4), 3, 5, 3, 3))
    return encoded(g.model())


@refused("Malformed", "Run")
def bad_groups(g: Graph) -> bytes:
    """A number of groups that does not divide the channels."""
    g.output(g.conv(g.input("N", 4, 4, 4), 4, 1, 3, 3, group=3))
    return encoded(g.model())


@refused("Malformed", "Run")
def bad_zero_stride(g: Graph) -> bytes:
    """A stride of 0."""
    g.output(g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, strides=[0, 1]))
    return encoded(g.model())


@refused("Malformed", "Run")
def bad_kernel_too_large(g: Graph) -> bytes:
    """A kernel larger than the padded input."""
    g.output(g.conv(g.input("N", 2, 4, 4), 3, 2, 7, 3))
    return encoded(g.model())


@refused("UnsupportedOperator")
def bad_operator(g: Graph) -> bytes:
    """An operator of another domain."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)
    g.output(g.node("Sparkle", [x], "glitter", domain="org.example"))
    return encoded(g.model())


@refused("NoMacLayer")
def bad_no_mac_layer(g: Graph) -> bytes:
    """Nothing but ReLU and pooling."""
    g.output(g.node("GlobalAveragePool", [g.node("Relu", [g.input("N", 2, 4, 4)])]))
    return encoded(g.model())


@refused("NoMacLayer")
def bad_only_dynamic_weights(g: Graph) -> bytes:
    """The only product is one of two activations."""
    x = g.input("N", 3, 3)
    g.output(g.node("MatMul", [x, g.node("Relu", [x])]))
    return encoded(g.model())


@refused("DynamicShape")
def bad_length_open(g: Graph) -> bytes:
    """A dimension besides the batch is open, and no value is given."""
    g.output(g.conv(g.input("N", 2, "length"), 3, 2, 3))
    return encoded(g.model())


@refused("DynamicShape")
def bad_no_shape(g: Graph) -> bytes:
    """The input has no shape at all."""
    model = _small(g)
    model.graph.input[0].type.tensor_type.ClearField("shape")
    return encoded(model)


@refused("Inputs")
def bad_two_inputs(g: Graph) -> bytes:
    """Two inputs."""
    x = g.node("Add", [g.input("N", 2, 4, 4, name="left"), g.input("N", 2, 4, 4, name="right")])
    g.output(g.conv(x, 3, 2, 3, 3))
    return encoded(g.model())


@refused("InputType")
def bad_integer_input(g: Graph) -> bytes:
    """An input of uint8."""
    x = g.node("Cast", [g.input("N", 2, 4, 4, dtype=TensorProto.UINT8)], to=TensorProto.FLOAT)
    g.output(g.conv(x, 3, 2, 3, 3))
    return encoded(g.model())


@refused("OutputType")
def bad_only_labels(g: Graph) -> bytes:
    """A classifier that returns labels and no scores."""
    x = g.node("Gemm", [g.input("N", 6), g.weight(6, 4)])
    g.output(g.node("ArgMax", [x], axis=1), TensorProto.INT64)
    return encoded(g.model())


@refused("NotFinite")
def bad_nan_weight(g: Graph) -> bytes:
    """A weight that is NaN."""
    weight = g.values(3, 2, 3, 3)
    weight[1, 0, 2, 1] = np.nan
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), g.constant(weight)], "poisoned"))
    return encoded(g.model())


@refused("NotFinite")
def bad_infinite_bias(g: Graph) -> bytes:
    """A bias that is infinite."""
    bias = g.constant(np.float32([0.0, -np.inf, 1.0]))
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), g.weight(3, 2, 3, 3), bias], "poisoned"))
    return encoded(g.model())


@refused("NotFinite")
def bad_negative_variance(g: Graph) -> bytes:
    """Batch norm with a negative variance: folded, it makes the weights NaN."""
    x = g.node("Conv", [g.input("N", 2, 4, 4), g.weight(3, 2, 3, 3)], "poisoned")
    statistics = [g.weight(3), g.weight(3), g.weight(3), g.constant(np.float32([1.0, -1.0, 1.0]))]
    g.output(g.node("BatchNormalization", [x, *statistics]))
    return encoded(g.model())


@refused("Unsupported")
def bad_sparse_weight(g: Graph) -> bytes:
    """A weight stored as a sparse tensor."""
    model = _small(g)
    values = helper.make_tensor(model.graph.initializer[0].name, TensorProto.FLOAT, [2], [0.5, -0.25])
    indices = helper.make_tensor("indices", TensorProto.INT64, [2], [3, 17])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [3, 2, 3, 3]))
    del model.graph.initializer[0]
    return encoded(model)


@refused("UnsupportedOperator")
def bad_domain(g: Graph) -> bytes:
    """An operator of another domain that has the name of one of ONNX's own."""
    x = g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)
    g.output(g.node("Relu", [x], "other", domain="org.example"))
    return encoded(g.model())


@refused("FixedBatch")
def bad_fixed_batch(g: Graph) -> bytes:
    """A batch of 8 that is also written into a shape."""
    x = g.node("Reshape", [g.conv(g.input(8, 1, 4, 4), 2, 1, 3, 3), g.constant(np.int64([8, 8]))])
    g.output(g.node("Gemm", [x, g.weight(3, 8)], transB=1))
    return encoded(g.model())


@refused("UnsupportedOperator")
def bad_operator_lines(g: Graph) -> bytes:
    """An operator whose name has a line break in it."""
    g.output(g.node("Spar\nkle", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)], domain="org\nexample"))
    return encoded(g.model())


@refused("Unsupported")
def bad_huge_activations(g: Graph) -> bytes:
    """Padding that makes of few pixels more than any memory holds."""
    g.output(g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3, pads=[1 << 23] * 4))
    return encoded(g.model())


@refused("Malformed", "Unsupported")
def bad_huge_constant(g: Graph) -> bytes:
    """A weight that a few bytes expand to more than any memory holds."""
    weight = g.node("ConstantOfShape", [g.constant(np.int64([3, 2, 1 << 20, 1 << 20]))])
    g.output(g.node("Conv", [g.input("N", 2, 4, 4), weight]))
    return encoded(g.model())

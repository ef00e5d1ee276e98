"""Graphs that call functions which the model brings along, and what of them is refused."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from test_graphs.builder import Graph
from test_graphs.refused import encoded, refused
from test_graphs.registry import case, inexact


def block(g: Graph, x: str, *shape: int, bias: bool) -> str:
    """A call of the function of `add_block`, whose convolution should be mapped."""
    g.node("Block", [x, g.weight(*shape), *([g.weight(shape[0])] if bias else [])], domain="axp.test", slope=0.25)
    g.maps(shape, bias=bias, name=f"{g.nodes[-1].name}/conv")
    g.mapped[-1].op = "Conv"
    # A function adds no name of its own to what it writes, so a tensor of the same size stands for it.
    g.mapped[-1].tensor = g.nodes[-1].output[0]
    return g.nodes[-1].output[0]


def named(attribute: str, of_call: str) -> onnx.AttributeProto:
    """A float attribute of a node in a function that has the value of one of the call's."""
    return onnx.AttributeProto(name=attribute, type=onnx.AttributeProto.FLOAT, ref_attr_name=of_call)


def add_block(g: Graph) -> None:
    """A function of a convolution and a leaky ReLU whose slope the call gives."""
    conv = helper.make_node("Conv", ["x", "w", "b"], ["inner"], "conv")
    relu = helper.make_node("LeakyRelu", ["inner"], ["y"], "relu")
    relu.attribute.append(named("alpha", "slope"))
    g.function("Block", ["x", "w", "b"], ["y"], [conv, relu], attributes=["slope"])


@case
def functions(g: Graph) -> None:
    """A function that is called twice, once without its last input."""
    add_block(g)
    x = block(g, g.input("N", 2, 5, 5), 3, 2, 3, 3, bias=True)
    g.output(block(g, x, 2, 3, 1, 1, bias=False))


@case
@inexact
def functions_nested(g: Graph) -> None:
    """A function that calls another, with a constant of its own."""
    half = helper.make_node("Constant", [], ["half"], value=helper.make_tensor("v", TensorProto.FLOAT, [], [0.5]))
    g.function("Halve", ["x"], ["y"], [half, helper.make_node("Mul", ["x", "half"], ["y"])])
    calls = [
        helper.make_node("Halve", ["x"], ["half"], domain="axp.test"),
        helper.make_node("Halve", ["half"], ["quarter"], domain="axp.test"),
        helper.make_node("Tanh", ["quarter"], ["y"]),
    ]
    g.function("Squash", ["x"], ["y"], calls)
    x = g.node("Squash", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)], domain="axp.test")
    g.output(g.node("Reshape", [x, g.constant(np.int64([0, -1]))]))


@refused("Unsupported")
def bad_function_circle(g: Graph) -> bytes:
    """A function that calls itself twice."""
    calls = [helper.make_node("Again", ["x"], [y], domain="axp.test") for y in ("a", "b")]
    g.function("Again", ["x"], ["y"], [*calls, helper.make_node("Add", ["a", "b"], ["y"])])
    g.output(g.node("Again", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)], domain="axp.test"))
    return encoded(g.model())


@refused("Unsupported")
def bad_function_default(g: Graph) -> bytes:
    """A function that takes the default of an attribute."""
    relu = helper.make_node("LeakyRelu", ["x"], ["y"])
    relu.attribute.append(named("alpha", "slope"))
    g.function("Leaky", ["x"], ["y"], [relu], attribute_protos=[helper.make_attribute("slope", 0.25)])
    g.output(g.node("Leaky", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)], domain="axp.test"))
    return encoded(g.model())


@refused("Unsupported")
def bad_function_opset(g: Graph) -> bytes:
    """A function of another operator set than the model's."""
    g.opset = 12
    g.function("Leaky", ["x"], ["y"], [helper.make_node("LeakyRelu", ["x"], ["y"])])
    g.opset = 17
    g.output(g.node("Leaky", [g.conv(g.input("N", 2, 4, 4), 3, 2, 3, 3)], domain="axp.test"))
    return encoded(g.model())

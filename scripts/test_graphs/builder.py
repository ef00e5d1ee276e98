"""Builds one small ONNX graph for the importer's tests and remembers which of its nodes should run on the PE.

Weights are multiples of 1/32 and inputs multiples of 1/16, so that sums of products of one or two layers are exact in
binary32, whatever their order: the outputs of a graph marked `exact` are the same in every correct implementation.
"""

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Mapped:
    """A node that should become a MAC layer of this name (None: any that is unique), with a weight of this shape.

    `op` and `tensor` say what it is and writes where the node calls a function that holds it.
    """

    node: int
    name: str | None
    weight_shape: list[int]
    bias: bool
    op: str | None = None
    tensor: str | None = None


@dataclass
class Unmapped:
    """A node with multiply-accumulates that should be listed as not mapped."""

    name: str
    op: str


@dataclass
class Graph:
    """A graph in the making; `seed` draws its weights."""

    seed: int
    opset: int = 17
    ir_version: int = 8
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    mapped: list[Mapped] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    functions: list[onnx.FunctionProto] = field(default_factory=list)

    def __post_init__(self):
        self.generator = np.random.default_rng(self.seed)

    def values(self, *shape: int) -> np.ndarray:
        """Float32 multiples of 1/32 between -1 and 1."""
        return (self.generator.integers(-32, 33, shape) / 32.0).astype(np.float32)

    def function(self, name: str, inputs: list[str], outputs: list[str], nodes: list[onnx.NodeProto], **extra) -> None:
        """A function of the domain axp.test that nodes may call."""
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("axp.test", 1)]
        self.functions.append(helper.make_function("axp.test", name, inputs, outputs, nodes, opsets, **extra))

    def input(self, *shape: int | str | None, name: str = "input", dtype: int = TensorProto.FLOAT) -> str:
        """An input of the graph, batch first; a string or None is an open dimension."""
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, value: np.ndarray, name: str | None = None) -> str:
        """An initializer."""
        name = name or f"constant{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, *shape: int) -> str:
        """An initializer with values of its own."""
        return self.constant(self.values(*shape))

    def node(self, op: str, inputs: list[str], name: str | None = None, outputs: int = 1, **attributes) -> str:
        """A node; returns the name of its first output. `name=""` leaves it unnamed, None numbers it."""
        index = len(self.nodes)
        if name is None:
            name = f"{op.lower()}{index}"
        names = [f"tensor{index}" if i == 0 else f"tensor{index}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name or None, **attributes))
        return names[0]

    def maps(self, weight_shape: tuple[int, ...], *, bias: bool, name: str | None = "") -> None:
        """Says that the last node should be mapped; `name` other than "" is what the layer should be called."""
        name = self.nodes[-1].name if name == "" else name
        self.mapped.append(Mapped(len(self.nodes) - 1, name, list(weight_shape), bias))

    def stays(self) -> None:
        """Says that the last node should be listed as not mapped."""
        self.unmapped.append(Unmapped(self.nodes[-1].name, self.nodes[-1].op_type))

    def may_map(self) -> None:
        """Says that the last node may be mapped or listed as not mapped, as the importer likes."""
        self.undecided.append(self.nodes[-1].name)

    def conv(
        self,
        x: str,
        *shape: int,
        name: str | None = None,
        bias: bool = False,
        folds_bias: bool = False,
        layer_name: str | None = "",
        **attributes,
    ) -> str:
        """A convolution that should be mapped, with fresh weights of `shape` and, if `bias`, one value a channel.

        `folds_bias`: what follows the node should give the layer a bias.
        """
        inputs = [x, self.weight(*shape)] + ([self.weight(shape[0])] if bias else [])
        y = self.node("Conv", inputs, name, **attributes)
        self.maps(shape, bias=bias or folds_bias, name=layer_name)
        return y

    def batch_norm(self, x: str, channels: int, name: str | None = None) -> str:
        """A batch normalisation with random statistics."""
        scale = self.generator.uniform(0.5, 1.5, channels).astype(np.float32)
        variance = self.generator.uniform(0.25, 4.0, channels).astype(np.float32)
        statistics = [self.constant(v) for v in (scale, self.values(channels), self.values(channels), variance)]
        return self.node("BatchNormalization", [x, *statistics], name, epsilon=1e-3)

    def output(self, name: str, dtype: int = TensorProto.FLOAT) -> None:
        """Makes a tensor an output of the graph; its shape is left open."""
        self.outputs.append(helper.make_tensor_value_info(name, dtype, None))

    def model(self, extra_outputs: list[str] = ()) -> onnx.ModelProto:
        """The ONNX model, unchecked; `extra_outputs` are tensors to return besides."""
        extra = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in extra_outputs]
        graph = helper.make_graph(self.nodes, "test", self.inputs, [*self.outputs, *extra], self.initializers)
        called = [node for function in self.functions for node in function.node]
        domains = {node.domain for node in [*self.nodes, *called]} - {""}
        opsets = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=self.ir_version, producer_name="axp", functions=self.functions
        )

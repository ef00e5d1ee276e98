"""Writes a network of 25 million random weights and 4 GMAC, and samples for it.

    python3 make_large_net.py FOLDER [SAMPLES]

A residual network of fifty layers with the shapes that such networks have on 224 x 224 images:
what it classifies is noise, but it is as large as what people bring. Needs numpy and onnx.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Channels inside a block, blocks, stride of the first one.
STAGES = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]
CLASSES = 1000


class Graph:
    """Nodes and weights, as they are made."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.macs = 0

    def constant(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(self, op: str, inputs: list[str], **attributes: object) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, size: int, channels: tuple[int, int], kernel: int, stride: int, gain: float = 1.0) -> str:
        before, after = channels
        fan_in = before * kernel * kernel
        weight = self.rng.standard_normal((after, before, kernel, kernel)) * gain * np.sqrt(2 / fan_in)
        bias = self.rng.standard_normal(after) * 0.05
        self.macs += (size // stride) ** 2 * after * fan_in
        pad = kernel // 2
        inputs = [x, self.constant(weight), self.constant(bias)]
        return self.node("Conv", inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])


def network() -> tuple[onnx.ModelProto, int, int]:
    """The model, its weights and its multiply-accumulates."""
    g = Graph(seed=1)
    x = g.relu(g.conv("x", 224, (3, 64), 7, 2))
    x = g.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    size, before = 56, 64
    for inner, blocks, first_stride in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            y = g.relu(g.conv(x, size, (before, inner), 1, 1))
            y = g.relu(g.conv(y, size, (inner, inner), 3, stride))
            y = g.conv(y, size // stride, (inner, 4 * inner), 1, 1, gain=0.3)
            if block == 0:
                x = g.conv(x, size, (before, 4 * inner), 1, stride)
            x = g.relu(g.node("Add", [x, y]))
            size, before = size // stride, 4 * inner
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    weight = g.constant(g.rng.standard_normal((CLASSES, before)) / np.sqrt(before))
    g.macs += CLASSES * before
    g.nodes.append(helper.make_node("Gemm", [x, weight], ["y"], name="fc", transB=1))
    graph = helper.make_graph(
        g.nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", CLASSES])],
        g.weights,
    )
    count = sum(int(np.prod(weight.dims)) for weight in g.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), count, g.macs


def main() -> None:
    folder = Path(sys.argv[1])
    samples = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    folder.mkdir(parents=True, exist_ok=True)
    model, weights, macs = network()
    onnx.save(model, folder / "model.onnx")
    rng = np.random.default_rng(2)
    coarse = rng.standard_normal((samples, 3, 28, 28))
    images = np.kron(coarse, np.ones((8, 8))) + 0.2 * rng.standard_normal((samples, 3, 224, 224))
    np.save(folder / "x_calib.npy", images.astype(np.float32))
    print(f"{weights / 1e6:.1f} million weights, {macs / 1e9:.2f} GMAC, {samples} samples: {folder}")


if __name__ == "__main__":
    main()

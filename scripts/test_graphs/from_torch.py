"""Small networks of PyTorch, through both of its ONNX exporters (needs torch; see export_test_graphs.py)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn import functional

BATCH = 2


class Block(nn.Module):
    """Two convolutions around which the input, or a convolution of it, is added."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.short = nn.Identity() if stride == 1 and inputs == outputs else short

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output."""
        y = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(self.second_norm(self.second(y)) + self.short(x))


class Residual(nn.Module):
    """The shape of ResNet-8."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 2, 3, 1, 1, bias=False), nn.BatchNorm2d(2), nn.ReLU())
        self.blocks = nn.Sequential(Block(2, 2, 1), Block(2, 3, 2), Block(3, 4, 2))
        self.dense = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        x = functional.adaptive_avg_pool2d(self.blocks(self.first(x)), 1)
        return self.dense(x.view(x.size(0), -1))


class Inverted(nn.Module):
    """An inverted residual with squeeze and excitation, as in MobileNetV3, and pools side by side."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(2, 4, 1, bias=False), nn.BatchNorm2d(4), nn.Hardswish())
        self.depth = nn.Conv2d(4, 4, (3, 2), padding=(1, 0), groups=4, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.gate = nn.Sequential(nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1), nn.Hardsigmoid())
        self.project = nn.Sequential(nn.Conv2d(4, 2, 1, bias=False), nn.BatchNorm2d(2))
        self.dense = nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        y = functional.relu(self.norm(self.depth(functional.pad(self.expand(x), (0, 1)))))
        x = self.project(y * self.gate(functional.adaptive_avg_pool2d(y, 1))) + x
        x = torch.cat([functional.avg_pool2d(x, 2), functional.max_pool2d(x, 2)], 1)[:, 1:3]
        return self.dense(functional.gelu(functional.adaptive_avg_pool2d(x, 1)).squeeze(-1).squeeze(-1))


class Frames(nn.Module):
    """A dense layer on frames with batch norm over its outputs, a causal grouped convolution, layer norm."""

    def __init__(self):
        super().__init__()
        self.frame = nn.Linear(3, 4, bias=False)
        self.norm = nn.BatchNorm1d(4)
        self.time = nn.Conv1d(4, 4, 3, groups=2)
        self.layer_norm = nn.LayerNorm(4)
        self.dense = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Class scores."""
        x = functional.relu(self.norm(self.frame(x).transpose(1, 2)))
        x = self.time(functional.pad(x, (2, 0))).permute(0, 2, 1)
        return self.dense(torch.tanh(self.layer_norm(x)).mean(1).reshape(-1, 4))


def waves() -> nn.Module:
    """1-D convolutions, signed activations, batch norm behind a dense layer."""
    return nn.Sequential(
        *(nn.Conv1d(2, 3, 5, 2, padding=2), nn.BatchNorm1d(3), nn.LeakyReLU()),
        *(nn.Conv1d(3, 4, 3, padding=2, dilation=2), nn.PReLU(4), nn.MaxPool1d(2), nn.Dropout(0.3), nn.Flatten()),
        *(nn.Linear(20, 6), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Linear(6, 3), nn.LogSoftmax(1)),
    )


def separable() -> nn.Module:
    """Depthwise and pointwise convolutions with ReLU6."""
    return nn.Sequential(
        *(nn.Conv2d(1, 3, 3, 2, 1), nn.BatchNorm2d(3), nn.ReLU6()),
        *(nn.Conv2d(3, 3, 3, 1, 1, groups=3, bias=False), nn.BatchNorm2d(3), nn.ReLU6()),
        *(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4), nn.Hardswish(), nn.AvgPool2d(4)),
        *(nn.Flatten(), nn.Linear(4, 3), nn.Softmax(1)),
    )


# The network, the shape of its samples, the operator set for TorchScript, and that for dynamo.
NETWORKS = {
    "residual": (Residual, (1, 8, 8), 17, 18),
    "inverted": (Inverted, (2, 6, 6), 14, 20),
    "frames": (Frames, (5, 3), 15, 18),
    "waves": (waves, (2, 20), 11, 18),
    "separable": (separable, (1, 8, 8), 13, 20),
}


def export(network: nn.Module, shape: tuple[int, ...], opset: int, **options) -> onnx.ModelProto:
    """The network as its exporter writes it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        names = {"input_names": ["input"], "output_names": ["scores"]}
        torch.onnx.export(network, (torch.randn(BATCH, *shape),), file, opset_version=opset, **names, **options)
        return onnx.load(file)


def models() -> Iterator[tuple[str, onnx.ModelProto]]:
    """Every network through both exporters, and one with its batch norm and dropout left in the graph."""
    torch.manual_seed(1)
    for name, (make, shape, script, dynamo) in NETWORKS.items():
        network = make().train()
        for _ in range(3):
            # Statistics of its own for batch norm.
            network(torch.randn(16, *shape))
        network.eval()
        axes = {"dynamic_axes": {"input": {0: "batch"}}}
        yield f"torch_{name}", export(network, shape, script, dynamo=False, **axes)
        if name == "waves":
            kept = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
            yield f"torch_{name}_unfolded", export(network, shape, script + 6, dynamo=False, **kept, **axes)
        batch = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
        options = {"dynamo": True, "external_data": False, "verbose": False}
        yield f"torch_{name}_dynamo", export(network, shape, dynamo, **options, **batch)

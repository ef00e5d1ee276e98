"""Sequential ConvNets for the bundled workloads: their layers, and how they are trained (JAX, one CPU thread).

Tensors are NCHW float32. A net is a list of the dataclasses below; `initialise` makes its parameters, `apply` runs
it, `train` fits it, `macs` counts its multiply-accumulates. `onnx_export` turns the same list into an ONNX graph.
Everything is seeded and runs on one thread, so that a second run on the same machine gives the same bits.
"""

import math
import os
from dataclasses import dataclass

# Before JAX is imported: one thread (a fixed order of additions) and an instruction set that every x86-64 server has.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false --xla_cpu_max_isa=AVX2"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["OMP_NUM_THREADS"] = "1"

import jax
import jax.numpy as jnp
import numpy as np
import optax

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.9


@dataclass(frozen=True)
class Conv:
    """2-D convolution without bias, followed by batch normalisation and ReLU; `depthwise` keeps the channels apart."""

    name: str
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    depthwise: bool = False


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows of `size` by `size`, without overlap."""

    name: str
    size: int


@dataclass(frozen=True)
class GlobalAveragePool:
    """Mean over height and width."""

    name: str


@dataclass(frozen=True)
class Dense:
    """Flattens its input and multiplies it by a matrix, with a bias and without an activation function."""

    name: str
    units: int


Layer = Conv | MaxPool | GlobalAveragePool | Dense


def output_shape(layer: Layer, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Channels, height and width that `layer` makes of one sample of `shape`."""
    channels, height, width = shape
    match layer:
        case Conv():
            spatial = [
                (size + 2 * pad - kernel) // stride + 1
                for size, pad, kernel, stride in zip(
                    (height, width), layer.padding, layer.kernel, layer.stride, strict=True
                )
            ]
            return (layer.channels, *spatial)
        case MaxPool():
            return (channels, height // layer.size, width // layer.size)
        case GlobalAveragePool():
            return (channels, 1, 1)
        case Dense():
            return (layer.units, 1, 1)


def macs(layers: list[Layer], shape: tuple[int, int, int]) -> dict[str, int]:
    """Multiply-accumulates an inference of each layer that has any, operands that are padding included."""
    counts = {}
    for layer in layers:
        after = output_shape(layer, shape)
        match layer:
            case Conv():
                fan_in = math.prod(layer.kernel) * (1 if layer.depthwise else shape[0])
                counts[layer.name] = math.prod(after) * fan_in
            case Dense():
                counts[layer.name] = layer.units * math.prod(shape)
        shape = after
    return counts


def initialise(layers: list[Layer], shape: tuple[int, int, int], seed: int) -> tuple[dict, dict]:
    """He-normal weights; returns the trained parameters and the running batch-norm statistics, by layer name."""
    generator = np.random.default_rng(seed)
    parameters, statistics = {}, {}
    for layer in layers:
        match layer:
            case Conv():
                fan_in = math.prod(layer.kernel) * (1 if layer.depthwise else shape[0])
                size = (layer.channels, 1 if layer.depthwise else shape[0], *layer.kernel)
                weight = generator.normal(0.0, math.sqrt(2.0 / fan_in), size).astype(np.float32)
                ones, zeros = np.ones(layer.channels, np.float32), np.zeros(layer.channels, np.float32)
                parameters[layer.name] = {"weight": weight, "scale": ones, "bias": zeros}
                statistics[layer.name] = {"mean": zeros, "variance": ones}
            case Dense():
                fan_in = math.prod(shape)
                weight = generator.normal(0.0, math.sqrt(1.0 / fan_in), (layer.units, fan_in)).astype(np.float32)
                parameters[layer.name] = {"weight": weight, "bias": np.zeros(layer.units, np.float32)}
        shape = output_shape(layer, shape)
    return parameters, statistics


def _convolve(layer: Conv, weight: jax.Array, x: jax.Array) -> jax.Array:
    padding = [(pad, pad) for pad in layer.padding]
    if not layer.depthwise:
        return jax.lax.conv_general_dilated(
            x, weight, layer.stride, padding, dimension_numbers=("NCHW", "OIHW", "NCHW")
        )
    # A sum of shifted planes: the gradient of XLA's grouped convolution is many times slower on a CPU.
    _, height, width = output_shape(layer, x.shape[1:])
    x = jnp.pad(x, [(0, 0), (0, 0), *padding])
    total = 0.0
    for row in range(layer.kernel[0]):
        for column in range(layer.kernel[1]):
            rows = slice(row, row + (height - 1) * layer.stride[0] + 1, layer.stride[0])
            columns = slice(column, column + (width - 1) * layer.stride[1] + 1, layer.stride[1])
            total = total + weight[:, 0, row, column][:, None, None] * x[:, :, rows, columns]
    return total


def apply(layers: list[Layer], parameters: dict, statistics: dict, x: jax.Array, training: bool):
    """Logits of the batch `x` and the new running statistics (unchanged unless `training`)."""
    updated = dict(statistics)
    for layer in layers:
        match layer:
            case Conv():
                own = parameters[layer.name]
                x = _convolve(layer, own["weight"], x)
                mean, variance = statistics[layer.name]["mean"], statistics[layer.name]["variance"]
                if training:
                    old_mean, old_variance = mean, variance
                    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
                    updated[layer.name] = {
                        "mean": BATCH_NORM_MOMENTUM * old_mean + (1 - BATCH_NORM_MOMENTUM) * mean,
                        "variance": BATCH_NORM_MOMENTUM * old_variance + (1 - BATCH_NORM_MOMENTUM) * variance,
                    }
                factor = own["scale"] / jnp.sqrt(variance + BATCH_NORM_EPSILON)
                x = (x - mean[:, None, None]) * factor[:, None, None] + own["bias"][:, None, None]
                x = jax.nn.relu(x)
            case MaxPool():
                batch, channels, height, width = x.shape
                size = layer.size
                x = x[:, :, : height // size * size, : width // size * size]
                x = x.reshape(batch, channels, height // size, size, width // size, size).max((3, 5))
            case GlobalAveragePool():
                x = x.mean((2, 3), keepdims=True)
            case Dense():
                own = parameters[layer.name]
                x = x.reshape(x.shape[0], -1) @ own["weight"].T + own["bias"]
    return x, updated


def train(
    layers: list[Layer],
    draw_epoch,
    shape: tuple[int, int, int],
    *,
    seed: int,
    epochs: int,
    batch: int,
    learning_rate: float,
    label_smoothing: float = 0.05,
) -> tuple[dict, dict]:
    """Trains with AdamW and a cosine schedule for a fixed number of epochs; no data but the training set is seen.

    `draw_epoch(epoch, generator)` gives the (x, y) arrays of one epoch, augmented; they always have the same length.
    Returns parameters and batch-norm statistics as NumPy arrays.
    """
    generator = np.random.default_rng(seed + 1)
    parameters, statistics = initialise(layers, shape, seed)
    x, y = draw_epoch(0, generator)
    steps = len(x) // batch
    schedule = optax.cosine_decay_schedule(learning_rate, epochs * steps)
    optimiser = optax.adamw(schedule, weight_decay=1e-3)
    state = optimiser.init(parameters)

    def loss(parameters, statistics, x, y):
        logits, statistics = apply(layers, parameters, statistics, x, training=True)
        target = optax.smooth_labels(jax.nn.one_hot(y, logits.shape[1]), label_smoothing)
        return optax.softmax_cross_entropy(logits, target).mean(), (statistics, (logits.argmax(1) == y).mean())

    @jax.jit
    def step(parameters, statistics, state, x, y):
        (value, (statistics, hits)), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, statistics, x, y)
        change, state = optimiser.update(gradient, state, parameters)
        return optax.apply_updates(parameters, change), statistics, state, value, hits

    for epoch in range(epochs):
        if epoch > 0:
            x, y = draw_epoch(epoch, generator)
        order = generator.permutation(len(x))
        values = []
        for index in range(steps):
            rows = order[index * batch : (index + 1) * batch]
            parameters, statistics, state, value, hits = step(parameters, statistics, state, x[rows], y[rows])
            values.append((value, hits))
        mean_loss, accuracy = np.mean(np.asarray(values), axis=0)
        print(f"  epoch {epoch + 1}/{epochs}: loss {mean_loss:.4f}, training accuracy {accuracy:.2%}", flush=True)
    return jax.tree.map(np.asarray, (parameters, statistics))

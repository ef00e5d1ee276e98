"""Small networks of Keras, through tf2onnx, some by way of TensorFlow Lite (needs both; see export_test_graphs.py)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx

layers = tf.keras.layers


def separable() -> tf.keras.Model:
    """Depthwise and pointwise convolutions with batch norm, ReLU6, explicit and computed padding."""
    start = x = layers.Input((8, 8, 1))
    for layer in [
        *(
            layers.Conv2D(3, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
        ),
        *(layers.DepthwiseConv2D(3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU()),
        *(layers.Conv2D(4, 1, activation="relu"), layers.ZeroPadding2D(1)),
        *(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.LeakyReLU(), layers.GlobalAveragePooling2D()),
        *(layers.Dropout(0.2), layers.Dense(3, activation="softmax")),
    ]:
        x = layer(x)
    return tf.keras.Model(start, x)


def waves() -> tf.keras.Model:
    """Causal and dilated 1-D convolutions with batch norm and parametric ReLU."""
    start = x = layers.Input((12, 2))
    for layer in [
        *(layers.Conv1D(3, 3, padding="causal"), layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling1D(2)),
        *(layers.Conv1D(3, 2, dilation_rate=2), layers.PReLU(shared_axes=[1]), layers.Flatten()),
        *(layers.Dense(4, activation="tanh"), layers.BatchNormalization(), layers.Dense(3)),
    ]:
        x = layer(x)
    return tf.keras.Model(start, x)


def residual() -> tf.keras.Model:
    """A residual sum, pools side by side, a dense layer on rows."""
    start = layers.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same")(start)
    y = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.SeparableConv2D(4, 3, padding="same")(y)])
    x = layers.Concatenate()([layers.AveragePooling2D(2)(x), layers.MaxPooling2D(2)(x)])
    x = layers.Dense(3)(layers.Reshape((9, 8))(x))
    return tf.keras.Model(start, layers.Dense(3, activation="sigmoid")(layers.Flatten()(x)))


def frames() -> tf.keras.Model:
    """A dense layer on frames with batch norm and swish, a 1-D convolution with batch norm, a mean."""
    start = x = layers.Input((5, 3))
    for layer in [
        *(layers.Dense(4, use_bias=False), layers.BatchNormalization(), layers.Activation("swish")),
        *(layers.Conv1D(4, 3, padding="same", use_bias=False), layers.BatchNormalization()),
        *(layers.GlobalAveragePooling1D(), layers.Dense(3)),
    ]:
        x = layer(x)
    return tf.keras.Model(start, x)


# The network and its operator set.
NETWORKS = {"separable": (separable, 13), "waves": (waves, 11), "residual": (residual, 18), "frames": (frames, 15)}


def randomise(network: tf.keras.Model, generator: np.random.Generator) -> None:
    """Gives every bias and batch norm values of its own, which training would."""
    for layer in network.layers:
        values = [
            value if value.ndim > 1 else generator.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()
        ]
        layer.set_weights(values)


def models() -> Iterator[tuple[str, onnx.ModelProto]]:
    """Every network through tf2onnx, and two by way of TensorFlow Lite."""
    tf.keras.utils.set_random_seed(1)
    generator = np.random.default_rng(1)
    for name, (make, opset) in NETWORKS.items():
        network = make()
        randomise(network, generator)
        signature = [tf.TensorSpec([None, *network.input_shape[1:]], tf.float32, name="input")]
        call = tf.function(lambda x, network=network: network(x, training=False), input_signature=signature)
        model, _ = tf2onnx.convert.from_function(call, input_signature=signature, opset=opset)
        yield f"tf2onnx_{name}", model
        if name in ("separable", "frames"):
            with tempfile.TemporaryDirectory() as folder:
                lite = Path(folder) / "model.tflite"
                lite.write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
                model, _ = tf2onnx.convert.from_tflite(str(lite), opset=opset)
            yield f"tflite_{name}", model

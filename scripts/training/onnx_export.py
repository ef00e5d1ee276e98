"""Writes a trained net of `convnet` as an ONNX graph with named nodes, batch norm kept as nodes or folded away."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.convnet import BATCH_NORM_EPSILON, Conv, Dense, GlobalAveragePool, Layer, MaxPool

OPSET = 17
IR_VERSION = 8


def to_onnx(
    name: str,
    layers: list[Layer],
    parameters: dict,
    statistics: dict,
    shape: tuple[int, int, int],
    *,
    fold_batch_norm: bool,
) -> onnx.ModelProto:
    """The checked ONNX model: float32 `input` [N, C, H, W] to float32 `logits` [N, classes]."""
    nodes, constants = [], []
    tensor = "input"

    def constant(key: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), key))
        return key

    def node(operator: str, node_name: str, inputs: list[str], **attributes) -> str:
        nodes.append(helper.make_node(operator, inputs, [f"{node_name}_out"], node_name, **attributes))
        return f"{node_name}_out"

    for layer in layers:
        own = parameters.get(layer.name)
        match layer:
            case Conv():
                running = statistics[layer.name]
                attributes = {
                    "kernel_shape": layer.kernel,
                    "strides": layer.stride,
                    "pads": layer.padding * 2,
                    "group": layer.channels if layer.depthwise else 1,
                }
                if fold_batch_norm:
                    # In binary64, rounded once: y = (conv(x, w) - mean) * factor + bias = conv(x, w * factor) + rest.
                    variance = running["variance"].astype(np.float64)
                    factor = own["scale"] / np.sqrt(variance + BATCH_NORM_EPSILON)
                    weight = constant(f"{layer.name}.weight", own["weight"] * factor[:, None, None, None])
                    bias = constant(f"{layer.name}.bias", own["bias"] - running["mean"] * factor)
                    tensor = node("Conv", layer.name, [tensor, weight, bias], **attributes)
                else:
                    weight = constant(f"{layer.name}.weight", own["weight"])
                    tensor = node("Conv", layer.name, [tensor, weight], **attributes)
                    normal = [
                        constant(f"{layer.name}_bn.{key}", values)
                        for key, values in (
                            ("scale", own["scale"]),
                            ("bias", own["bias"]),
                            ("mean", running["mean"]),
                            ("variance", running["variance"]),
                        )
                    ]
                    tensor = node(
                        "BatchNormalization", f"{layer.name}_bn", [tensor, *normal], epsilon=BATCH_NORM_EPSILON
                    )
                tensor = node("Relu", f"{layer.name}_relu", [tensor])
            case MaxPool():
                window = [layer.size, layer.size]
                tensor = node("MaxPool", layer.name, [tensor], kernel_shape=window, strides=window)
            case GlobalAveragePool():
                tensor = node("GlobalAveragePool", layer.name, [tensor])
            case Dense():
                tensor = node("Flatten", f"{layer.name}_flatten", [tensor], axis=1)
                inputs = [
                    tensor,
                    constant(f"{layer.name}.weight", own["weight"]),
                    constant(f"{layer.name}.bias", own["bias"]),
                ]
                tensor = node("Gemm", layer.name, inputs, transB=1)
    nodes[-1].output[0] = "logits"
    classes = len(parameters[layers[-1].name]["bias"])
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="axp"
    )
    onnx.checker.check_model(model, full_check=True)
    return model

"""Graphs that torch.onnx and tf2onnx wrote, kept as they are; export_test_graphs.py makes them again.

Each has a letter for each layer that should be mapped, in the order of the file: b where it has a bias in the end, with
batch norm folded in, n where it has none.
"""

import onnx

CASES: dict[str, tuple[str, str]] = {
    "torch_residual": ("ResNet-8 from TorchScript, x.view with a computed shape.", "bbbbbbbbbb"),
    "torch_residual_dynamo": ("ResNet-8 from dynamo.", "bbbbbbbbbb"),
    "torch_inverted": ("An inverted residual of MobileNetV3 from TorchScript, with a computed Pad.", "bbbbbb"),
    "torch_inverted_dynamo": ("An inverted residual of MobileNetV3 from dynamo.", "bbbbbb"),
    "torch_frames": ("Dense layer on frames, transpose, batch norm, 1-D convolution from TorchScript.", "bbb"),
    "torch_frames_dynamo": ("Dense layer on frames, transpose, batch norm, 1-D convolution from dynamo.", "bbb"),
    "torch_waves": ("1-D convolutions and dense layers with batch norm from TorchScript.", "bbbb"),
    "torch_waves_unfolded": ("The same with training's batch norm kept, constants not folded.", "bbbb"),
    "torch_waves_dynamo": ("1-D convolutions and dense layers with batch norm from dynamo.", "bbbb"),
    "torch_separable": ("Depthwise and pointwise convolutions, ReLU6, hard swish from TorchScript.", "bbbb"),
    "torch_separable_dynamo": ("Depthwise and pointwise convolutions, ReLU6, hard swish from dynamo.", "bbbb"),
    "tf2onnx_separable": ("Keras: depthwise and pointwise convolutions, batch norm as Mul and Add.", "bbbbb"),
    "tf2onnx_waves": ("Keras: causal and dilated 1-D convolutions as 2-D ones, batch norm as Mul and Add.", "bbbb"),
    "tf2onnx_residual": ("Keras: a residual sum, a convolution without bias before another.", "bnbbb"),
    "tf2onnx_frames": ("Keras: a dense layer on frames behind a computed Reshape, batch norm behind that.", "bbb"),
    "tflite_separable": ("Keras by way of TensorFlow Lite: depthwise and pointwise convolutions.", "bbbbb"),
    "tflite_frames": ("Keras by way of TensorFlow Lite: a dense layer on frames.", "bbb"),
}

MAC_OPERATORS = {"Conv", "Gemm", "MatMul"}


def constants(model: onnx.ModelProto) -> set[str]:
    """Names of the tensors that do not depend on the input."""
    known = {tensor.name for tensor in model.graph.initializer} | {""}
    for node in model.graph.node:
        if known.issuperset(node.input):
            known.update(node.output)
    return known


def layers(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The nodes that should be mapped: every product of activations with constant weights."""
    known = constants(model)
    nodes = [node for node in model.graph.node if node.op_type in MAC_OPERATORS and node.input[1] in known]
    return [node for node in nodes if node.input[0] not in known]


def weight_shape(node: onnx.NodeProto, stored: tuple[int, ...]) -> list[int]:
    """Shape of the layer's weights, output channel first, from the shape in the file."""
    transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    if node.op_type == "Conv" or transposed:
        return list(stored)
    return [stored[-1], stored[-2]]

"""Writes the small ONNX files of the importer's tests, and an index of what to expect of each.

golden/tests/graphs/index.json lists every file: what it tests, the import options, and either the names of the errors
that are right, or the layers that should be mapped (in the order in which they run), left out, or either of the two
(`undecided`), the input and the output. The outputs are onnxruntime's, without and with its optimizer, and agree with
the reference evaluator of the onnx package. `exact` outputs have no rounding in them and must be met bit for bit,
others within `tolerance`. Needs scripts/requirements-train.txt.
"""

import argparse
import json
import math
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnx.inliner
import onnx.version_converter
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

# These put their cases on the registry.
from test_graphs import (  # noqa: F401
    calls,
    channels_last,
    exported,
    integers,
    layers,
    operators,
    refused,
    registry,
    storage,
)
from test_graphs.builder import Graph

TOLERANCE = 1e-5
LARGEST_FILE = 9000
GRAPHS = Path(__file__).resolve().parent.parent / "golden" / "tests" / "graphs"


def seed(name: str) -> int:
    """A seed of its own for each case, so that a new case leaves the others as they are."""
    return zlib.crc32(name.encode())


def sample(shape: list[int]) -> np.ndarray:
    """Multiples of 1/16 between -2 and 2."""
    index = np.arange(math.prod(shape))
    return (((index * 37 + 11) % 64 - 32) / 16.0).astype(np.float32).reshape(shape)


def run(model: onnx.ModelProto, x: np.ndarray, *, optimise: bool) -> dict[str, np.ndarray]:
    """Every output of the model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # onnxruntime refuses two nodes of one name, which the standard allows; names change no value.
    unnamed = onnx.ModelProto()
    unnamed.CopyFrom(model)
    for node in unnamed.graph.node:
        node.ClearField("name")
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(unnamed.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {model.graph.input[0].name: x}), strict=True))


def run_reference(model: onnx.ModelProto, x: np.ndarray) -> dict[str, np.ndarray]:
    """Every output of the model in the onnx package's reference evaluator."""
    if model.opset_import[0].version < 14:
        # The evaluator's batch norm mixes the batch's own statistics in before opset 14, as in training, and its
        # softmax is always that of opset 13.
        model = onnx.version_converter.convert_version(model, 17)
    model = onnx.inliner.inline_local_functions(model) if model.functions else model
    names = [output.name for output in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x}), strict=True))


def sample_shape(model: onnx.ModelProto, given: list[int] | None) -> list[int]:
    """Shape of the input with batch 1, open dimensions as given."""
    declared = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return [1, *(given or declared[1:])]


def describe_valid(name: str, function) -> tuple[bytes, dict]:
    """The file of a case that can be imported, and its entry in the index."""
    graph = Graph(seed(name))
    function(graph)
    model = graph.model()
    options = registry.OPTIONS.get(name, {})
    x = sample(sample_shape(model, options.get("input_shape")))
    exact = name not in registry.INEXACT
    outputs, answer = answers(name, model, x, exact=exact)

    # How often a weight is used follows from the size of what the node writes.
    tensors = [layer.tensor or graph.nodes[layer.node].output[0] for layer in graph.mapped]
    results = run(graph.model([tensor for tensor in tensors if tensor not in outputs]), x, optimise=False)
    mapped = [
        {
            "name": layer.name,
            "op": layer.op or graph.nodes[layer.node].op_type,
            "weight_shape": layer.weight_shape,
            "bias": layer.bias,
            "macs": results[tensor].size * math.prod(layer.weight_shape[1:]),
        }
        for layer, tensor in zip(graph.mapped, tensors, strict=True)
    ]
    return model.SerializeToString(deterministic=True), {
        "file": f"{name}.onnx",
        "tests": function.__doc__,
        "options": options,
        "mapped": mapped,
        "unmapped": [{"name": layer.name, "op": layer.op} for layer in graph.unmapped],
        "undecided": graph.undecided,
        **answer,
    }


def answers(name: str, model: onnx.ModelProto, x: np.ndarray, *, exact: bool) -> tuple[dict[str, np.ndarray], dict]:
    """Every output of a model, and of the one that counts what the index says. Opens the outputs' shapes in `model`."""
    outputs = run(model, x, optimise=False)
    # The importer takes the first output of floating-point numbers.
    key = next(output.name for output in model.graph.output if outputs[output.name].dtype == np.float32)
    expected = outputs[key]
    # The checker wants a shape: of the right rank, every dimension open.
    for output in model.graph.output:
        if not output.type.tensor_type.HasField("shape"):
            for _ in range(outputs[output.name].ndim):
                output.type.tensor_type.shape.dim.add()
            output.type.tensor_type.shape.SetInParent()
    onnx.checker.check_model(model, full_check=True)
    others = {"onnxruntime's optimizer": run(model, x, optimise=True)[key]}
    if name not in registry.ONE_OPINION:
        others["the reference evaluator"] = run_reference(model, x)[key]
    for who, found in others.items():
        same = np.array_equal(found, expected) if exact else np.allclose(found, expected, TOLERANCE, TOLERANCE)
        if not same:
            raise AssertionError(f"{name}: {who} gives {found}, onnxruntime {expected}")
    return outputs, {
        "exact": exact,
        "input_shape": list(x.shape),
        "input": x.ravel().tolist(),
        "output_shape": list(expected.shape),
        "output": expected.ravel().tolist(),
    }


def describe_exported(name: str, what: str, bias: str) -> tuple[bytes, dict]:
    """A file that another program wrote, as it is, and its entry in the index."""
    data = (GRAPHS / f"{name}.onnx").read_bytes()
    model = onnx.load_from_string(data)
    x = sample(sample_shape(model, None))
    _, answer = answers(name, model, x, exact=False)
    nodes = exported.layers(model)
    # Weights may be computed from constants, so onnxruntime tells their shapes.
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    present = {output.name for output in model.graph.output}
    for tensor in sorted({name for layer in nodes for name in (layer.input[1], layer.output[0])} - present):
        shown.graph.output.append(helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))
    results = run(shown, x, optimise=False)
    mapped = []
    for layer, biased in zip(nodes, bias, strict=True):
        shape = exported.weight_shape(layer, results[layer.input[1]].shape)
        macs = results[layer.output[0]].size * math.prod(shape[1:])
        entry = {"name": None, "op": layer.op_type, "weight_shape": shape, "bias": biased == "b", "macs": macs}
        mapped.append(entry)
    return data, {
        "file": f"{name}.onnx",
        "tests": what,
        "options": {},
        "mapped": mapped,
        "unmapped": [],
        "undecided": [],
        **answer,
    }


def describe_invalid(name: str, function, errors: list[str]) -> tuple[bytes, dict]:
    """The file of a case that must be refused, and its entry in the index."""
    return function(Graph(seed(name))), {"file": f"{name}.onnx", "tests": function.__doc__, "errors": errors}


def index_text(entries: list[dict]) -> str:
    """JSON with one line for each key of an entry, so that differences stay readable."""
    lines = [
        "  {\n" + ",\n".join(f"   {json.dumps(key)}: {json.dumps(value)}" for key, value in entry.items()) + "\n  }"
        for entry in entries
    ]
    return f'{{\n "tolerance": {TOLERANCE},\n "graphs": [\n' + ",\n".join(lines) + "\n ]\n}\n"


def main() -> None:
    """Reads the command line, makes every case, writes them all or nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=GRAPHS, help="folder to write")
    folder = parser.parse_args().out

    files, entries = {}, []
    for function in registry.CASES:
        data, entry = describe_valid(function.__name__, function)
        files[entry["file"]] = data
        entries.append(entry)
    for name, (what, bias) in exported.CASES.items():
        data, entry = describe_exported(name, what, bias)
        files[entry["file"]] = data
        entries.append(entry)
    for function, errors in refused.CASES:
        data, entry = describe_invalid(function.__name__, function, errors)
        files[entry["file"]] = data
        entries.append(entry)
    too_large = [name for name, data in files.items() if len(data) >= LARGEST_FILE]
    if too_large:
        raise AssertionError(f"these files are not small: {too_large}")
    files["index.json"] = index_text(entries).encode()

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as staging:
        for name, data in files.items():
            (Path(staging) / name).write_bytes(data)
        for name in files:
            os.replace(Path(staging) / name, folder / name)
    total = sum(map(len, files.values()))
    print(f"{len(entries)} graphs, {total / 1000:.1f} kB, {len(files['index.json']) / 1000:.1f} kB of them the index")


if __name__ == "__main__":
    main()

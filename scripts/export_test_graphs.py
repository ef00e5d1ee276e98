"""Exports small networks with torch.onnx and tf2onnx for the importer's tests; needs one of them installed.

Optional: the files are in golden/tests/graphs and are not made again by anything else, since these packages are large
and each version writes another file. Names of source files and stack traces are left out. After an export, name each
file in test_graphs/exported.py and run make_test_graphs.py. Made with torch 2.15.0 and onnxscript, and with tf2onnx
1.17.0 and tensorflow-cpu 2.21.0.
"""

import argparse
import importlib
from pathlib import Path

import onnx


def plain(model: onnx.ModelProto) -> bytes:
    """The file without what tells where it was made."""
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.ClearField("doc_string")
    for part in [*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model.SerializeToString(deterministic=True)


def main() -> None:
    """Reads the command line and writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("package", choices=["torch", "tensorflow"], help="whose exporters to run")
    default = Path(__file__).resolve().parent.parent / "golden" / "tests" / "graphs"
    parser.add_argument("--out", type=Path, default=default, help="folder to write")
    options = parser.parse_args()
    exports = importlib.import_module(f"test_graphs.from_{options.package}")
    for name, model in exports.models():
        data = plain(model)
        (options.out / f"{name}.onnx").write_bytes(data)
        print(f"{name}: {len(data)} bytes, {', '.join(sorted({node.op_type for node in model.graph.node}))}")


if __name__ == "__main__":
    main()

"""Writes a workload folder (model, samples, meta.json), each file by rename, and measures its baseline accuracy."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def accuracy(model: bytes, x: np.ndarray, y: np.ndarray) -> float:
    """Fraction of the rows of `x` that onnxruntime, on one thread, puts into the class `y`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: x})
    return float(np.mean(logits.argmax(axis=1) == y))


def write(folder: Path, model: onnx.ModelProto, samples: dict[str, np.ndarray], meta: dict) -> None:
    """Writes `model.onnx`, the arrays of `samples` as NAME.npy and `meta.json` into `folder`.

    `samples` holds x_calib, x_test (float32, batch first) and y_calib, y_test (int64). The accuracy in meta.json is
    measured on the files as written. Nothing is replaced unless everything could be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
        staging = Path(temporary)
        (staging / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
        for name, values in samples.items():
            dtype = np.float32 if name.startswith("x_") else np.int64
            np.save(staging / f"{name}.npy", np.ascontiguousarray(values, dtype))
        stored = {name: np.load(staging / f"{name}.npy") for name in samples}
        measured = {
            split: accuracy((staging / "model.onnx").read_bytes(), stored[f"x_{split}"], stored[f"y_{split}"])
            for split in ("calib", "test")
        }
        meta = {
            "name": meta["name"],
            "baseline_accuracy": measured["test"],
            "calibration_accuracy": measured["calib"],
            "n_test": len(stored["x_test"]),
            "n_calib": len(stored["x_calib"]),
            **meta,
        }
        (staging / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=True) + "\n")
        files = sorted(staging.iterdir())
        for file in files:
            file.chmod(0o644)
            os.replace(file, folder / file.name)
    total = sum((folder / file.name).stat().st_size for file in files)
    print(
        f"{meta['name']}: baseline accuracy {measured['test']:.4f} on {len(stored['x_test'])} test samples, "
        f"{measured['calib']:.4f} on the calibration samples, {total / 1000:.1f} kB in {len(files)} files"
    )

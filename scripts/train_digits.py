"""Trains the bundled vision workload: a small ConvNet on scikit-learn's handwritten digits (1797 images of 8 x 8).

Writes model.onnx (batch norm left as nodes), samples and meta.json to golden/data/digits. The images are split in the
order of the file, first training, then calibration, then test: neighbours resemble each other (13 people wrote them, it
seems one after the other), and a random split would test on hands that the net was trained on.
"""

import argparse
import importlib.metadata
import platform
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from training import convnet, onnx_export, workload
from training.convnet import Conv, Dense, MaxPool

SHAPE = (1, 8, 8)
LAYERS = [
    Conv("conv1", 12, (3, 3), padding=(1, 1)),
    Conv("conv2", 24, (3, 3)),
    MaxPool("pool", 2),
    Dense("dense", 10),
]


def shifted(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Each image moved by -1, 0 or 1 pixel either way (filled with 0), with a little noise on its ink."""
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)])
    # No move at all is the likeliest: the images are centred.
    rows, columns = generator.choice([0, 1, 2], size=(2, len(x)), p=[0.2, 0.6, 0.2])
    moved = np.stack([padded[i, :, r : r + 8, c : c + 8] for i, (r, c) in enumerate(zip(rows, columns, strict=True))])
    noise = generator.normal(0.0, 0.06, moved.shape)
    return np.where(moved > 0, np.clip(moved + noise, 0.0, 1.0), 0.0).astype(np.float32)


def main() -> None:
    """Reads the command line, trains, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    default = Path(__file__).resolve().parent.parent / "golden" / "data" / "digits"
    parser.add_argument("--out", type=Path, default=default, help="folder to write")
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights and the augmentation")
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training images")
    parser.add_argument("--calib", type=int, default=256, help="calibration samples")
    parser.add_argument("--test", type=int, default=500, help="test samples")
    arguments = parser.parse_args()

    digits = load_digits()
    # 0 .. 16 inked pixels of a 4 x 4 block; a sixteenth of that is exact in binary32.
    x = (digits.images[:, None] / 16.0).astype(np.float32)
    y = digits.target.astype(np.int64)
    cuts = [len(x) - arguments.test - arguments.calib, len(x) - arguments.test]
    x, x_calib, x_test = np.split(x, cuts)
    y, y_calib, y_test = np.split(y, cuts)
    print(f"digits: {len(x)} training, {len(x_calib)} calibration and {len(x_test)} test images")

    parameters, statistics = convnet.train(
        LAYERS,
        lambda _, generator: (shifted(x, generator), y),
        SHAPE,
        seed=arguments.seed,
        epochs=arguments.epochs,
        batch=64,
        learning_rate=4e-3,
    )
    model = onnx_export.to_onnx("digits", LAYERS, parameters, statistics, SHAPE, fold_batch_norm=False)
    counts = convnet.macs(LAYERS, SHAPE)
    meta = {
        "name": "digits",
        "task": "vision: handwritten digits, 10 classes; 8 x 8 pixels, ink 0 to 1",
        "macs": sum(counts.values()),
        "macs_by_layer": counts,
        "classes": [str(digit) for digit in range(10)],
        "train_samples": len(x),
        "seed": arguments.seed,
        "epochs": arguments.epochs,
        "model_source": "trained by scripts/train_digits.py; batch norm left unfolded",
        "model_license": "MIT, as this project",
        "data_source": "scikit-learn load_digits: the test part of the UCI data set 'Optical Recognition of Handwritten"
        " Digits' (E. Alpaydin, C. Kaynak, 1998, DOI 10.24432/C50P49)",
        "data_license": "CC-BY-4.0 (UCI); distributed with scikit-learn under BSD-3-Clause",
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("jax", "numpy", "onnx", "onnxruntime", "scikit-learn")},
    }
    samples = {"x_calib": x_calib, "y_calib": y_calib, "x_test": x_test, "y_test": y_test}
    workload.write(arguments.out, model, samples, meta)


if __name__ == "__main__":
    main()

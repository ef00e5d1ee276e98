"""Trains the bundled speech workload: a small depthwise-separable ConvNet on keywords spoken by espeak-ng.

Writes model.onnx (batch norm folded), samples and meta.json to golden/data/keywords. The split is by voice: no variant
of espeak-ng, nor a near relative of it, speaks in two of training, calibration and test.
"""

import argparse
import importlib.metadata
import platform
import time
from pathlib import Path

import numpy as np

from training import convnet, onnx_export, spoken_keywords, workload
from training.convnet import Conv, Dense, GlobalAveragePool
from training.spoken_keywords import ACCENTS, BANDS, FRAMES, KEYWORDS, Utterance

SHAPE = (1, FRAMES, BANDS)
LAYERS = [
    Conv("conv1", 24, (5, 5), stride=(2, 2), padding=(2, 2)),
    Conv("dw2", 24, (3, 3), padding=(1, 1), depthwise=True),
    Conv("pw2", 40, (1, 1)),
    Conv("dw3", 40, (3, 3), stride=(2, 2), padding=(1, 1), depthwise=True),
    Conv("pw3", 56, (1, 1)),
    Conv("dw4", 56, (3, 3), padding=(1, 1), depthwise=True),
    Conv("pw4", 64, (1, 1)),
    GlobalAveragePool("pool"),
    Dense("dense", len(KEYWORDS)),
]


def split_voices(generator: np.random.Generator) -> dict[str, list[str]]:
    """The variants of each split: about 60 % of the families for training, 15 % for calibration, 25 % for test."""
    families = spoken_keywords.families()
    names = list(families)
    generator.shuffle(names)
    cuts = [round(0.60 * len(names)), round(0.75 * len(names))]
    parts = {"train": names[: cuts[0]], "calib": names[cuts[0] : cuts[1]], "test": names[cuts[1] :]}
    return {split: sorted(variant for name in part for variant in families[name]) for split, part in parts.items()}


def draw_utterances(variants: list[str], count: int, generator: np.random.Generator) -> list[Utterance]:
    """`count` utterances, the keywords and then the voices in turn, everything else at random."""
    order = generator.permutation(count)
    return [
        Utterance(
            keyword=KEYWORDS[index % len(KEYWORDS)],
            accent=str(generator.choice(ACCENTS)),
            variant=variants[index // len(KEYWORDS) % len(variants)],
            words_per_minute=int(generator.integers(110, 231)),
            pitch=int(generator.integers(10, 91)),
        )
        for index in order
    ]


def speak_all(split: str, utterances: list[Utterance]) -> list[np.ndarray]:
    """The sound of each utterance, with progress on the screen."""
    sounds, last = [], time.monotonic()
    for index, utterance in enumerate(utterances):
        sounds.append(spoken_keywords.speak(utterance))
        if time.monotonic() - last > 10.0:
            last = time.monotonic()
            print(f"  {split}: {index + 1}/{len(utterances)} keywords spoken", flush=True)
    return sounds


def features(sounds: list[np.ndarray], generator: np.random.Generator, decibels: tuple[float, float]) -> np.ndarray:
    """Log-mel features [samples, 1, FRAMES, BANDS] of the sounds, each disturbed afresh."""
    clips = (spoken_keywords.disturb(sound, generator, decibels) for sound in sounds)
    return np.stack([spoken_keywords.log_mel(clip)[None] for clip in clips])


def main() -> None:
    """Reads the command line, speaks, trains, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    default = Path(__file__).resolve().parent.parent / "golden" / "data" / "keywords"
    parser.add_argument("--out", type=Path, default=default, help="folder to write")
    parser.add_argument("--seed", type=int, default=1, help="seed of the voices, the noise and the weights")
    parser.add_argument("--epochs", type=int, default=40, help="passes over the training keywords")
    parser.add_argument("--train", type=int, default=6000, help="training keywords to speak")
    parser.add_argument("--copies", type=int, default=6, help="differently disturbed copies of each, one an epoch")
    parser.add_argument("--calib", type=int, default=200, help="calibration samples")
    parser.add_argument("--test", type=int, default=300, help="test samples")
    parser.add_argument("--snr", type=float, nargs=2, default=[5.0, 30.0], help="range of speech to noise in dB")
    arguments = parser.parse_args()

    generator = np.random.default_rng(arguments.seed)
    voices = split_voices(generator)
    labels, sounds = {}, {}
    for split, count in (("train", arguments.train), ("calib", arguments.calib), ("test", arguments.test)):
        utterances = draw_utterances(voices[split], count, generator)
        print(f"keywords: {split}, {count} utterances of {len(voices[split])} voices", flush=True)
        labels[split] = np.array([KEYWORDS.index(utterance.keyword) for utterance in utterances])
        sounds[split] = speak_all(split, utterances)
    decibels = tuple(arguments.snr)
    copies = []
    for copy in range(arguments.copies):
        print(f"  features of copy {copy + 1}/{arguments.copies} of the training keywords", flush=True)
        warped = [spoken_keywords.warp(sound, generator) for sound in sounds["train"]]
        copies.append(features(warped, generator, decibels))
    mean, deviation = float(np.mean(copies)), float(np.std(copies))
    normal = {
        split: ((features(sounds[split], generator, decibels) - mean) / deviation).astype(np.float32)
        for split in ("calib", "test")
    }
    copies = [((copy - mean) / deviation).astype(np.float32) for copy in copies]

    parameters, statistics = convnet.train(
        LAYERS,
        lambda epoch, _: (copies[epoch % len(copies)], labels["train"]),
        SHAPE,
        seed=arguments.seed,
        epochs=arguments.epochs,
        batch=64,
        learning_rate=4e-3,
    )
    model = onnx_export.to_onnx("keywords", LAYERS, parameters, statistics, SHAPE, fold_batch_norm=True)
    counts = convnet.macs(LAYERS, SHAPE)
    meta = {
        "name": "keywords",
        "task": f"speech: {len(KEYWORDS)} spoken keywords; {FRAMES} frames x {BANDS} log-mel bands, standardised",
        "macs": sum(counts.values()),
        "macs_by_layer": counts,
        "classes": KEYWORDS,
        "train_samples": arguments.train * arguments.copies,
        "seed": arguments.seed,
        "epochs": arguments.epochs,
        "model_source": "trained by scripts/train_keywords.py; batch norm folded",
        "model_license": "MIT, as this project",
        "data_source": "spoken by espeak-ng (its own formant and Klatt voices, no MBROLA), with noise, echo and shift"
        " added by scripts/spoken_keywords.py",
        "data_license": "MIT, as this project: features computed from the output of espeak-ng. The program is"
        " GPL-3.0-or-later; nothing of it is distributed here",
        "snr_db": list(decibels),
        "mean": mean,
        "std": deviation,
        "voices": voices,
        "accents": ACCENTS,
        "versions": {"python": platform.python_version(), "espeak-ng": spoken_keywords.version()}
        | {name: importlib.metadata.version(name) for name in ("jax", "numpy", "onnx", "onnxruntime", "scipy")},
    }
    samples = {f"x_{split}": normal[split] for split in ("calib", "test")}
    samples |= {f"y_{split}": labels[split] for split in ("calib", "test")}
    workload.write(arguments.out, model, samples, meta)


if __name__ == "__main__":
    main()

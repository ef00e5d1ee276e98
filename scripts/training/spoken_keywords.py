"""Speaks keywords with espeak-ng and turns them into log-mel features; NumPy and SciPy only.

A voice is a variant of espeak-ng (formants, voicing, breath) and an accent is an English it speaks. Variants that
differ by a trailing number only (`iven2`, `robosoft5`) are one family, and a split never parts a family.
"""

import functools
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.io.wavfile
import scipy.signal

SAMPLE_RATE = 22050
FRAMES = 32
BANDS = 16
WINDOW = 1024
HOP = 690
CLIP = WINDOW + (FRAMES - 1) * HOP
LOW_HERTZ, HIGH_HERTZ = 100.0, 7600.0

KEYWORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
ACCENTS = ["en-gb", "en-us", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-us-nyc"]


class MissingEspeak(RuntimeError):
    """espeak-ng is not installed."""

    def __init__(self):
        super().__init__("espeak-ng is not installed; it is in the Debian package espeak-ng")


@dataclass(frozen=True)
class Utterance:
    """One keyword as one voice says it."""

    keyword: str
    accent: str
    variant: str
    words_per_minute: int
    pitch: int


def espeak(*arguments: str) -> bytes:
    """What espeak-ng prints for these arguments."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise MissingEspeak
    return subprocess.run([program, *arguments], check=True, capture_output=True).stdout


def version() -> str:
    """The version of espeak-ng, as `1.51`."""
    return re.search(rb"text-to-speech: (\S+)", espeak("--version")).group(1).decode()


def families() -> dict[str, list[str]]:
    """The variants of espeak-ng by family, in alphabetical order."""
    listing = espeak("--voices=variant").decode()
    variants = sorted(set(re.findall(r"!v/(\w+)\s", listing)))
    grouped: dict[str, list[str]] = {}
    for variant in variants:
        # f1 ... f5 and m1 ... m8 are different people, and so are two-letter names.
        family = variant if len(variant) == 2 else variant.rstrip("0123456789")
        grouped.setdefault(family, []).append(variant)
    return grouped


def speak(utterance: Utterance) -> np.ndarray:
    """The utterance at 22050 Hz, silence cut off at both ends, peak 1."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        # To a file: in what it writes to a pipe, espeak-ng leaves the length open.
        espeak(
            *("-v", f"{utterance.accent}+{utterance.variant}", "-s", str(utterance.words_per_minute)),
            *("-p", str(utterance.pitch), "-w", file.name, "--", utterance.keyword),
        )
        rate, sound = scipy.io.wavfile.read(file.name)
    if rate != SAMPLE_RATE:
        raise ValueError(f"espeak-ng spoke {utterance} at {rate} Hz, expected {SAMPLE_RATE} Hz")
    sound = sound.astype(np.float64)
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max(initial=1.0))
    if loud.size == 0:
        raise ValueError(f"espeak-ng spoke {utterance} as silence")
    sound = sound[loud[0] : loud[-1] + 1]
    return sound / np.abs(sound).max()


def warp(sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The sound played up to a fifth faster or slower: another pitch, other formants, as of a voice not in the list."""
    length = round(len(sound) * np.exp(generator.uniform(-0.2, 0.2)))
    return np.interp(np.linspace(0, len(sound) - 1, length), np.arange(len(sound)), sound)


def coloured_noise(generator: np.random.Generator, slope: float) -> np.ndarray:
    """One clip of Gaussian noise whose power falls as 1 / frequency ** slope, of power 1."""
    length = scipy.fft.next_fast_len(CLIP, real=True)
    spectrum = scipy.fft.rfft(generator.normal(size=length))
    frequency = np.maximum(scipy.fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)
    noise = scipy.fft.irfft(spectrum * frequency ** (-slope / 2), length)[:CLIP]
    return noise / noise.std()


def disturb(sound: np.ndarray, generator: np.random.Generator, decibels: tuple[float, float]) -> np.ndarray:
    """A clip with the sound somewhere in it (a longer one loses an end), an echo, and noise.

    The ratio of speech to noise is drawn from `decibels`, evenly; the noise is anything from white to brown.
    """
    slack = CLIP - len(sound)
    start = int(generator.integers(min(slack, 0), max(slack, 0) + 1))
    clip = np.zeros(CLIP)
    kept = sound[max(-start, 0) :][: CLIP - max(start, 0)]
    clip[max(start, 0) :][: len(kept)] = kept
    delay = int(generator.integers(200, 2500))
    clip[delay:] += generator.uniform(0.0, 0.5) * clip[:-delay]
    power = np.mean(kept**2)
    ratio = 10.0 ** (generator.uniform(*decibels) / 10.0)
    return clip + np.sqrt(power / ratio) * coloured_noise(generator, generator.uniform(0.0, 2.0))


@functools.cache
def mel_filters() -> np.ndarray:
    """Triangular filters [BANDS, WINDOW / 2 + 1], evenly spaced on the mel scale 2595 log10(1 + f / 700)."""
    ends = 2595.0 * np.log10(1.0 + np.array([LOW_HERTZ, HIGH_HERTZ]) / 700.0)
    edges = 700.0 * (10.0 ** (np.linspace(*ends, BANDS + 2) / 2595.0) - 1.0)
    frequency = scipy.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.clip(np.minimum((frequency - low) / (middle - low), (high - frequency) / (high - middle)), 0.0, None)


def log_mel(clip: np.ndarray) -> np.ndarray:
    """Natural logarithm of the mel energies of a clip [CLIP], scaled to peak 1 first: [FRAMES, BANDS]."""
    clip = clip / np.abs(clip).max()
    frames = np.lib.stride_tricks.sliding_window_view(clip, WINDOW)[::HOP] * scipy.signal.windows.hann(WINDOW)
    power = np.abs(scipy.fft.rfft(frames, axis=1)) ** 2
    return np.log(power @ mel_filters().T + 1e-3)

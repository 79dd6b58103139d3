"""Sequences: characters of the standard library's sources, and small symbolic tasks."""

from __future__ import annotations

import inspect
import string
from importlib import import_module

import numpy as np
import torch

from benchmarks.zoo.workloads.data import Array, Data, flip_floor, flipped, split

LENGTH = 16
HELD = 64  # windows of text for validation
ALPHABET = "\n " + string.ascii_lowercase + "_.,:()'=#"


def _lines(*modules: str) -> list[str]:
    sources = (inspect.getsource(import_module(m)) for m in modules)
    return [line.strip() for text in sources for line in text.lower().splitlines() if line.strip()]


def _encoded(lines: list[str]) -> Array:
    other = len(ALPHABET)
    place = {letter: i for i, letter in enumerate(ALPHABET)}
    return np.array([place.get(letter, other) for letter in "\n".join(lines)])


def _language(seed: int, *modules: str) -> Data:
    """Next characters of windows of text; validation windows come from lines of their own, every fifth block of ten."""
    rng = np.random.default_rng(seed)
    lines = _lines(*modules)
    held = [i // 10 % 5 == 0 for i in range(len(lines))]
    windows = [
        _windows([x for x, h in zip(lines, held, strict=True) if h is kept], n, rng)
        for kept, n in ((False, 2000), (True, HELD))
    ]
    x, y = (np.concatenate([w[:, part] for w in reversed(windows)]) for part in (slice(None, -1), slice(1, None)))
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    size = len(ALPHABET) + 1
    parts = inputs[HELD:], targets[HELD:], inputs[:HELD], targets[:HELD]
    return Data("classes", *parts, size, vocabulary=size, per_token=True)


def _windows(lines: list[str], count: int, rng: np.random.Generator) -> Array:
    codes = _encoded(lines)
    starts = rng.integers(0, len(codes) - LENGTH - 1, count)
    return np.asarray(codes[starts[:, None] + np.arange(LENGTH + 1)])


def _charlm(seed: int, _noise: float) -> Data:
    return _language(seed, "argparse", "difflib", "textwrap", "inspect")


def _charlm_logging(seed: int, _noise: float) -> Data:
    return _language(seed, "logging", "shutil", "tempfile", "csv")


def _majority(seed: int, noise: float) -> Data:
    """Which of four symbols comes most often in twelve."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 4, (2400, 12))
    counts = np.stack([(x == s).sum(1) for s in range(4)], 1)
    top = np.sort(counts, 1)
    clear = top[:, -1] > top[:, -2]
    y = flipped(counts.argmax(1)[clear], noise, 4, rng)
    return split("classes", (x[clear], y), rng, 200, outputs=4, floor=flip_floor(noise, 4), vocabulary=4)


def _waves(seed: int, noise: float) -> Data:
    """Which of four kinds of wave (sine, square, saw, two sines) twelve noisy samples come from."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 4, 1900)
    t = np.arange(14) * rng.uniform(0.9, 1.4, (len(kinds), 1)) + rng.uniform(0, 6, (len(kinds), 1))
    shapes = np.stack([np.sin(t), np.sign(np.sin(t)), (t / np.pi) % 2 - 1, 0.7 * (np.sin(t) + np.sin(2.3 * t))])
    x = shapes[kinds, np.arange(len(kinds))] + rng.normal(0, 0.2, t.shape)
    return split(
        "classes", (x[:, :, None], flipped(kinds, noise, 4, rng)), rng, 200, outputs=4, floor=flip_floor(noise, 4)
    )


def _sorting(seed: int, _noise: float) -> Data:
    """Say at every place of a sequence which symbol stands there once it is sorted."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 6, (1900, 8))
    return split("classes", (x, np.sort(x, 1)), rng, 200, outputs=6, vocabulary=6, per_token=True)


WORKLOADS = {
    "charlm": _charlm,
    "charlm_logging": _charlm_logging,
    "majority": _majority,
    "waves": _waves,
    "sorting": _sorting,
}

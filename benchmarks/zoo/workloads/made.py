"""Synthetic tables: teachers to imitate, spirals and boards to tell apart, densities to fit."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.workloads.data import Data, flip_floor, flipped, split, standardized

POOL, VALIDATION = 2400, 300


def _teacher(seed: int, noise: float) -> Data:
    """A random two-layer network of sines of six inputs, plus noise of the given deviation."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(POOL + VALIDATION, 6))
    hidden = np.sin(x @ rng.normal(0, 0.5, (6, 12)) + rng.uniform(0, 6, 12))
    y = standardized(hidden @ rng.normal(size=(12, 1))) + noise * rng.normal(size=(len(x), 1))
    return split("regression", (x, y), rng, VALIDATION, outputs=1, floor=noise**2)


def _friedman(seed: int, noise: float) -> Data:
    """Friedman's first function of eight uniform inputs, five of which matter."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(POOL + VALIDATION, 8))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    target = standardized(y[:, None]) + noise * rng.normal(size=(len(x), 1))
    return split("regression", ((x - 0.5) * 3.46, target), rng, VALIDATION, outputs=1, floor=noise**2)


def _spirals(seed: int, noise: float) -> Data:
    """Two interleaved spirals of one and a half turns."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, 2, POOL + VALIDATION)
    t = np.sqrt(rng.uniform(0.02, 1, len(arm)))
    angle = t * 3 * np.pi + arm * np.pi
    x = np.stack([t * np.cos(angle), t * np.sin(angle)], 1) * 2 + rng.normal(0, 0.06, (len(arm), 2))
    return split("classes", (x, flipped(arm, noise, 2, rng)), rng, VALIDATION, outputs=2, floor=flip_floor(noise, 2))


def _checkerboard(seed: int, noise: float) -> Data:
    """The colour of a 3 × 3 board at a point, with an input that means nothing."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (POOL + VALIDATION, 3))
    colour = (np.floor((x[:, :2] + 1.7) / 1.134).sum(1) % 2).astype(int)
    return split("classes", (x, flipped(colour, noise, 2, rng)), rng, VALIDATION, outputs=2, floor=flip_floor(noise, 2))


def _density(seed: int, _noise: float) -> Data:
    """A two-valued curve with little noise, so that the negative log-likelihood falls below zero."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (POOL + VALIDATION, 1))
    branch = rng.choice([-1.0, 1.0], x.shape)
    y = branch * (0.6 + 0.4 * np.sin(2 * x)) + rng.normal(0, 0.05, x.shape)
    return split(
        "mixture", (x, y), rng, VALIDATION, outputs=9, floor=float(np.log(2) + 0.5 * np.log(2 * np.pi * 0.05**2) + 0.5)
    )


def _heteroscedastic(seed: int, _noise: float) -> Data:
    """A smooth function of three inputs whose noise, small, grows along one of them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (POOL + VALIDATION, 3))
    deviation = 0.06 * np.exp(0.6 * x[:, :1])
    y = np.sin(1.5 * x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:] + deviation * rng.normal(size=(len(x), 1))
    floor = float((np.log(deviation) + 0.5 * np.log(2 * np.pi) + 0.5).mean())
    return split("gaussian", (x, y), rng, VALIDATION, outputs=2, floor=floor)


def _blobs(seed: int, noise: float) -> Data:
    """Eight overlapping clouds in twelve dimensions."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 8, POOL + VALIDATION)
    x = rng.normal(0, 0.9, (8, 12))[kinds] + rng.normal(size=(len(kinds), 12))
    return split("classes", (x, flipped(kinds, noise, 8, rng)), rng, VALIDATION, outputs=8)


def _intervals(seed: int, _noise: float) -> Data:
    """Where in a noisy signal of 24 samples the level is high: one or two intervals, to be marked sample by sample."""
    rng = np.random.default_rng(seed)
    count = POOL + VALIDATION
    start, length = rng.integers(0, 16, (2, count)), rng.integers(3, 9, (2, count))
    t = np.arange(24)
    inside = [(t >= a[:, None]) & (t < (a + n)[:, None]) for a, n in zip(start, length, strict=True)]
    mask = inside[0] | (inside[1] & (rng.random((count, 1)) < 0.5))
    x = 1.6 * mask - 0.6 + rng.normal(0, 0.6, mask.shape)
    return split("dice", (x, mask.astype(float)), rng, VALIDATION, outputs=24)


WORKLOADS = {
    "intervals": _intervals,
    "teacher": _teacher,
    "friedman": _friedman,
    "spirals": _spirals,
    "checkerboard": _checkerboard,
    "density": _density,
    "heteroscedastic": _heteroscedastic,
    "blobs": _blobs,
}

"""Families of small image tasks: digits by class, as patches, imbalanced, in parts; bars, blobs and masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from sklearn import datasets

from benchmarks.zoo.workloads.data import Array, Data, flip_floor, flipped, split

SIDE, POOL, VALIDATION = 8, 1200, 128


def _chosen(number: int) -> tuple[Array, Array, int]:
    """The digits of a few classes, one task in three with classes of very different size."""
    task = np.random.default_rng([number, 1])
    classes = task.permutation(10)[: int(task.integers(3, 11))]
    x, y = datasets.load_digits(return_X_y=True)
    place = np.full(10, -1)
    place[classes] = np.arange(len(classes))
    kept = place[y] >= 0
    if task.random() < 0.33:
        share = np.where(np.arange(10) % 2 == 0, 1.0, task.uniform(0.1, 0.4))
        kept &= task.random(len(y)) < share[y]
    return (x[kept] / 16 - 0.305) / 0.376, place[y[kept]], len(classes)


def _some_digits(number: int, seed: int, noise: float, shape: tuple[int, ...]) -> Data:
    rng = np.random.default_rng([number, seed])
    x, kinds, classes = _chosen(number)
    y = flipped(kinds, noise, classes, rng)
    validation = min(128, len(x) // 4)
    floor = flip_floor(noise, classes)
    return split("classes", (x.reshape(-1, *shape), y), rng, validation, outputs=classes, floor=floor)


def _images(number: int, seed: int, noise: float) -> Data:
    return _some_digits(number, seed, noise, (1, 8, 8))


def _patches(number: int, seed: int, noise: float) -> Data:
    """Digits as sixteen patches of 2 × 2 pixels, for a vision transformer."""
    data = _some_digits(number, seed, noise, (64,))
    parts = [_cut(t.numpy()) for t in (data.x, data.x_validation)]
    return _again(data, *parts)


def _cut(x: Array) -> Array:
    return np.asarray(x.reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 16, 4))


def _again(data: Data, x: Array, x_validation: Array) -> Data:
    """The same data with inputs of another shape."""
    pair = [torch.from_numpy(np.ascontiguousarray(a)) for a in (x, x_validation)]
    return replace(data, x=pair[0], x_validation=pair[1])


def _bars(number: int, seed: int, noise: float) -> Data:
    """Which way a bar runs through clutter: two to six directions."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    directions, clutter = int(task.integers(2, 7)), task.uniform(0.2, 0.7)
    kinds = rng.integers(0, directions, POOL + VALIDATION)
    angle = (kinds + rng.normal(0, 0.08, len(kinds))) * np.pi / directions
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    offset = rng.uniform(-1.5, 1.5, len(kinds))[:, None, None]
    distance = np.abs(np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns - offset)
    x = 2.0 * (distance < 0.9) - 0.5 + rng.normal(0, clutter, distance.shape)
    y = flipped(kinds, noise, directions, rng)
    return split("classes", (x[:, None], y), rng, VALIDATION, outputs=directions, floor=flip_floor(noise, directions))


def _centres(number: int, seed: int, _noise: float) -> Data:
    """Where the brighter of two blobs lies."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    size, clutter, count = task.uniform(0.8, 1.6), task.uniform(0.1, 0.4), POOL + VALIDATION
    rows, columns = np.mgrid[:SIDE, :SIDE]
    places = rng.uniform(1, SIDE - 2, (count, 2, 2))
    blobs = [
        np.exp(-((rows - p[:, :1, None]) ** 2 + (columns - p[:, 1:, None]) ** 2) / (2 * size**2))
        for p in (places[:, 0], places[:, 1])
    ]
    x = 1.5 * blobs[0] + 0.7 * blobs[1] + rng.normal(0, clutter, (count, SIDE, SIDE))
    return split("regression", (x[:, None], (places[:, 0] - 3) / 1.5), rng, VALIDATION, outputs=2)


def _masks(number: int, seed: int, _noise: float) -> Data:
    """Mark the pixels of bright shapes among dark ones."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    clutter, count = task.uniform(0.2, 0.6), 700
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images, masks = rng.normal(0, clutter, (count, SIDE, SIDE)), np.zeros((count, SIDE, SIDE), dtype=bool)
    for sign in (1, -1, 1):
        centre = rng.uniform(0, SIDE, (count, 2, 1, 1))
        blob = (rows - centre[:, 0]) ** 2 + (columns - centre[:, 1]) ** 2 <= rng.uniform(1.2, 2.5, (count, 1, 1)) ** 2
        images += sign * blob
        masks = (masks | blob) if sign > 0 else (masks & ~blob)
    return split("dice", (images[:, None], masks.reshape(count, -1).astype(float)), rng, 100, outputs=SIDE * SIDE)


WORKLOADS = {
    "digit-images": _images,
    "digit-patches": _patches,
    "bars": _bars,
    "centres": _centres,
    "masks": _masks,
}

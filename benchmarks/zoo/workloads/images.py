"""Synthetic images: shapes to classify, textures to classify, blobs to segment."""

from __future__ import annotations

import numpy as np

from benchmarks.zoo.workloads.data import Array, Data, flip_floor, flipped, split

SIDE = 10
POOL, VALIDATION = 1600, 200


def _shape(kind: int, rng: np.random.Generator) -> Array:
    """A filled square, a frame, a cross, a disc, or stripes, anywhere in the image."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    r, c = rng.uniform(3, SIDE - 4, 2)
    size = rng.uniform(1.8, 3.2)
    far = np.maximum(abs(rows - r), abs(columns - c))
    masks = (
        far <= size,
        (far <= size) & (far > size - 1.1),
        (far <= size) & (np.minimum(abs(rows - r), abs(columns - c)) < 0.6),
        (rows - r) ** 2 + (columns - c) ** 2 <= size**2,
        (far <= size) & ((rows + int(r)) % 2 == 0),
    )
    return np.asarray(masks[kind], dtype=float)


def _shapes(seed: int, noise: float) -> Data:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 5, POOL + VALIDATION)
    x = np.stack([_shape(k, rng) for k in kinds])[:, None] * 2 + rng.normal(0, 0.35, (len(kinds), 1, SIDE, SIDE)) - 0.3
    return split("classes", (x, flipped(kinds, noise, 5, rng)), rng, VALIDATION, outputs=5, floor=flip_floor(noise, 5))


def _textures(seed: int, noise: float) -> Data:
    """Waves of one of six directions and frequencies under noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 6, POOL + VALIDATION)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    angle = (kinds % 3) * np.pi / 3 + rng.normal(0, 0.12, len(kinds))
    frequency = np.where(kinds < 3, 1.5, 3.0) * 2 * np.pi
    along = np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns
    phase = rng.uniform(0, 2 * np.pi, len(kinds))[:, None, None]
    x = np.sin(frequency[:, None, None] * along + phase) + rng.normal(0, 0.5, (len(kinds), SIDE, SIDE))
    return split(
        "classes", (x[:, None], flipped(kinds, noise, 6, rng)), rng, VALIDATION, outputs=6, floor=flip_floor(noise, 6)
    )


def _segmentation(seed: int, _noise: float) -> Data:
    """Find the bright blobs among dark ones and noise, pixel by pixel."""
    rng = np.random.default_rng(seed)
    images, masks = [], []
    rows, columns = np.mgrid[:SIDE, :SIDE]
    for _ in range(POOL + VALIDATION):
        image, mask = rng.normal(0, 0.4, (SIDE, SIDE)), np.zeros((SIDE, SIDE), dtype=bool)
        for sign in (1, 1, -1):
            r, c = rng.uniform(0, SIDE, 2)
            blob = (rows - r) ** 2 + (columns - c) ** 2 <= rng.uniform(1.5, 3) ** 2
            image += sign * blob * rng.uniform(0.8, 1.6)
            mask = mask | blob if sign > 0 else mask & ~blob
        images.append(image[None])
        masks.append(mask.reshape(-1).astype(float))
    return split("dice", (np.stack(images), np.stack(masks)), rng, VALIDATION, outputs=SIDE * SIDE)


WORKLOADS = {"shapes": _shapes, "textures": _textures, "segmentation": _segmentation}

"""Data that need no download: glyphs of ten classes, two spirals, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SIDE = 12  # pixels of a glyph's side
CLASSES = 10


@dataclass(frozen=True, slots=True)
class Data:
    """Inputs and labels of training and validation."""

    inputs: Tensor
    labels: Tensor
    held_inputs: Tensor
    held_labels: Tensor

    def changed(self, change: object, held: object = None) -> Data:
        """The same labels with other inputs: `change` maps a tensor of inputs; `held` those of validation, if others."""
        one, other = change, held or change
        if not callable(one) or not callable(other):
            raise TypeError("change wants a function of inputs")
        return Data(one(self.inputs), self.labels, other(self.held_inputs), self.held_labels)


def glyphs(train: int = 400, held: int = 400, *, noise: float = 0.5, seed: int = 0, wrong: float = 0.0) -> Data:
    """Images of shape (n, 1, 12, 12), about zero mean and unit deviation; `wrong` is the share of shuffled labels.

    Each class is a smooth random pattern; each image is its pattern, shifted by up to a pixel, under noise.
    """
    source = torch.Generator().manual_seed(seed)
    coarse = torch.randn(CLASSES, 1, 5, 5, generator=source)
    patterns = functional.interpolate(coarse, SIDE + 2, mode="bicubic", align_corners=True)
    labels = torch.randint(CLASSES, (train + held,), generator=source)
    shift = torch.randint(3, (train + held, 2), generator=source)
    images = torch.stack(
        [patterns[k, :, a : a + SIDE, b : b + SIDE] for k, (a, b) in zip(labels, shift.tolist(), strict=True)]
    )
    images += noise * torch.randn(images.shape, generator=source)
    if wrong:
        bad = torch.rand(train, generator=source) < wrong
        labels[:train][bad] = torch.randint(CLASSES, (int(bad.sum()),), generator=source)
    return Data(images[:train], labels[:train], images[train:], labels[train:])


def spirals(train: int = 300, held: int = 300, *, noise: float = 0.03, seed: int = 0) -> Data:
    """Three arms in the plane, shape (n, 2), within the unit circle."""
    source = torch.Generator().manual_seed(seed)
    n = train + held
    way = torch.rand(n, generator=source).sqrt()
    labels = torch.randint(3, (n,), generator=source)
    angle = 5 * way + 2 * torch.pi / 3 * labels
    points = torch.stack([way * angle.cos(), way * angle.sin()], 1)
    points += noise * torch.randn(points.shape, generator=source)
    return Data(points[:train], labels[:train], points[train:], labels[train:])


def flat(data: Data) -> Data:
    """Images as vectors."""
    return data.changed(lambda x: x.flatten(1))

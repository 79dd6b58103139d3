"""Pictures to generate and to encode, and the networks that do it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import torch
from torch import nn

from nndoctor.lab.data import glyphs

Rows = list[dict[str, float]]
Pictures = Callable[[], tuple[torch.Tensor, torch.Tensor]]
HELD = 397  # pictures at the end that are held out: those of scikit-learn's 1,797 digits after the first 1,400
CONTRAST = 2.0  # factor before pixels are squashed to the range from 0 to 1: most are then near one of its ends


@cache
def small_glyphs() -> tuple[torch.Tensor, torch.Tensor]:
    """1,200 pictures of 144 pixels from 0 to 1, and their labels."""
    data = glyphs(1200, 1, noise=0.2)
    return torch.sigmoid(CONTRAST * data.inputs.flatten(1)), data.labels


def net(*sizes: int, slope: float = 0.2) -> nn.Sequential:
    """Linear layers with leaky ReLUs between."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.LeakyReLU(slope)]
    return nn.Sequential(*layers[:-1])

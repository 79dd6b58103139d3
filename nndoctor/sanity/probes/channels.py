"""Images whose colours were interleaved: a view or reshape from (height, width, 3) to (3, height, width) tears pixels apart."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench

COLOURS = 3
SMALLEST = 12  # pixels in a row
ALIKE, APART = 0.4, 0.2  # correlation of values three places apart, and by which it exceeds that of neighbours


def probe(bench: Bench) -> None:
    """Note images in which a value resembles the one three places on more than its neighbour."""
    for images in tensors(bench.batch):
        if (
            images.ndim != 4
            or images.shape[1] != COLOURS
            or images.shape[3] < SMALLEST
            or not images.is_floating_point()
        ):
            continue
        near, far = (_correlation(images.detach().double(), distance) for distance in (1, COLOURS))
        if far > ALIKE and far - near > APART:
            bench.fact("channels_interleaved", (near, far))
            return


def _correlation(images: Tensor, distance: int) -> float:
    """Of the values of each row, so many places apart, over all images; without what an image and a colour have in common."""
    centred = images - images.mean((2, 3), keepdim=True)
    left, right = centred[..., :-distance], centred[..., distance:]
    size = left.square().sum().sqrt() * right.square().sum().sqrt()
    return float((left * right).sum() / size) if bool(torch.isfinite(size)) and float(size) > 0 else 0.0

"""Images whose colours were interleaved: a view or reshape from (height, width, 3) to (3, height, width) tears pixels apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench

COLOURS = 3
SMALLEST = 12  # pixels in a row
ALIKE, APART = 0.4, 0.2  # correlation of values three places apart, and by which it exceeds that of neighbours
WITHIN = (
    0.05  # by which neighbours within groups of three are more alike than those across, and than colours of a pixel
)
SURE = 6.0  # standard errors
FEWEST = 4  # images


def probe(bench: Bench) -> None:
    """Note images in which a value resembles the one three places on more than its neighbour, or values of a group of three each other."""
    given = tensors(bench.batch)
    single = [t for t in given if t.ndim == 3 and t.shape == given[0].shape]  # those of a detector come one by one
    for images in [*given, *([torch.stack(single)] if single else [])]:
        if (
            images.ndim != 4
            or images.shape[1] != COLOURS
            or images.shape[3] < SMALLEST
            or not images.is_floating_point()
        ):
            continue
        values = images.detach().double()
        near, far = (_correlation(values, distance) for distance in (1, COLOURS))
        if far > ALIKE and far - near > APART:
            bench.fact("channels_interleaved", (near, far))
            return
        groups = _groups(values)
        if groups is not None:
            bench.fact("channels_in_groups", groups)
            return


def _correlation(images: Tensor, distance: int) -> float:
    """Of the values of each row, so many places apart, over all images; without what an image and a colour have in common."""
    centred = images - images.mean((2, 3), keepdim=True)
    left, right = centred[..., :-distance], centred[..., distance:]
    size = left.square().sum().sqrt() * right.square().sum().sqrt()
    return float((left * right).sum() / size) if bool(torch.isfinite(size)) and float(size) > 0 else 0.0


def _groups(images: Tensor) -> tuple[float, float] | None:
    """How alike neighbours are within groups of three and across their borders, where groups look like the pixels.

    In images that are in order neither neighbour knows of groups, and the colours of a pixel are at least as alike.
    """
    values = (images - images.mean((1, 2, 3), keepdim=True)).flatten(1)
    values = values / values.square().mean(1, keepdim=True).sqrt().clamp_min(1e-12)
    products = values[:, :-1] * values[:, 1:]
    first, second, border = (products[:, k::COLOURS].mean(1) for k in range(COLOURS))
    within = torch.minimum(first, second)
    red, green, blue = values.reshape(len(values), COLOURS, -1).unbind(1)
    colours = torch.maximum((red * green).mean(1), (green * blue).mean(1))
    excess = within - torch.maximum(border, colours)
    if len(excess) < FEWEST or not bool(torch.isfinite(excess).all()):
        return None
    mean, error = float(excess.mean()), float(excess.std()) / math.sqrt(len(excess))
    return (float(within.mean()), float(border.mean())) if mean > WITHIN and mean > SURE * error else None

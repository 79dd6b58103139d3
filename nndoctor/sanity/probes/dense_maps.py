"""Masks against the images that they belong to: whether they fit when they are turned or transposed, and not as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import all_inputs
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.turns import TRANSPOSITIONS, TURNS

EXAMPLES, FEWEST = 64, 12
SMALLEST = 8  # pixels at a side
CLASSES = 64  # in all masks
AGREE = 0.75  # of the examples
TIMES, LEAST = 2.0, 0.1  # by which a turned mask explains more of the pixels, and how much of them


def probe(bench: Bench) -> None:
    """Compare how much of the pixels' variance each mask explains, as it is and turned."""
    target = bench.target(bench.sample)
    images = (
        [t for t in all_inputs(bench.sample) if t.ndim == 4 and t.is_floating_point()]
        if bench.sample is not None
        else []
    )
    masks = None if target is None or len(images) != 1 else _masks(target, images[0])
    if masks is None:
        return
    pixels = images[0][:EXAMPLES].detach().double().cpu()
    own = _explained(pixels, masks)
    found = {
        turn.state: _explained(pixels, turned)
        for turn in (*TRANSPOSITIONS, *TURNS)
        if (turned := turn.act(masks)).shape == masks.shape and not torch.equal(turned, masks)
    }
    if not found:
        return
    best = max(found, key=lambda name: float(found[name].mean()))
    told, least = float(found[best].mean()), float(own.mean())
    if told > max(LEAST, TIMES * least) and float((found[best] > own).double().mean()) > AGREE:
        bench.fact("masks_turned", best)
        bench.fact("masks_explain", (told, least))


def _masks(target: Tensor, images: Tensor) -> Tensor | None:
    """The classes of each pixel of the first examples; None where the target is none, or of another size."""
    masks = target[:, 0] if target.ndim == 4 and target.shape[1] == 1 else target
    if masks.ndim != 3 or len(masks) < FEWEST or masks.shape != (len(images), *images.shape[2:]):
        return None
    masks = masks[:EXAMPLES].detach().cpu()
    classes, places = torch.unique(masks, return_inverse=True)
    return places if 1 < len(classes) <= CLASSES and min(masks.shape[1:]) >= SMALLEST else None


def _explained(pixels: Tensor, masks: Tensor) -> Tensor:
    """The share of the variance of each image's pixels that lies between the classes of its mask."""
    values = (pixels - pixels.mean((2, 3), keepdim=True)).flatten(2)  # examples, channels, places
    members = torch.nn.functional.one_hot(masks.flatten(1)).to(values)  # examples, places, classes
    counts = members.sum(1).clamp_min(1.0)
    means = values @ members / counts[:, None]
    between = (means.square() * counts[:, None]).sum((1, 2))
    return between / values.square().sum((1, 2)).clamp_min(1e-12)

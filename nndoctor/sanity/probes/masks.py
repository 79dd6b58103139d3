"""Outputs for masks: whether training turns them away from the targets, as an overlap does that is minimized."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import outputs_and_loss
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.probes.alignment import moved
from nndoctor.sanity.state import seed

DENSE = 3  # dimensions of masks, at least
FEWEST = 500  # values
TURNED = 0.15  # correlation


def probe(bench: Bench) -> None:
    """Take steps that lower a loss of the user's own, then steps that raise it, and compare the outputs with binary masks."""
    if _correlation(bench) is None or bench.subject.observed(bench.batch)[0].calls:
        return
    down = _after(bench, uphill=False)
    up = _after(bench, uphill=True) if down is not None and down < -TURNED else None
    if down is not None and up is not None and up > TURNED:
        bench.fact("masks_opposed", (down, up))


def _after(bench: Bench, *, uphill: bool) -> float | None:
    """The correlation after some steps; None where they diverge."""
    return _correlation(bench) if moved(bench, uphill=uphill) else None


@torch.no_grad()
def _correlation(bench: Bench) -> float | None:
    """Of the outputs with the masks of a batch; None where there are none of one form."""
    batch = bench.batch
    target = bench.target(batch)
    if target is None or not _is_mask(target):
        return None
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        seed(11)
        calls, _ = outputs_and_loss(bench.subject, batch)
    if len(calls) != 1 or len(calls[0]) != 1 or calls[0][0].numel() != target.numel():
        return None
    both = torch.stack([calls[0][0].detach().double().flatten(), target.double().flatten()])
    found = float(torch.corrcoef(both)[0, 1])
    return found if math.isfinite(found) else None


def _is_mask(target: Tensor) -> bool:
    """Whether it holds zeros and ones, many an example."""
    values = torch.unique(target)
    return target.ndim >= DENSE and target.numel() >= FEWEST and values.tolist() == [0, 1]

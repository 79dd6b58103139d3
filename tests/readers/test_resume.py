"""A log to which a resumed run was appended with its epochs counted anew."""

from __future__ import annotations

import math

from nndoctor.readers import read
from nndoctor.readers.io.source import Source


def log(losses: list[float], epochs: list[int]) -> bytes:
    """A Keras log of these losses."""
    rows = [f"{e},{loss:.4f},{loss + 0.05:.4f}" for e, loss in zip(epochs, losses, strict=True)]
    return ("epoch,loss,val_loss\n" + "\n".join(rows) + "\n").encode()


def test_a_loss_that_carries_on_is_one_resumed_run():
    """Epochs start at 0 again while the loss goes on from where it was: one run, its steps counted on."""
    losses = [2.3 * math.exp(-k / 6) + 0.1 for k in range(20)]
    (run,) = read(Source("-", log(losses, [*range(10), *range(10)])))
    assert run.series["train/loss"].steps.tolist() == list(range(20))
    assert run.fact("resumed_at") == (10.0,)


def test_a_loss_that_starts_again_is_another_run():
    """Epochs and loss start again: a second run was appended."""
    losses = [2.3 * math.exp(-k / 6) + 0.1 for k in range(10)]
    runs = read(Source("-", log(losses * 2, [*range(10), *range(10)])))
    assert [len(run.series["train/loss"]) for run in runs] == [10, 10]

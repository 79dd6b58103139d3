"""A run to write in every shape that people and tools print: its curves, and one line an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import nndoctor

N = 12
TRAIN = [round(2.3 * 0.75**k + 0.1, 4) for k in range(N)]
HELD = [round(loss + 0.05 + 0.01 * k, 4) for k, loss in enumerate(TRAIN)]
SHARE = [round(1 - loss / 2.6, 4) for loss in TRAIN]
HELD_SHARE = [round(1 - loss / 2.6, 4) for loss in HELD]
ALL = {"train/loss": TRAIN, "validation/loss": HELD, "train/accuracy": SHARE, "validation/accuracy": HELD_SHARE}
LOSSES = {"train/loss": TRAIN, "validation/loss": HELD}


def each(line: str, head: str = "", tail: str = "") -> str:
    """The text with this line for each epoch: `k` counts from 0, `n` from 1, `a b x y` are losses and shares."""
    rows = (
        line.format(k=k, n=k + 1, a=TRAIN[k], b=HELD[k], x=SHARE[k], y=HELD_SHARE[k], p=100 * SHARE[k], q=100 * HELD_SHARE[k])
        for k in range(N)
    )  # fmt: skip
    return head + "".join(rows) + tail


def reads_as(log: Path, text: str, printed: Mapping[str, Sequence[float]]) -> None:
    """Written as this file the text is read as one run, in which the series named hold these values in this order."""
    log.write_text(text, encoding="utf-8", newline="")
    (run,) = nndoctor.read(str(log))
    for name, values in printed.items():
        assert name in run.series, sorted(run.series)
        assert run.series[name].values.tolist() == pytest.approx(values, abs=6e-4), name

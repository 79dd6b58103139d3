"""How the prognosis of a run developed: its probability for each change when the log was shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nndoctor.core.prognosis import Expectation
from nndoctor.core.run import Run
from nndoctor.prognosis.expect import estimates

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the run at which the prognosis is worked out."""


@dataclass(frozen=True, slots=True)
class Development:
    """The probability that a change helps, at each of `steps`; None where there was no prognosis yet."""

    title: str
    steps: tuple[float, ...]
    helps: tuple[float | None, ...]


def development(run: Run, now: Sequence[Expectation]) -> tuple[Development, ...]:
    """How the probabilities of some changes came to what they are `now`, in the same order."""
    if not now:
        return ()
    x = run.series["train/loss"].x
    steps = tuple(float(x[max(round(share * len(x)) - 1, 0)]) for share in SHARES)
    before = [{e.change: e.helps for e in estimates(run.until(step))} for step in steps[:-1]]
    return tuple(
        Development(entry.title, steps, (*(then.get(entry.change) for then in before), entry.helps)) for entry in now
    )

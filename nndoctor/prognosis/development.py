"""How the prognosis of a run developed: its probability for each change when the log was shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nndoctor.core.prognosis import Expectation
from nndoctor.core.run import Run, once
from nndoctor.prognosis.expect import estimates

SHARES = (0.25, 0.5, 0.75)  # shares of the run at which the prognosis is worked out, before its end


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
    before = _earlier(run)
    steps = (*before, float(run.series["train/loss"].x[-1]))
    return tuple(
        Development(e.title, steps, (*(helps.get(e.change) for helps in before.values()), e.helps)) for e in now
    )


@once
def _earlier(run: Run) -> dict[float, dict[str, float]]:
    """The probabilities of the changes at earlier steps; kept, as a live view draws the same log again and again."""
    x = run.series["train/loss"].x
    steps = [float(x[max(round(share * len(x)) - 1, 0)]) for share in SHARES]
    return {step: {e.change: e.helps for e in estimates(run.until(step))} for step in steps}

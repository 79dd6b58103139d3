"""The prognosis of a run as its report shows it."""

from __future__ import annotations

from dataclasses import replace

from nndoctor.analysis.chance import chance_loss
from nndoctor.core.prognosis import Expectation, most_promising
from nndoctor.core.run import Run, once
from nndoctor.prognosis.changes import CHANGES, Change
from nndoctor.prognosis.explain import reasons_for, retrained, similar
from nndoctor.prognosis.outlook import Outlook, outlook

EXPLAINED = 3  # changes whose reasons are worked out: the most promising ones
MAX_REACHED = 0.95  # share of a loss above zero that no change takes away
IDLE_RATE = 1.05  # times: a rate whose peak is no further above its end is constant


@once
def estimates(run: Run) -> tuple[Expectation, ...]:
    """What each change would gain, without reasons; empty where no comparable runs are known."""
    seen = outlook(run)
    return () if isinstance(seen, str) else tuple(_expectation(run, seen, c) for c in CHANGES if applies(run, c))


@once
def explained_estimates(run: Run) -> tuple[Expectation, ...]:
    """The same with reasons for the most promising changes, which take longer to find than the estimates."""
    bare, seen = estimates(run), outlook(run)
    named = {entry.change for entry in most_promising(bare)[:EXPLAINED]}
    return tuple(
        _explained(run, seen, entry) if entry.change in named and isinstance(seen, Outlook) else entry for entry in bare
    )


def applies(run: Run, change: Change) -> bool:
    """Whether a change means anything for a run: a constant rate none where it is constant, a split only where it is logged."""
    if change.name == "constant-schedule":
        lr = run.series.get("lr")
        return lr is None or len(lr.y) < 2 or lr.high > IDLE_RATE * max(lr.last, 0.0)
    if change.name == "stop-early":
        return "validation/loss" in run.series
    return True


def _expectation(run: Run, seen: Outlook, change: Change) -> Expectation:
    gain = seen.gain(change.name)
    split = change.split if f"{change.split}/loss" in run.series else "train"
    current = run.series[f"{split}/loss"].last
    return Expectation(
        change=change.name,
        loss=f"{split}/loss",
        helps=seen.helps(change.name),
        gain=round(gain.mean, 2),
        gain_low=round(gain.low, 2),
        gain_high=round(gain.high, 2),
        compared=retrained(seen.model),
        best=seen.best(change.name),
        current=current,
        unit=_unit(run, current, gain.high),
    )


def _unit(run: Run, current: float, high: float) -> float | None:
    """The loss that a gain of 1 corresponds to, where the loss of guessing is known: a cross-entropy cannot fall below zero."""
    chance = chance_loss(run)
    if chance is None or current <= 0:
        return None
    return min(chance, MAX_REACHED * current / max(high, 1e-3))


def _explained(run: Run, seen: Outlook, entry: Expectation) -> Expectation:
    reasons = reasons_for(run, seen, f"helps:{entry.change}")
    others = similar(seen, entry.change)
    return replace(entry, because=(*reasons, *((others,) if others is not None else ())))

"""What a comparison says in sentences."""

from __future__ import annotations

import math

from nndoctor.compare.comparison import Comparison, Measure, Outcome
from nndoctor.compare.remedy_outcomes import Change
from nndoctor.core.formatting import number, step
from nndoctor.core.run import FactValue

STYLES = {Outcome.BETTER: "good", Outcome.WORSE: "error", Outcome.ALIKE: "info", Outcome.UNKNOWN: "info"}


def sentence(found: Comparison, side: int) -> str:
    """`B is better than A: validation loss 0.31 against 0.42 at step 99; by chance they differ by up to 0.02.`"""
    label, first = found.sides[side].label, found.sides[0].label
    measure = found.measure(found.judged)
    if measure is None:
        return f"{label} and {first} cannot be compared: no loss or metric of 3 points stands in both."
    outcome = measure.outcome(0, side)
    said = f"{_values(measure, side)} at step {step(measure.at)}"
    chance = _chance(measure, side)
    if outcome is Outcome.UNKNOWN:
        return f"{label} and {first} cannot be told apart: {said}."
    if outcome is Outcome.ALIKE:
        return f"{label} and {first} do not differ by more than chance: {said}, {chance}.{_then(found, side)}"
    return f"{label} is {outcome} than {first}: {said}, {chance}.{_then(found, side)}"


def _then(found: Comparison, side: int) -> str:
    """What equal time says where it says something else."""
    measure, steps = found.measure(found.judged, seconds=True), found.outcome(side)
    if measure is None or measure.outcome(0, side) in (steps, Outcome.UNKNOWN):
        return ""
    words = {Outcome.BETTER: "is better", Outcome.WORSE: "is worse", Outcome.ALIKE: "does not differ"}
    timed = measure.outcome(0, side)
    return f" At equal time it {words[timed]}: {_values(measure, side)} after {seconds(measure.at)}."


def _values(measure: Measure, side: int) -> str:
    a, b = measure.levels[0].last, measure.levels[side].last
    return f"{spoken(measure.name)} {value(b)} against {value(a)}"


def _chance(measure: Measure, side: int) -> str:
    repeats = any(level.spread is not None for level in (measure.levels[0], measure.levels[side]))
    limit = number(measure.limit(0, side))
    return f"repeats differ by up to {limit}" if repeats else f"two seeds of one training may differ by up to {limit}"


def became(found: Comparison, change: Change) -> str:
    """What became of a finding: `gone, and validation loss is better: it worked`."""
    if change.fate == "unknown":
        return "was not examined"
    if change.fate == "new":
        return "is new"
    tried = f" (tried: {', '.join(change.tried)})" if change.tried else ""
    what = spoken(change.series or "")
    measure = found.measure(change.series)
    if measure is None or change.outcome is Outcome.UNKNOWN:
        return f"{'is gone' if change.fate == 'gone' else 'is still there'}{tried}"
    said = f"{what} {value(measure.levels[0].last)} -> {value(measure.levels[change.side].last)}"
    if change.fate == "still":
        words = {Outcome.BETTER: "though better", Outcome.WORSE: "and worse", Outcome.ALIKE: "no better"}
        return f"is still there, {said}, {words[change.outcome]}{tried}"
    words = {
        Outcome.BETTER: f"is gone, and {said} is better: it worked",
        Outcome.WORSE: f"is gone, but {said} is worse: it cost more than it gave",
        Outcome.ALIKE: f"is gone, but {said} is no more than chance",
    }
    return f"{words[change.outcome]}{tried}"


def worked(change: Change) -> bool:
    """Whether the finding is gone and the metric that its remedies promise has improved."""
    return change.fate == "gone" and change.outcome is Outcome.BETTER


def spoken(name: str) -> str:
    """`validation/loss` as `validation loss`."""
    return name.replace("/", " ").replace("_", " ")


def value(level: float) -> str:
    """A level, or that it is none."""
    return number(level) if math.isfinite(level) else "not finite"


def seconds(count: float) -> str:
    """`12.5 s`, `8.3 min`, `2.1 h`."""
    if count < 120:
        return f"{count:.3g} s"
    return f"{count / 60:.3g} min" if count < 7200 else f"{count / 3600:.3g} h"


def setting(found: FactValue | None) -> str:
    """A setting's value, `-` where the log does not say it."""
    if found is None:
        return "-"
    if isinstance(found, (bool, str)):
        return str(found)
    return ", ".join(map(str, found)) if isinstance(found, tuple) else number(float(found))

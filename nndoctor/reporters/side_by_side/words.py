"""The sentences of a comparison."""

from __future__ import annotations

import math

from nndoctor.compare.comparison import Comparison, ComparisonVerdict, Measure
from nndoctor.compare.remedy_outcomes import FindingChange
from nndoctor.core.formatting import number
from nndoctor.core.formatting import place as axis_place
from nndoctor.core.metrics import series_in_words
from nndoctor.core.run import FactValue

STYLES = {
    ComparisonVerdict.BETTER: "good",
    ComparisonVerdict.WORSE: "error",
    ComparisonVerdict.ALIKE: "info",
    ComparisonVerdict.UNKNOWN: "info",
}


def sentence(found: Comparison, side: int) -> str:
    """`B is better than A: validation loss 0.31 vs. 0.42 near step 99 (seed-to-seed variation: about ±0.02).`"""
    label, first = found.sides[side].label, found.sides[0].label
    measure = found.measure(found.judged)
    if measure is None:
        return f"{label} and {first} cannot be compared: they share no loss or metric with at least 3 points."
    outcome = found.outcome(side)
    values = f"{_values(measure, side)} {place(found, measure)}"
    chance = _chance(measure, side)
    broken = found.sides[side].broken_loss
    if broken is not None and outcome is ComparisonVerdict.WORSE and found.judged != broken:
        return f"{label} is worse than {first}: its {series_in_words(broken)} ends in a value that is not finite ({values})."
    if outcome is ComparisonVerdict.UNKNOWN:
        return f"{label} and {first} cannot be compared: {values}."
    if outcome is ComparisonVerdict.ALIKE:
        return f"The difference between {label} and {first} is within noise: {values}{chance}.{_then(found, side)}"
    return f"{label} is {outcome} than {first}: {values}{chance}.{_then(found, side)}"


def place(found: Comparison, measure: Measure) -> str:
    """Where the levels are compared: `near epoch 40`, since each is the median of the last tenth."""
    return f"after {seconds(measure.at)}" if measure.seconds else f"near {axis_place(found.axis, measure.at)}"


def _then(found: Comparison, side: int) -> str:
    """The result at equal time, where it differs from that at equal steps."""
    measure, steps = found.measure(found.judged, seconds=True), found.outcome(side)
    if measure is None or measure.outcome(0, side) in (steps, ComparisonVerdict.UNKNOWN):
        return ""
    words = {
        ComparisonVerdict.BETTER: "is better",
        ComparisonVerdict.WORSE: "is worse",
        ComparisonVerdict.ALIKE: "is within noise",
    }
    timed = measure.outcome(0, side)
    return f" At equal time it {words[timed]}: {_values(measure, side)} after {seconds(measure.at)}."


def _values(measure: Measure, side: int) -> str:
    a, b = measure.levels[0].last, measure.levels[side].last
    return f"{series_in_words(measure.name)} {value(b)} vs. {value(a)}"


def _chance(measure: Measure, side: int) -> str:
    """How far chance may go, in parentheses; nothing where a side ends in no number."""
    if not math.isfinite(measure.limit(0, side)):
        return ""
    repeats = any(level.spread is not None for level in (measure.levels[0], measure.levels[side]))
    limit = number(measure.limit(0, side))
    return f" (repeats vary by up to {limit})" if repeats else f" (seed-to-seed variation: about ±{limit})"


def finding_change(found: Comparison, change: FindingChange) -> str:
    """What became of a finding: `no longer occurs; validation loss 0.42 → 0.31: the remedy worked`."""
    if change.status == "unknown":
        return "could not be checked"
    if change.status == "new":
        return "is new"
    tried = f" (tried: {', '.join(change.tried)})" if change.tried else ""
    what = series_in_words(change.series or "")
    measure = found.measure(change.series)
    if measure is None or change.outcome is ComparisonVerdict.UNKNOWN:
        return f"{'no longer occurs' if change.status == 'gone' else 'still occurs'}{tried}"
    values = f"{what} {value(measure.levels[0].last)} → {value(measure.levels[change.side].last)}"
    if change.status == "still":
        words = {
            ComparisonVerdict.BETTER: "better",
            ComparisonVerdict.WORSE: "worse",
            ComparisonVerdict.ALIKE: "within noise",
        }
        return f"still occurs: {values} ({words[change.outcome]}){tried}"
    words = {
        ComparisonVerdict.BETTER: f"no longer occurs, and {values} is better: the remedy worked",
        ComparisonVerdict.WORSE: f"no longer occurs, but {values} is worse: the remedy did more harm than good",
        ComparisonVerdict.ALIKE: f"no longer occurs, but {values} is within noise",
    }
    return f"{words[change.outcome]}{tried}"


def worked(change: FindingChange) -> bool:
    """Whether the finding is gone and the metric that its remedies promise has improved."""
    return change.status == "gone" and change.outcome is ComparisonVerdict.BETTER


def value(level: float) -> str:
    """A level, or that it is not a number."""
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

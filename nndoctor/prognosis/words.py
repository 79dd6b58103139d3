"""What each aspect of a run says, in the log's own numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndoctor.analysis.measurements.view import View
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.series import Series

LOSS_NAMES = {"train": "training loss", "validation": "validation loss"}


def _levels(loss: Series) -> str:
    return f"goes from {number(loss.initial)} to {number(loss.final)}"


def _bend(loss: Series) -> str:
    half = float(loss.y[len(loss.y) // 2])
    return f"goes from {number(loss.initial)} to {number(half)} in the first half and to {number(loss.final)} in the second"


def _trend(loss: Series) -> str:
    return f"goes from about {number(loss.level(0.7, 0.8))} to about {number(loss.last)} in the last quarter"


def _start(loss: Series) -> str:
    second = float(loss.y[min(1, len(loss.y) - 1)])
    return f"starts at {number(float(loss.y[0]))}, and the next value is {number(second)}"


def _best(loss: Series) -> str:
    at = float(loss.x[int(np.argmin(loss.y))])
    return f"has its lowest value, {number(loss.low)}, at {step(at)} and ends at {number(float(loss.y[-1]))}"


def _noise(loss: Series) -> str:
    return f"varies by about {number(float(f'{loss.noise:.2g}'))} from one value to the next and ends at {number(loss.final)}"


def _rises(loss: Series) -> str:
    share = float(np.mean(np.diff(loss.y) > 0)) if len(loss.y) > 1 else 0.0
    return f"rises in {percent(share)} of its steps"


def _spikes(loss: Series) -> str:
    at = int(np.argmax(np.diff(loss.y))) if len(loss.y) > 1 else 0
    before, after = float(loss.y[at]), float(loss.y[min(at + 1, len(loss.y) - 1)])
    if after <= before:
        return "never rises from one value to the next"
    return f"rises from {number(before)} to {number(after)} at most from one value to the next"


OF_CURVES: dict[str, Callable[[Series], str]] = {
    "level": _levels,
    "bend": _bend,
    "trend": _trend,
    "start": _start,
    "best": _best,
    "noise": _noise,
    "rises": _rises,
    "spikes": _spikes,
}


def _gap(view: View) -> str | None:
    if view.pair is None:
        return None
    train, validation = view.pair
    return f"validation loss ends at {number(validation.series.final)}, training loss at {number(train.series.final)}"


def _together(view: View) -> str | None:
    if view.pair is None:
        return None
    train, validation = (number(float(f"{c.series.noise:.2g}")) for c in view.pair)
    return f"from one value to the next training loss varies by about {train}, validation loss by {validation}"


def _rate(view: View) -> str | None:
    return None if view.lr is None else f"the learning rate is {number(float(view.lr.max()))}"


def _schedule(view: View) -> str | None:
    if view.lr is None:
        return None
    peak, end = float(view.lr.max()), float(view.lr[-1])
    if end >= peak:
        return f"the learning rate is {number(peak)} to the end"
    return f"the learning rate falls from {number(peak)} to {number(end)}"


def _gradient(view: View) -> str | None:
    norm = view.grad_norm
    return (
        None if norm is None else f"the gradient norm goes from {number(float(norm[0]))} to {number(float(norm[-1]))}"
    )


def _error(view: View) -> str | None:
    for split, spoken in (("train", "training"), ("validation", "validation")):
        error = view.error(split)
        if error is not None:
            return f"{spoken} error ends at {percent(error.last)}"
    return None


def _chance(view: View) -> str | None:
    if view.chance is None or view.train is None:
        return None
    return f"training loss ends at {number(view.train.series.final)}; random guessing gives {number(view.chance)}"


def _log(view: View) -> str | None:
    return None if view.train is None else f"the log holds {view.train.n} values of the training loss"


OF_RUNS: dict[str, Callable[[View], str | None]] = {
    "gap": _gap,
    "together": _together,
    "rate": _rate,
    "schedule": _schedule,
    "gradient": _gradient,
    "error": _error,
    "chance": _chance,
    "log": _log,
}


def describe(view: View, theme: str) -> str | None:
    """What a theme of measurements says of a run; None where the log does not hold it."""
    split, _, aspect = theme.partition(" ")
    if not aspect:
        return OF_RUNS[theme](view)
    curve = view.train if split == "train" else view.validation
    return None if curve is None else f"{LOSS_NAMES[split]} {OF_CURVES[aspect](curve.series)}"

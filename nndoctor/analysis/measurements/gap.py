"""Measurements of validation loss against training loss."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.measurements.curve import EXACT, FLOOR, MIDDLE, MIN_POINTS
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.analysis.measurements.view import View, resampled

NAN = float("nan")
NONE = "the log lacks one of the two losses"
RANGES = "loss ranges"
MIN_COMMON = 6  # common points that show a correlation of two curves
MAX_GAP = 20  # loss ranges that a gap is limited to


def gap_at(view: View, place: float) -> float:
    """Validation loss less training loss at a share of the run."""
    if view.pair is None:
        return NAN
    train, validation = view.pair
    return validation.level(place) - train.level(place)


def relative_gap(view: View) -> float:
    """The gap at the end as a share of the validation loss."""
    if view.pair is None:
        return NAN
    _, validation = view.pair
    last = validation.level(1.0) * view.scale + view.best
    return gap_at(view, 1.0) * view.scale / last if last > 0 else NAN


def gap_growth(view: View) -> float:
    """How much the gap grew in the second half."""
    return gap_at(view, 1.0) - gap_at(view, MIDDLE)


def gap_of_excess(view: View) -> float:
    """The gap at the end as a share of how far validation is above the best training level."""
    if view.pair is None:
        return NAN
    validation = view.pair[1].level(1.0)
    return gap_at(view, 1.0) / validation if abs(validation) > EXACT else NAN


def start_ratio(view: View) -> float:
    """The first validation level over the first training level, where both are above zero."""
    if view.pair is None:
        return NAN
    first, other = (c.level(0.0) * view.scale + view.best for c in view.pair)
    return math.log10(other) - math.log10(first) if first > 0 and other > 0 else NAN


def noise_ratio(view: View) -> float:
    """Validation's noise over training's."""
    if view.pair is None or min(c.n for c in view.pair) < MIN_POINTS:
        return NAN
    train, validation = view.pair
    return math.log10(validation.noise + FLOOR) - math.log10(train.noise + FLOOR)


def slopes_apart(view: View) -> float:
    """Validation's slope less training's over the second half: above zero where only training falls."""
    if view.pair is None:
        return NAN
    train, validation = view.pair
    return validation.slope(MIDDLE) - train.slope(MIDDLE)


def together(view: View) -> float:
    """The correlation of the jitter of both losses: near 1 where the weights, not the batches, move them."""
    if view.pair is None or min(len(c.raw) for c in view.pair) < MIN_COMMON:
        return NAN
    train, validation = view.pair
    n = min(len(train.raw), len(validation.raw))
    a, b = (np.diff(c.raw if len(c.raw) == n else resampled(c.raw, n), 2) for c in (train, validation))
    power = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / power if power > EXACT**2 else 0.0


def _gap(place: float) -> Measurement[View]:
    return Measurement(f"gap_{round(100 * place)}", RANGES, -MAX_GAP, MAX_GAP, NONE, "gap", lambda v: gap_at(v, place))


GAP: tuple[Measurement[View], ...] = (
    _gap(0.05),
    _gap(0.2),
    _gap(0.5),
    _gap(0.85),
    _gap(1.0),
    Measurement(
        "relative_gap", "share of the validation loss", -5, 1, f"{NONE}, or it is not above zero", "gap", relative_gap
    ),
    Measurement("gap_growth", RANGES, -MAX_GAP, MAX_GAP, NONE, "gap", gap_growth),
    Measurement("gap_of_excess", "share", -5, 5, NONE, "gap", gap_of_excess),
    Measurement("start_ratio", "log10 of a ratio", -3, 3, NONE, "gap", start_ratio),
    Measurement("noise_ratio", "log10 of a ratio", -6, 6, NONE, "together", noise_ratio),
    Measurement("slopes_apart", f"{RANGES} a half", -10, 10, NONE, "gap", slopes_apart),
    Measurement("together", "correlation", -1, 1, "fewer than six values of both losses", "together", together),
)

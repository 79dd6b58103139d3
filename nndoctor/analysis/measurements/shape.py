"""Measurements of one loss curve: its levels, its fall, and how it bends."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.measurements.curve import EXACT, LATE, MIDDLE, MIN_HALF, MIN_POINTS, Curve
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.analysis.measurements.weights import PLACES

NAN = float("nan")
RANGES = "loss ranges"
LEVELS = 8  # a level's noise is that of the mean of an eighth of the values
START, MOVED = 0.05, 0.05  # share of the run that is its start, and loss ranges by which a level has left it
MAX_LEVEL = 20  # loss ranges above the best that a level is limited to
HAS_CURVE = "the log has no such loss"


def _level_at(place: float) -> Measurement[Curve]:
    name = f"level_{round(100 * place)}"
    return Measurement(name, f"{RANGES} above the best", -1, MAX_LEVEL, HAS_CURVE, "level", lambda c: c.level(place))


def fall_share(curve: Curve, place: float) -> float:
    """The share of the whole fall that comes before a share of the run."""
    fall = curve.level(0.0) - curve.level(1.0)
    return (curve.level(0.0) - curve.level(place)) / fall if abs(fall) > EXACT else NAN


def bend(curve: Curve) -> float:
    """The fall of the second half over that of the first: 1 for a straight line, 0 for a curve that has settled."""
    first = curve.level(0.0) - curve.level(MIDDLE)
    return (curve.level(MIDDLE) - curve.level(1.0)) / first if abs(first) > EXACT else NAN


def late_bend(curve: Curve) -> float:
    """The fall of the last quarter over that of the quarter before it."""
    before = curve.level(MIDDLE) - curve.level(LATE)
    return (curve.level(LATE) - curve.level(1.0)) / before if abs(before) > EXACT else NAN


def late_fall_in_noises(curve: Curve) -> float:
    """The fall of the last half over the standard error of a level, from the curve's noise."""
    error = curve.noise / math.sqrt(max(curve.n / LEVELS, 1.0)) + EXACT
    return -curve.slope(MIDDLE) / error


def exponent(curve: Curve) -> float:
    """The exponent of the power law that the second half of the raw loss follows."""
    y = curve.even * curve.scale + curve.best
    half = len(y) // 2
    if len(y) < MIN_HALF or float(y[half:].min()) <= 0:
        return NAN
    log_time = np.log((np.arange(half, len(y)) + 1.0) / len(y))
    log_time = log_time - log_time.mean()
    return float(-(log_time @ np.log(y[half:])) / (log_time @ log_time))


def relative_late_fall(curve: Curve) -> float:
    """The fall of the last quarter as a share of the loss itself."""
    last = curve.level(1.0) * curve.scale + curve.best
    return -curve.slope(LATE) * curve.scale / last if last > 0 else NAN


def ahead(curve: Curve) -> float:
    """What the curve's own course would gain in four times the steps."""
    forecast = curve.series.forecast
    if forecast is None:
        return 0.0 if curve.n >= MIN_POINTS else NAN
    return (curve.series.last - forecast.at_four_times) / curve.scale


def floor_ahead(curve: Curve) -> float:
    """How far the end is above the floor that the curve approaches."""
    forecast = curve.series.forecast
    if forecast is None:
        return 0.0 if curve.n >= MIN_POINTS else NAN
    return (curve.series.last - forecast.floor) / curve.scale


def end_of_start(curve: Curve) -> float:
    """The last level as a share of the first, of a loss that is above zero."""
    first, last = (curve.level(p) * curve.scale + curve.best for p in (0.0, 1.0))
    return last / first if first > 0 and last > 0 else NAN


def relative_range(curve: Curve) -> float:
    """The loss range as a share of the first level."""
    first = abs(curve.level(0.0) * curve.scale + curve.best)
    return math.log10(curve.scale) - math.log10(first) if first > 0 else NAN


def hump(curve: Curve) -> float:
    """The highest level after the first fifth above the first level."""
    return float(curve.even[len(curve.even) // 5 :].max() - curve.even[0])


def longest_still(curve: Curve) -> float:
    """The share of the run up to which the level stays within 5 % of a loss range of its start."""
    moved = np.abs(curve.even - curve.level(START)) > MOVED
    return float(np.argmax(moved)) / len(moved) if moved.any() else 1.0


def first_step(curve: Curve) -> float:
    """The fall from the first value to the second."""
    return -float(curve.steps[0]) if len(curve.steps) else NAN


def first_step_of_fall(curve: Curve) -> float:
    """The fall from the first value to the second as a share of the whole fall."""
    fall = float(curve.raw[0]) - curve.level(1.0)
    return -float(curve.steps[0]) / fall if len(curve.steps) and abs(fall) > EXACT else NAN


def best_at(curve: Curve) -> float:
    """The share of the run at which the smooth curve is lowest."""
    return float(np.argmin(curve.even)) / max(len(curve.even) - 1, 1)


def risen(curve: Curve) -> float:
    """How far the end is above the curve's own best level."""
    return curve.level(1.0) - float(curve.even.min())


SHORT = "fewer than two values"
SHAPE: tuple[Measurement[Curve], ...] = (
    *(_level_at(place) for place in PLACES),
    Measurement(
        "fallen_by_10", "share of the fall", -3, 3, "the level does not change", "bend", lambda c: fall_share(c, 0.1)
    ),
    Measurement(
        "fallen_by_35", "share of the fall", -3, 3, "the level does not change", "bend", lambda c: fall_share(c, 0.35)
    ),
    Measurement(
        "fallen_by_65", "share of the fall", -3, 3, "the level does not change", "bend", lambda c: fall_share(c, 0.65)
    ),
    Measurement("bend", "ratio of falls", -5, 20, "the first half does not change", "bend", bend),
    Measurement("late_bend", "ratio of falls", -5, 20, "the third quarter does not change", "bend", late_bend),
    Measurement("slope_all", f"{RANGES} a run", -20, 20, SHORT, "trend", lambda c: c.slope(0.0)),
    Measurement("slope_half", f"{RANGES} a half", -10, 10, SHORT, "trend", lambda c: c.slope(0.5)),
    Measurement("slope_late", f"{RANGES} a quarter", -5, 5, SHORT, "trend", lambda c: c.slope(0.75)),
    Measurement("slope_end", f"{RANGES} a tenth", -5, 5, SHORT, "trend", lambda c: c.slope(0.9)),
    Measurement("late_fall_in_noises", "standard errors", -100, 1000, SHORT, "trend", late_fall_in_noises),
    Measurement(
        "late_exponent",
        "exponent of a power law",
        -5,
        5,
        "fewer than four values, or none above zero",
        "trend",
        exponent,
    ),
    Measurement(
        "relative_late_fall", "share of the loss", -2, 2, "the loss is not above zero", "trend", relative_late_fall
    ),
    Measurement("ahead", RANGES, -1, 5, "fewer than five values", "trend", ahead),
    Measurement("floor_ahead", RANGES, -1, 10, "fewer than five values", "trend", floor_ahead),
    Measurement("end_of_start", "share of the first level", 0, 10, "the loss is not above zero", "level", end_of_start),
    Measurement("relative_range", "log10 of a share", -6, 3, "the loss starts at zero", "level", relative_range),
    Measurement("hump", RANGES, -20, 1000, HAS_CURVE, "spikes", hump),
    Measurement("longest_still", "share of the run", 0, 1, HAS_CURVE, "start", longest_still),
    Measurement("first_step", RANGES, -100, 1000, SHORT, "start", first_step),
    Measurement(
        "first_step_of_fall", "share of the fall", -5, 5, "the level does not change", "start", first_step_of_fall
    ),
    Measurement("best_at", "share of the run", 0, 1, HAS_CURVE, "best", best_at),
    Measurement("risen", RANGES, 0, 1000, HAS_CURVE, "best", risen),
)

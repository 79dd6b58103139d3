"""Measurements of one loss curve: how much it jitters, how often it rises, and its spikes."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.measurements.curve import EXACT, FLOOR, MIDDLE, MIN_HALF, MIN_POINTS, Curve
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.core.statistics import Array, median, noise_level

NAN = float("nan")
LOG = "log10 of loss ranges"
FEW = "fewer than five values"
ORDER, THIRD_VARIANCE = 3, 20  # differences, in which independent noise leaves 1 + 9 + 9 + 1 times its variance
MIN_STEPS = 3  # steps of which the largest may stand out


def _log(value: float) -> float:
    return math.log10(value + EXACT)


def noise(curve: Curve) -> float:
    """One value's standard deviation about the trend, robust to spikes."""
    return _log(curve.noise) if curve.n >= MIN_POINTS else NAN


def late_noise(curve: Curve) -> float:
    """The same in the second half."""
    return _log(curve.late_noise) if len(curve.late) >= MIN_HALF else NAN


def relative_noise(curve: Curve) -> float:
    """The second half's noise as a share of the loss itself."""
    last = curve.level(1.0) * curve.scale + curve.best
    return _log(curve.late_noise * curve.scale / last) if last > 0 and len(curve.late) >= MIN_HALF else NAN


def level_noise(curve: Curve) -> float:
    """The noise that averaging over neighbouring steps does not remove: of at most 60 medians, in the second half."""
    y = curve.even[len(curve.even) // 2 :]
    return _log(noise_level(y)) if len(y) >= MIN_HALF else NAN


def shaking(curve: Curve) -> float:
    """What the steps shake the curve by, from third differences, in which a smooth curve leaves nothing."""
    return _log(_third(curve.raw)) if len(curve.raw) >= MIN_POINTS else NAN


def late_shaking(curve: Curve) -> float:
    """The same in the second half."""
    return _log(_third(curve.late)) if len(curve.late) >= MIN_POINTS else NAN


def _third(y: Array) -> float:
    return float(np.sqrt(np.mean(np.diff(y, ORDER) ** 2) / THIRD_VARIANCE))


def noise_growth(curve: Curve) -> float:
    """The second half's noise over the first half's."""
    first = curve.raw[: len(curve.raw) // 2]
    if min(len(first), len(curve.late)) < MIN_HALF:
        return NAN
    return math.log10(curve.late_noise + FLOOR) - math.log10(noise_level(first) + FLOOR)


def noise_of_fall(curve: Curve) -> float:
    """The second half's noise over its fall."""
    fall = abs(curve.slope(MIDDLE))
    return math.log10(curve.late_noise + FLOOR) - math.log10(fall + FLOOR) if len(curve.late) >= MIN_HALF else NAN


def rises(curve: Curve) -> float:
    """The share of the values that are above the one before."""
    return np.count_nonzero(curve.steps > 0) / len(curve.steps) if len(curve.steps) else NAN


def late_rises(curve: Curve) -> float:
    """The same in the second half."""
    return np.count_nonzero(curve.late_steps > 0) / len(curve.late_steps) if len(curve.late_steps) else NAN


def memory(curve: Curve) -> float:
    """The correlation of each change with the next in the second half: -0.5 for independent noise, 1 for a smooth curve."""
    steps = curve.late_steps
    if len(steps) < MIN_HALF:
        return NAN
    steps = steps - steps.mean()
    power = float(steps @ steps)
    return float(steps[1:] @ steps[:-1]) / power if power > EXACT**2 else 0.0


def median_step(curve: Curve) -> float:
    """The usual change from one value to the next."""
    return _log(median(np.abs(curve.steps))) if len(curve.steps) else NAN


def above_best(curve: Curve) -> float:
    """How far the second half is above the best so far, on average."""
    return float(np.mean(curve.above[len(curve.above) // 2 :]))


def usually_above_best(curve: Curve) -> float:
    """How far the usual value of the second half is above the best so far."""
    return median(curve.above[len(curve.above) // 2 :])


def largest_rise(curve: Curve) -> float:
    """The largest rise from one value to the next."""
    return float(curve.steps.max()) if len(curve.steps) else NAN


def largest_late_rise(curve: Curve) -> float:
    """The same in the second half."""
    return float(curve.late_steps.max()) if len(curve.late_steps) else NAN


def lone_rise(curve: Curve) -> float:
    """The second largest rise over the largest: near 0 where one rise stands out."""
    if len(curve.steps) < MIN_STEPS:
        return NAN
    second, first = np.partition(curve.steps, len(curve.steps) - 2)[-2:].tolist()
    return second / first if first > EXACT else 1.0


def peak(curve: Curve) -> float:
    """The highest value above the first."""
    return float(curve.raw.max() - curve.raw[0])


def peak_at(curve: Curve) -> float:
    """The share of the run at which the highest value lies."""
    return float(np.argmax(curve.raw)) / max(len(curve.raw) - 1, 1)


def left_of_peak(curve: Curve) -> float:
    """What is left at the end of the highest value's height above the best."""
    height = float(curve.raw.max() - curve.raw.min())
    return (curve.level(1.0) - float(curve.raw.min())) / height if height > EXACT else NAN


def repeats(curve: Curve) -> float:
    """The share of the values that repeat the one before exactly."""
    return np.count_nonzero(np.abs(curve.steps) <= EXACT) / len(curve.steps) if len(curve.steps) else NAN


NONE = "the log has no such loss"
SHORT = "fewer than two values"
NOISE: tuple[Measurement[Curve], ...] = (
    Measurement("noise", LOG, -9, 6, FEW, "noise", noise),
    Measurement("late_noise", LOG, -9, 6, FEW, "noise", late_noise),
    Measurement(
        "relative_noise", "log10 of a share of the loss", -9, 3, f"{FEW}, or a loss below zero", "noise", relative_noise
    ),
    Measurement("level_noise", LOG, -9, 6, FEW, "noise", level_noise),
    Measurement("shaking", LOG, -9, 6, FEW, "noise", shaking),
    Measurement("late_shaking", LOG, -9, 6, "fewer than ten values", "noise", late_shaking),
    Measurement("noise_growth", "log10 of a ratio", -6, 6, "fewer than eight values", "noise", noise_growth),
    Measurement("noise_of_fall", "log10 of a ratio", -6, 6, FEW, "noise", noise_of_fall),
    Measurement("rises", "share of the values", 0, 1, SHORT, "rises", rises),
    Measurement("late_rises", "share of the values", 0, 1, SHORT, "rises", late_rises),
    Measurement("memory", "correlation", -1, 1, "fewer than eight values", "rises", memory),
    Measurement("median_step", LOG, -9, 6, SHORT, "noise", median_step),
    Measurement("above_best", "loss ranges", 0, 1e6, NONE, "rises", above_best),
    Measurement("usually_above_best", "loss ranges", 0, 1e6, NONE, "rises", usually_above_best),
    Measurement("largest_rise", "loss ranges", -10, 1e6, SHORT, "spikes", largest_rise),
    Measurement("largest_late_rise", "loss ranges", -10, 1e6, SHORT, "spikes", largest_late_rise),
    Measurement("lone_rise", "ratio of rises", -1, 1, "fewer than four values", "spikes", lone_rise),
    Measurement("peak", "loss ranges", 0, 1e6, NONE, "spikes", peak),
    Measurement("peak_at", "share of the run", 0, 1, NONE, "spikes", peak_at),
    Measurement("left_of_peak", "share of the height", 0, 1, "the loss never changes", "spikes", left_of_peak),
    Measurement("repeats", "share of the values", 0, 1, SHORT, "rises", repeats),
)

"""Measurements of the learning rate, of the gradient norm, and of what is known of the optimizer."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.measurements.curve import EXACT
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.analysis.measurements.view import View, resampled
from nndoctor.core.statistics import TINY, Array, median, noise_level

NAN = float("nan")
NO_RATE = "the log has no learning rate"
NO_NORM = "the log has no gradient norm, or fewer than four values"
NEAR_PEAK = 0.99  # share of its peak at which the rate has reached it
PARTS = 10  # parts of the run, of which the first and the last are compared
ADAPTIVE = ("adam", "rmsprop", "lion", "lamb", "adafactor", "nadam", "radam", "adamax")


USUAL_RATES = (1e-4, 0.1)  # from Adam on a large network to SGD on a small one


def _peak(lr: Array) -> float:
    return float(lr.max())


def lr_unusual(view: View) -> float:
    """The decades by which the highest learning rate is outside the usual range, above or (negative) below it.

    Within the range a rate says nothing by itself: what is too low for a small network is too high for a large one.
    """
    if view.lr is None:
        return NAN
    peak = _peak(view.lr)
    return math.log10(peak) - math.log10(min(max(peak, USUAL_RATES[0]), USUAL_RATES[1]))


def lr_share(view: View, start: float, stop: float) -> float:
    """The median rate between two shares of the run, as a share of its peak."""
    if view.lr is None:
        return NAN
    n = len(view.lr)
    low = min(int(start * n), n - 1)
    return median(view.lr[low : max(round(stop * n), low + 1)]) / _peak(view.lr)


def below(view: View, share: float) -> float:
    """The share of the run, at its end, in which the rate stays below a share of its peak."""
    if view.lr is None:
        return NAN
    large = np.flatnonzero(view.lr > share * _peak(view.lr))
    return 1 - (int(large[-1]) + 1) / len(view.lr)


def lr_peak_at(view: View) -> float:
    """The share of the run at which the rate first reaches its peak."""
    if view.lr is None:
        return NAN
    return float(np.argmax(view.lr > NEAR_PEAK * _peak(view.lr))) / max(len(view.lr) - 1, 1)


def lr_mean(view: View) -> float:
    """The mean rate over the run, as a share of its peak."""
    return NAN if view.lr is None else float(view.lr.mean()) / _peak(view.lr)


def sharpest_cut(view: View) -> float:
    """The smallest ratio of the rate to the one before: 1 for a constant rate."""
    if view.lr is None or len(view.lr) < 2:
        return NAN
    return math.log10(float(np.min(np.maximum(view.lr[1:], TINY) / np.maximum(view.lr[:-1], TINY))))


def fall_while_large(view: View) -> float:
    """The share of the training loss's fall that came while the rate was above half its peak."""
    if view.lr is None or view.train is None:
        return NAN
    even = view.train.even
    rate = resampled(view.lr, len(even))
    last = int(np.flatnonzero(rate >= 0.5 * rate.max())[-1])
    fall = float(even[0]) - view.train.level(1.0)
    return (float(even[0]) - float(even[last])) / fall if abs(fall) > EXACT else NAN


def slope_while_large(view: View) -> float:
    """The training loss's fall over the last third of the time that the rate was above half its peak."""
    if view.lr is None or view.train is None:
        return NAN
    even = view.train.even
    rate = resampled(view.lr, len(even))
    last = int(np.flatnonzero(rate >= 0.5 * rate.max())[-1])
    return float(even[int(0.67 * last)]) - float(even[last])


def norm_trend(view: View) -> float:
    """The gradient norm at the end over that at the start."""
    if view.grad_norm is None:
        return NAN
    part = max(len(view.grad_norm) // PARTS, 1)
    start, end = (median(part_of) for part_of in (view.grad_norm[:part], view.grad_norm[-part:]))
    return math.log10(end) - math.log10(start)


def norm_spread(view: View) -> float:
    """The noise of the gradient norm's logarithm."""
    return NAN if view.grad_norm is None else noise_level(np.log10(view.grad_norm))


def norm_peak(view: View) -> float:
    """The highest gradient norm over the median."""
    if view.grad_norm is None:
        return NAN
    return math.log10(float(view.grad_norm.max())) - math.log10(median(view.grad_norm))


def adaptive(view: View) -> float:
    """Whether the optimizer scales each weight's step by its gradients, as Adam does."""
    return NAN if not view.optimizer else float(any(name in view.optimizer for name in ADAPTIVE))


def adagrad(view: View) -> float:
    """Whether the optimizer is Adagrad, whose steps only shrink."""
    return NAN if not view.optimizer else float("adagrad" in view.optimizer)


NO_NAME = "the log does not name the optimizer"
OF_PEAK = "share of the peak"
SCHEDULE: tuple[Measurement[View], ...] = (
    Measurement("lr_unusual", "decades", -8, 7, NO_RATE, "rate", lr_unusual),
    Measurement("lr_start", OF_PEAK, 0, 1, NO_RATE, "schedule", lambda v: lr_share(v, 0.0, 0.05)),
    Measurement("lr_half", OF_PEAK, 0, 1, NO_RATE, "schedule", lambda v: lr_share(v, 0.45, 0.55)),
    Measurement("lr_end", OF_PEAK, 0, 1, NO_RATE, "schedule", lambda v: lr_share(v, 0.95, 1.0)),
    Measurement("lr_below_half", "share of the run", 0, 1, NO_RATE, "schedule", lambda v: below(v, 0.5)),
    Measurement("lr_below_tenth", "share of the run", 0, 1, NO_RATE, "schedule", lambda v: below(v, 0.1)),
    Measurement("lr_peak_at", "share of the run", 0, 1, NO_RATE, "schedule", lr_peak_at),
    Measurement("lr_mean", OF_PEAK, 0, 1, NO_RATE, "schedule", lr_mean),
    Measurement("lr_sharpest_cut", "log10 of a ratio", -12, 0, NO_RATE, "schedule", sharpest_cut),
    Measurement("fall_while_lr_large", "share of the fall", -5, 5, NO_RATE, "schedule", fall_while_large),
    Measurement("slope_while_lr_large", "loss ranges", -10, 10, NO_RATE, "schedule", slope_while_large),
    Measurement("grad_norm_trend", "log10 of a ratio", -12, 12, NO_NORM, "gradient", norm_trend),
    Measurement("grad_norm_spread", "log10 of a ratio", 0, 6, NO_NORM, "gradient", norm_spread),
    Measurement("grad_norm_peak", "log10 of a ratio", 0, 12, NO_NORM, "gradient", norm_peak),
    Measurement("optimizer_adaptive", "yes 1, no 0", 0, 1, NO_NAME, "rate", adaptive),
    Measurement("optimizer_adagrad", "yes 1, no 0", 0, 1, NO_NAME, "rate", adagrad),
)

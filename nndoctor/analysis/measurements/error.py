"""Measurements of the error rates, of the loss against random guessing, and of the log itself."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.measurements.curve import MIN_POINTS, Curve
from nndoctor.analysis.measurements.measurement import Measurement
from nndoctor.analysis.measurements.view import View

NAN = float("nan")
NO_ERROR = "the log has no such error rate"
LN_10 = math.log(10)
LAST_THIRD, END = 0.7, 0.9  # shares of the run after which an error is the latest, and the last
NO_CHANCE = "the loss of guessing is not known"


def _level(view: View, split: str, start: float, stop: float) -> float:
    error = view.error(split)
    return NAN if error is None else error.level(start, stop)


def best_error(view: View, split: str) -> float:
    """The lowest level of a split's error."""
    error = view.error(split)
    return NAN if error is None else error.best


def lost_error(view: View, split: str) -> float:
    """How far a split's error ends above its best level."""
    return _level(view, split, LAST_THIRD, 1.0) - best_error(view, split)


def error_noise(view: View, split: str) -> float:
    """The noise of a split's error."""
    error = view.error(split)
    return NAN if error is None or len(error.y) < MIN_POINTS else error.noise


def error_gap(view: View) -> float:
    """Validation error less training error at the end."""
    return _level(view, "validation", END, 1.0) - _level(view, "train", END, 1.0)


def of_guessing(view: View, split: str) -> float:
    """A split's error at the end as a share of that of guessing."""
    guessed = view.guessed_error
    return NAN if guessed is None else _level(view, split, END, 1.0) / guessed


def knows(view: View, split: str) -> float:
    """The log of the accuracy over exp(-loss): 0 where every example gets the same answer."""
    curve = view.train if split == "train" else view.validation
    error = view.error(split)
    if curve is None or error is None or view.chance is None or error.last >= 1:
        return NAN
    return math.log10(1 - error.last) + curve.series.last / LN_10


def of_chance(view: View, curve: Curve | None, place: float) -> float:
    """A loss at a share of the run as a share of that of guessing."""
    if curve is None or view.chance is None:
        return NAN
    return (curve.level(place) * view.scale + view.best) / view.chance


def points(curve: Curve | None) -> float:
    """The number of values of a loss."""
    return NAN if curve is None else math.log10(curve.n)


def points_ratio(view: View) -> float:
    """The number of validation values to that of training values."""
    return NAN if view.pair is None else math.log10(view.pair[1].n / view.pair[0].n)


def class_count(view: View) -> float:
    """The number of classes."""
    return NAN if view.guessed_error is None else math.log10(1 / (1 - view.guessed_error))


def finite(view: View, name: str) -> float:
    """The share of the values of a series that are numbers."""
    series = view.run.series.get(name)
    return NAN if series is None or not len(series.values) else float(np.mean(np.isfinite(series.values)))


NONE = "the log has no such loss"
SHARE = "share of the examples"
ERROR: tuple[Measurement[View], ...] = (
    Measurement("train_error_start", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "train", 0.0, 0.02)),
    Measurement("train_error_quarter", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "train", 0.2, 0.3)),
    Measurement("train_error_half", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "train", 0.45, 0.55)),
    Measurement("train_error_end", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "train", 0.9, 1.0)),
    Measurement("train_error_best", SHARE, 0, 1, NO_ERROR, "error", lambda v: best_error(v, "train")),
    Measurement("train_error_lost", SHARE, 0, 1, NO_ERROR, "error", lambda v: lost_error(v, "train")),
    Measurement("train_error_noise", SHARE, 0, 1, "fewer than five values", "error", lambda v: error_noise(v, "train")),
    Measurement(
        "train_error_of_guessing", "share of guessing", 0, 2, NO_ERROR, "error", lambda v: of_guessing(v, "train")
    ),
    Measurement("train_knows", "log10 of a ratio", -3, 6, NO_ERROR, "chance", lambda v: knows(v, "train")),
    Measurement("validation_error_half", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "validation", 0.45, 0.55)),
    Measurement("validation_error_end", SHARE, 0, 1, NO_ERROR, "error", lambda v: _level(v, "validation", 0.9, 1.0)),
    Measurement("validation_error_best", SHARE, 0, 1, NO_ERROR, "error", lambda v: best_error(v, "validation")),
    Measurement(
        "validation_error_noise", SHARE, 0, 1, "fewer than five values", "error", lambda v: error_noise(v, "validation")
    ),
    Measurement(
        "validation_error_of_guessing",
        "share of guessing",
        0,
        2,
        NO_ERROR,
        "error",
        lambda v: of_guessing(v, "validation"),
    ),
    Measurement("validation_knows", "log10 of a ratio", -3, 6, NO_ERROR, "chance", lambda v: knows(v, "validation")),
    Measurement("error_gap", SHARE, -1, 1, NO_ERROR, "gap", error_gap),
    Measurement(
        "train_start_of_chance", "share of guessing", -2, 20, NO_CHANCE, "chance", lambda v: of_chance(v, v.train, 0.0)
    ),
    Measurement(
        "train_half_of_chance", "share of guessing", -2, 20, NO_CHANCE, "chance", lambda v: of_chance(v, v.train, 0.5)
    ),
    Measurement(
        "train_end_of_chance", "share of guessing", -2, 20, NO_CHANCE, "chance", lambda v: of_chance(v, v.train, 1.0)
    ),
    Measurement(
        "validation_end_of_chance",
        "share of guessing",
        -2,
        20,
        NO_CHANCE,
        "chance",
        lambda v: of_chance(v, v.validation, 1.0),
    ),
    Measurement("train_points", "log10", 0, 8, NONE, "log", lambda v: points(v.train)),
    Measurement("validation_points", "log10", 0, 8, NONE, "log", lambda v: points(v.validation)),
    Measurement("points_ratio", "log10 of a ratio", -6, 3, NONE, "log", points_ratio),
    Measurement("class_count", "log10", 0, 6, "the number of classes is not known", "log", class_count),
    Measurement("train_finite", "share of the values", 0, 1, NONE, "log", lambda v: finite(v, "train/loss")),
)

"""Labels of what validation shows: variance, overtraining, and validations that mislead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.zoo.curve_facts import roughness
from benchmarks.zoo.curves import Array, Curves
from benchmarks.zoo.evidence import Evidence, final
from benchmarks.zoo.logs import Logged
from benchmarks.zoo.strength import Strength, graded

REGULARIZATION = ("weight_decay", "weight_decay_strong", "dropout")
CURES = ("data_x4", *REGULARIZATION)


def _smooth(values: Array) -> Array:
    n = max(1, len(values) // 12)
    return np.asarray(np.convolve(values, np.ones(n) / n, "valid")) if n > 1 else values


def _stops(curves: Curves) -> tuple[float, float]:
    """The best smoothed validation loss, and its place as a share of the run."""
    smooth = _smooth(curves.validation)
    if not np.isfinite(smooth).any():
        return float("inf"), 1.0
    best = int(np.nanargmin(smooth))
    return float(smooth[best]), (best + (len(curves.validation) - len(smooth)) / 2 + 1) / len(curves.validation)


def early_stopping_gain(evidence: Evidence) -> float:
    """What stopping at the best validation loss gains, in units of DV; by half it must hold for the other seeds."""
    base = [c for (name, _), c in evidence.trained.items() if name == "base"]
    gains = [evidence.validation.capped(final(c.validation)) - _stops(c)[0] for c in base]
    gain = gains[0] if np.mean(gains) >= gains[0] / 2 else 0.0
    return float(max(gain, 0.0)) / evidence.validation.span


def _best_cure(evidence: Evidence, part: str) -> float:
    """The most that a cure gains of one kind; 0 where none was tried."""
    return max((getattr(evidence.gains[name], part) for name in CURES if name in evidence.gains), default=0.0)


def high_variance(evidence: Evidence, _logged: Logged) -> Strength:
    """Validation is far worse than training, and data or regularization cures it; no log without validation shows it."""
    if evidence.experiment.validation_set == "train":
        return Strength.NONE
    m, distance = evidence.base.measured, evidence.validation.span
    val, train = evidence.validation.capped(final(m.val_loss)), evidence.train.capped(final(m.train_loss))
    gap = val - train
    excess = val - min(evidence.train.best, evidence.validation.best)
    gain = max(evidence.validation_gain(*CURES), early_stopping_gain(evidence))
    relative, fewer_errors = _best_cure(evidence, "relative"), _best_cure(evidence, "error")
    error_gap = final(m.val_error) - final(m.train_error)
    by_loss = gap > max(0.15 * distance, 0.3 * excess) and gain > 0.15
    by_error = _has_classes(evidence) and error_gap > 0.08 and fewer_errors > 0.35
    helped = gain > 0.05 or relative > 0.25
    seen = evidence.experiment.log.validation
    return graded(strong=seen and (by_loss or by_error), weak=gap > (0.05 if helped else 0.25) * distance)


def _has_classes(evidence: Evidence) -> bool:
    return float(np.nanmax(evidence.base.measured.val_error)) > 0 and evidence.classes


def overtraining(evidence: Evidence, _logged: Logged) -> Strength:
    """Validation turns and rises while training goes on falling."""
    curves = evidence.base
    start, end = float(curves.measured.val_loss[0]), final(curves.validation)
    best, place = _stops(curves)
    if not np.isfinite(end):
        return Strength.NONE
    start = min(start, evidence.validation.constant + evidence.validation.span)
    covered, rise = max(start - best, 1e-9), end - best
    clear = rise > 2 * roughness(curves.validation) and place < 0.8 and _training_fell(curves, place)
    held = early_stopping_gain(evidence) > 0
    return graded(
        strong=clear and held and rise > 0.15 * covered and evidence.experiment.log.validation,
        weak=place < 0.95 and (rise > 0.05 * covered or (best > 0 and rise > 0.25 * best)),
    )


def _training_fell(curves: Curves, place: float) -> bool:
    at = min(int(place * len(curves.train)), len(curves.train) - 2)
    then = float(np.mean(curves.train[max(0, at - 1) : at + 2]))
    return final(curves.train) < then


def noisy_validation(evidence: Evidence, logged: Logged) -> Strength:
    """The logged validation loss is rougher than the full set's with the same weights."""
    if not evidence.experiment.log.validation:
        return Strength.NONE
    own = logged.val_loss[logged.validated] / evidence.experiment.log.scale**2
    at = np.isin(evidence.base.at, logged.end[logged.validated])
    rough, full = roughness(own), roughness(evidence.base.measured.val_loss[at])
    span = evidence.validation.span
    return graded(strong=rough > 3 * full and rough > 0.05 * span, weak=rough > 1.5 * full and rough > 0.05 * span)


def validation_better_than_train(evidence: Evidence, logged: Logged) -> Strength:
    """The logged training loss stands above the validation loss in the second half."""
    if not evidence.experiment.log.validation:
        return Strength.NONE
    rows = np.flatnonzero(logged.validated)
    rows = rows[len(rows) // 2 :]
    if not len(rows):
        return Strength.NONE
    with np.errstate(invalid="ignore"):
        gap = float(np.median((logged.loss - logged.val_loss)[rows])) / evidence.experiment.log.scale**2
    return graded(strong=gap > 0.10 * evidence.train.span, weak=gap > 0.0)


def validation_equals_train(evidence: Evidence, _logged: Logged) -> Strength:
    """The samples of the logged validation are training samples, and a true validation is worse."""
    if evidence.experiment.validation_set != "train":
        return Strength.NONE
    m = evidence.base.measured
    gap = final(m.val_loss) - final(m.train_loss)
    return graded(strong=gap > 0.05 * evidence.validation.span, weak=True)


JUDGES: dict[str, Callable[[Evidence, Logged], Strength]] = {
    "high-variance": high_variance,
    "overtraining": overtraining,
    "noisy-validation": noisy_validation,
    "validation-better-than-train": validation_better_than_train,
    "validation-equals-train": validation_equals_train,
}

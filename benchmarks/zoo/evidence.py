"""What the retrainings of one run say: the distances to cover, and what every change gains in units of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.zoo.curves import Array, Curves
from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.losses import constant_loss
from benchmarks.zoo.workloads import Data

Trained = dict[tuple[str, int], Curves]
WORST = 3.0  # distances above the best constant predictor: as bad as a final loss may count


def final(values: Array) -> float:
    """The mean of the last tenth of the evaluations, at least two."""
    return float(np.mean(values[-max(2, len(values) // 10) :]))


@dataclass(frozen=True, slots=True)
class Distances:
    """The loss of the best constant predictor and the best loss of any retraining, of one split."""

    constant: float
    best: float

    @property
    def span(self) -> float:
        """The distance to cover: DT or DV."""
        return max(self.constant - self.best, 1e-9)

    def capped(self, loss: float) -> float:
        """A final loss; one that is not finite, or far off, counts as the worst."""
        worst = self.constant + WORST * self.span
        return min(loss, worst) if np.isfinite(loss) else worst


@dataclass(frozen=True, slots=True)
class Gain:
    """What one change gains, in units of DT and of DV."""

    train: float
    validation: float
    relative: float  # of the validation loss itself
    error: float  # of the validation error, relative


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run's base curves, its distances, and the gain of every change."""

    experiment: Experiment
    base: Curves
    train: Distances
    validation: Distances
    gains: dict[str, Gain]
    trained: Trained
    classes: bool

    def gain(self, *names: str) -> float:
        """The largest training gain among the changes named."""
        return max((self.gains[n].train for n in names if n in self.gains), default=0.0)

    def validation_gain(self, *names: str) -> float:
        """The largest validation gain among the changes named."""
        return max((self.gains[n].validation for n in names if n in self.gains), default=0.0)


def weigh(experiment: Experiment, trained: Trained, data: Data) -> Evidence:
    """Distances and gains from the curves of all retrainings."""
    same = [c for (name, _), c in trained.items() if name != "clean_labels" or experiment.label_noise == 1]
    low = -np.inf if data.floor is None or experiment.label_noise > 0 else data.floor
    constants = constant_loss(data.kind, data.y), constant_loss(data.kind, data.y_validation)
    train = Distances(constants[0], _best([c.train for c in same], low, constants[0]))
    validation = Distances(constants[1], _best([c.validation for c in same], low, constants[1]))
    names = dict.fromkeys(name for name, _ in trained if name != "base")
    gains = {name: _gain(name, trained, train, validation) for name in names}
    return Evidence(experiment, trained["base", 0], train, validation, gains, trained, data.kind == "classes")


def _best(curves: Sequence[Array], floor: float, constant: float) -> float:
    with np.errstate(all="ignore"):
        lows = [float(np.nanmin(_smooth(c))) for c in curves if np.isfinite(_smooth(c)).any()]
    return max(min([*lows, constant]), floor)


def _smooth(values: Array) -> Array:
    """Means of three neighbours, so that one lucky evaluation is not the best there is."""
    return np.asarray(np.convolve(values, np.ones(3) / 3, "valid")) if len(values) >= 3 else values


def _gain(name: str, trained: Trained, train: Distances, validation: Distances) -> Gain:
    unchanged, changed = ([c for (n, _), c in trained.items() if n == one] for one in ("base", name))
    before, after = ([train.capped(final(c.train)) for c in side] for side in (unchanged, changed))
    val_before, val_after = ([validation.capped(final(c.validation)) for c in side] for side in (unchanged, changed))
    gained = _held(val_before, val_after, validation.span)
    return Gain(
        _held(before, after, train.span),
        gained,
        gained * validation.span / max(abs(val_before[0]), 1e-9),
        _fewer_errors(unchanged[:1], changed) if gained > 0 else 0.0,
    )


def _fewer_errors(unchanged: Sequence[Curves], changed: Sequence[Curves]) -> float:
    """The share of the errors that a change takes away."""
    before, after = (float(np.mean([final(c.measured.val_error) for c in side])) for side in (unchanged, changed))
    return 1 - after / before if before > 0 else 0.0


def _held(before: Sequence[float], after: Sequence[float], span: float) -> float:
    """The improvement on the logged run, if by half it holds against all seeds and stands out of their noise.

    Once their noise is enough where every seed alone, before and after, gains half of it.
    """
    gain, mean_gain = before[0] - np.mean(after), np.mean(before) - np.mean(after)
    noise = max(np.std(before, ddof=1), np.std(after, ddof=1)) / np.sqrt(2)
    each = min(b - a for b, a in zip(before, after, strict=False)) > gain / 2
    if gain > 0 and (mean_gain < gain / 2 or gain < (1 if each else 2) * noise):
        return 0.0
    return float(gain / span)

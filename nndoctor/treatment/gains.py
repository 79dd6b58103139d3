"""Whether a change helped: paired gains over seeds, in units of what there is to gain, with an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch

from nndoctor.experiment.data import Batch
from nndoctor.experiment.experiment import Experiment

MATERIAL = 0.1  # of the distance from the best constant prediction: smaller gains are real and worth nobody's time
MAX_GAIN = 1.0
T_95 = {
    1: 6.31,
    2: 2.92,
    3: 2.35,
    4: 2.13,
    5: 2.02,
    6: 1.94,
    7: 1.89,
}  # Student's t, one-sided 5 %, by degrees of freedom
Z_95 = 1.645
FITS = 200  # steps of the fit of the best constant prediction


class Verdict(StrEnum):
    """What the trials say of a change."""

    HELPS = "helps"
    NOISE = "within noise"
    HURTS = "hurts"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean paired gain over `seeds`, its 90 % interval, and the verdict."""

    seeds: int
    gain: float
    low: float
    high: float
    verdict: Verdict


def unit(constant: float, finals: Sequence[float]) -> float:
    """What there is to gain: from the loss of the best constant prediction to the best loss that any trial reached."""
    best = min((value for value in finals if math.isfinite(value)), default=constant)
    return max(constant - best, 1e-3 * max(abs(constant), 1e-12))


def gain(
    baseline: Mapping[int, float], changed: Mapping[int, float], constant: float, scale: float, noise: float
) -> Gain:
    """The gain of a change from the final losses by seed, those of a failed training counted as the constant's.

    `noise` is the standard deviation of such differences over all changes: few seeds alone would underestimate it.
    """
    seeds = sorted(baseline.keys() & changed.keys())
    gains = np.array([_bounded(baseline[s], constant, scale) - _bounded(changed[s], constant, scale) for s in seeds])
    if not len(gains) or not any(math.isfinite(changed[s]) for s in seeds):
        return Gain(len(seeds), -MAX_GAIN, -MAX_GAIN, -MAX_GAIN, Verdict.FAILED)
    mean = float(gains.mean())
    spread = max(float(gains.std(ddof=1)) if len(gains) > 1 else noise, 0.5 * noise)
    half = T_95.get(len(gains) - 1, Z_95) * spread / math.sqrt(len(gains))
    low, high = mean - half, mean + half
    return Gain(len(seeds), mean, low, high, _verdict(mean, low, high, len(seeds)))


def _verdict(mean: float, low: float, high: float, seeds: int) -> Verdict:
    """Helps takes a material gain beyond noise in two seeds or more: of many changes one is lucky with a single seed."""
    if mean >= MATERIAL and low > 0 and seeds > 1:
        return Verdict.HELPS
    return Verdict.HURTS if mean <= -MATERIAL and high < 0 else Verdict.NOISE


def _bounded(loss: float, constant: float, scale: float) -> float:
    """A final loss in units, from the best one up; what is worse than a constant prediction counts as one unit worse at most."""
    worst = constant + MAX_GAIN * scale
    return (min(loss, worst) if math.isfinite(loss) else worst) / scale


def pooled_noise(differences: Sequence[Sequence[float]]) -> float:
    """The standard deviation of paired gains within the changes, pooled; 0 where no change has two seeds."""
    squares = [float(np.var(one, ddof=1)) * (len(one) - 1) for one in differences if len(one) > 1]
    degrees = sum(len(one) - 1 for one in differences if len(one) > 1)
    return math.sqrt(sum(squares) / degrees) if degrees else 0.0


def constant_loss(experiment: Experiment) -> float | None:
    """The validation loss of the best constant prediction, fitted on training targets; None where no loss takes one.

    The prediction has the shape of one output of the model; it is fitted by Adam, so that any loss will do.
    """
    loss = experiment.loss
    held = experiment.validation_data if experiment.validation_data is not None else experiment.train_data
    train, validation = _targets(experiment.train_data), _targets(held)
    if loss is None or not train or not validation:
        return None
    experiment.model.eval()
    with torch.no_grad():
        output = experiment.model(*train[0][0])
    if not isinstance(output, torch.Tensor):
        return None
    guess = torch.zeros(output.shape[1:], requires_grad=True)
    optimizer = torch.optim.Adam([guess], lr=0.1)
    for step in range(FITS):
        _, target = train[step % len(train)]
        optimizer.zero_grad()
        value = loss(guess.expand(len(target), *guess.shape), target)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        values = [float(loss(guess.expand(len(t), *guess.shape), t)) * len(t) for _, t in validation]
    whole = sum(values) / sum(len(t) for _, t in validation)
    return whole if math.isfinite(whole) else None


def _targets(data: Sequence[Batch] | object) -> list[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
    """Inputs and target of the first batches that are tuples of tensors."""
    found = []
    for count, batch in enumerate(data):  # type: ignore[arg-type, var-annotated]  # Batches are iterable
        if count >= FITS or not isinstance(batch, (tuple, list)) or len(batch) < 2:
            break
        *inputs, target = batch
        if not isinstance(target, torch.Tensor) or not target.dim():
            break
        found.append((tuple(inputs), target))
    return found

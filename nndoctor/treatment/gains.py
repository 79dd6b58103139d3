"""Whether a change helped: gains over seeds, in units of what there is to gain, with an interval for another seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

MIN_GAIN = 0.1  # of the distance from the best constant prediction; smaller gains are not worth the effort
MIN_COSTLY_GAIN = 0.2  # the same for a change that takes several times the computation
MAX_WORSE = 1.0  # units: a final loss counts as no further than this beyond the constant prediction's
T_95 = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94, 1.89, 1.86, 1.83, 1.81)  # Student's t, one-sided 5 %, by degrees of freedom
Z_95 = 1.645
PRIOR = 4  # seeds that the noise of all changes together counts as: few seeds alone would underestimate it
LEAST_NOISE = 0.015  # standard deviation of a gain: finals of a few seeds may agree by chance
UNKNOWN_NOISE = 0.1  # before any change has a second seed
AGREE = 0.5  # share of the material size that must remain against the mean of all seeds, and at the interval's end


class GainVerdict(StrEnum):
    """What the trials say of a change."""

    HELPS = "helps"
    NOISE = "within noise"
    HURTS = "hurts"


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean gain over `seeds`, the 90 % interval for a training with another seed, and the verdict.

    `sure` is the lower 95 % bound of the mean.
    """

    seeds: int
    gain: float
    low: float
    high: float
    verdict: GainVerdict
    sure: float


def unit(constant: float, finals: Sequence[float]) -> float:
    """What there is to gain: from the loss of the best constant prediction to the best loss that any trial reached."""
    best = min((value for value in finals if math.isfinite(value)), default=constant)
    return max(constant - best, 1e-3 * max(abs(constant), 1e-12))


@dataclass(frozen=True, slots=True)
class Units:
    """What losses are measured in: `constant` is the loss of the best constant prediction, `scale` that of a gain of 1.

    `noise` is the standard deviation of a gain over all changes, None where no change has two seeds.
    """

    constant: float
    scale: float
    noise: float | None = None

    def of(self, loss: float) -> float:
        """A final loss; a failed training counts as the constant prediction, a finite loss as one unit worse at most."""
        most = self.constant + MAX_WORSE * self.scale
        return (min(loss, most) if math.isfinite(loss) else self.constant) / self.scale


def gain(baseline: Mapping[int, float], changed: Mapping[int, float], units: Units, material: float = MIN_GAIN) -> Gain:
    """The gain of a change from the final losses by seed."""
    seeds = sorted(baseline.keys() & changed.keys())
    if not seeds:
        return Gain(0, 0.0, 0.0, 0.0, GainVerdict.NOISE, 0.0)
    before = {seed: units.of(loss) for seed, loss in baseline.items()}
    after = np.array([units.of(changed[seed]) for seed in seeds])
    gains = np.array([before[seed] for seed in seeds]) - after
    mean, count = float(gains.mean()), len(gains)
    spread, degrees = _spread(gains, units.noise)
    t = T_95[degrees - 1] if degrees <= len(T_95) else Z_95
    half, error = t * spread * math.sqrt(1 + 1 / count), t * spread / math.sqrt(count)
    overall = float(np.mean(list(before.values()))) - float(after.mean())
    verdict = _verdict(gains, min(mean - error, overall), mean + error, material)
    return Gain(count, mean, mean - half, mean + half, verdict, mean - error)


def _verdict(gains: np.ndarray, least: float, most: float, material: float) -> GainVerdict:
    """The verdict on gains by seed whose mean is between `least` and `most`."""
    if len(gains) > 1:
        later = gains[1:].mean()  # the first seed chose the change, and so flatters it
        if gains.mean() >= material and min(least, later) >= AGREE * material:
            return GainVerdict.HELPS
    return GainVerdict.HURTS if gains.mean() <= -MIN_GAIN and most < 0 else GainVerdict.NOISE


def _spread(gains: np.ndarray, noise: float | None) -> tuple[float, int]:
    """The standard deviation of a change's gains, drawn towards that of all changes, and its degrees of freedom."""
    own = float(gains.var(ddof=1)) if len(gains) > 1 else 0.0
    degrees = len(gains) - 1
    general = UNKNOWN_NOISE if noise is None else noise
    pooled = (own * degrees + PRIOR * general**2) / (degrees + PRIOR)
    return max(math.sqrt(max(pooled, own if degrees > 1 else 0.0)), LEAST_NOISE), degrees + PRIOR


def pooled_noise(differences: Sequence[Sequence[float]]) -> float | None:
    """The usual standard deviation of paired gains within a change; None where no change has two seeds.

    A geometric mean of the variances, each weighted by its degrees of freedom: a change with which some seeds explode says
    nothing of the noise of the others.
    """
    found = [(max(float(np.var(one, ddof=1)), LEAST_NOISE**2), len(one) - 1) for one in differences if len(one) > 1]
    degrees = sum(count for _, count in found)
    if not degrees:
        return None
    return math.exp(sum(count * (math.log(value) - _bias(count)) for value, count in found) / degrees / 2)


def _bias(degrees: int) -> float:
    """The expected logarithm of a variance that is 1 and estimated with so many degrees of freedom: of χ²/k, to a twentieth."""
    return -1 / degrees - 1 / (3 * degrees**2)

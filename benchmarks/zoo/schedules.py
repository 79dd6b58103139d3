"""Learning-rate schedules: a factor for every step, as a function of the share of the budget that is used."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.zoo.experiment import Experiment

Curve = NDArray[np.float64]


def _warm(t: Curve, share: float, after: Curve) -> Curve:
    """A linear warm-up over the first `share` of the run, then `after`."""
    return np.asarray(np.where(t < share, (t + 1e-3) / share, after))


def _cosine(t: Curve) -> Curve:
    return np.asarray(0.5 * (1 + np.cos(np.pi * np.clip(t, 0, 1))))


SHAPES: dict[str, Callable[[Curve], Curve]] = {
    "constant": np.ones_like,
    "step": lambda t: np.asarray(np.where(t < 0.5, 1.0, np.where(t < 0.8, 0.1, 0.01))),
    "half_steps": lambda t: 0.5 ** np.floor(t * 6),
    "cosine": _cosine,
    "linear": lambda t: 1 - t,
    "inverse_sqrt": lambda t: 1 / np.sqrt(np.maximum(1, t * 20)),
    "exponential": lambda t: 0.03**t,
    "warmup": lambda t: _warm(t, 0.1, np.ones_like(t)),
    "warmup_cosine": lambda t: _warm(t, 0.15, _cosine((t - 0.15) / 0.85)),
    "warmup_linear": lambda t: _warm(t, 0.2, (1 - t) / 0.8),
    "warmup_inverse_sqrt": lambda t: _warm(t, 0.1, np.sqrt(0.1 / np.maximum(t, 0.1))),
    "one_cycle": lambda t: np.asarray(np.where(t < 0.3, 0.04 + 0.96 * _cosine(1 - t / 0.3), _cosine((t - 0.3) / 0.7))),
    "restarts": lambda t: 0.02 + 0.98 * _cosine((t * 3) % 1.0),
    "restarts_doubling": lambda t: (
        0.02 + 0.98 * _cosine(np.where(t < 1 / 7, t * 7, np.where(t < 3 / 7, (t - 1 / 7) * 3.5, (t - 3 / 7) * 1.75)))
    ),
    # faults
    "step_early": lambda t: np.asarray(np.where(t < 0.06, 1.0, 0.01)),
    "step_early_mild": lambda t: np.asarray(np.where(t < 0.1, 1.0, 0.03)),
    "exponential_fast": lambda t: np.exp(-40 * t),
    "cosine_short": lambda t: np.maximum(_cosine(t / 0.12), 1e-3),
    "warmup_unfinished": lambda t: 0.02 * (t + 1e-3),
    "warmup_unfinished_steep": lambda t: 0.005 * (t + 1e-3) ** 2,
    "zero": np.zeros_like,
}


def lr_curve(experiment: Experiment) -> Curve:
    """The learning rate of every step, faulty steps included."""
    t = np.arange(experiment.steps) / experiment.steps
    curve = np.asarray(experiment.lr * SHAPES[experiment.schedule](t))
    if experiment.spike_kind == "lr":
        curve[spike_steps(experiment)] *= experiment.spike_size
    return curve


def spike_steps(experiment: Experiment) -> list[int]:
    """The steps whose batch or rate is corrupt."""
    return [min(int(share * experiment.steps), experiment.steps - 1) for share in experiment.spikes]

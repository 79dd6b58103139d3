"""Finds the learning rate and the budget at which a net learns its task well, so that a healthy run is a tuned one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.zoo.curves import Array
from benchmarks.zoo.evidence import final
from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.losses import constant_loss
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.training import train

RATES = {"sgd": (-3.0, 0.75), "momentum": (-4.0, 0.0), "nesterov": (-4.0, 0.0), "adagrad": (-3.0, 0.25)}
OTHERWISE = (-4.0, -0.75)  # the logarithms of the lowest and the highest rate tried
TRIED = 11
AS_GOOD = 0.05  # of the distance covered: a final loss so close to the best one is as good
THERE = 0.025  # likewise: the loss has come down


def tuned(e: Experiment, most: int) -> tuple[float, int]:
    """The best rate on validation, and after how many evaluations' worth of steps, of `most` a turn, the loss is down."""
    low, high = RATES.get(e.optimizer, OTHERWISE)
    data = data_of(e)
    scale = constant_loss(data.kind, data.y)
    if data.kind in {"regression", "vae"} and e.optimizer not in {"adam", "adamw", "rmsprop", "adagrad"}:
        low, high = low - np.log10(max(scale, 1e-3)), high - np.log10(max(scale, 1e-3))
    elif data.kind == "regression":
        high += max(0.0, 0.5 * np.log10(max(scale, 1.0)))
    rates = 10 ** np.linspace(low, high, TRIED)
    trials = [replace(e, lr=float(r), steps=e.evaluations * most) for r in rates]
    curves = [_loss(c.measured.val_loss, scale) for c in train(trials)]
    ends = np.array([final(c) for c in curves])
    covered = max(scale - ends.min(), 1e-9)
    good = np.flatnonzero(ends <= ends.min() + AS_GOOD * covered)
    lr = float(np.exp(np.mean(np.log(rates[good]))))
    best = curves[int(good[np.argmin(np.abs(np.log(rates[good] / lr)))])]
    down = int(np.flatnonzero(_smooth(best) <= _smooth(best).min() + THERE * covered)[0])
    return lr, down


def _loss(values: Array, scale: float) -> Array:
    return np.asarray(np.nan_to_num(np.minimum(values, 4 * abs(scale) + 4), nan=4 * abs(scale) + 4))


def _smooth(values: Array) -> Array:
    return np.asarray(np.convolve(np.pad(values, 1, "edge"), np.ones(3) / 3, "valid"))

"""When a training is not worth going on with: it has failed, or it is clearly behind the file as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nndoctor.treatment.trial import Trial

EVALUATIONS = 12  # in a run
EXPLODED = 3.0  # times the first loss: beyond it a trial is cut (CS231n, hyperparameter search)
RECENT = 10  # training losses whose mean stands for an evaluation where the file allows none
MIN_EVALUATIONS = 3  # before a trial may be cut
HALF = 0.5  # of a run, before it is given up for being behind


@dataclass(frozen=True, slots=True)
class Rival:
    """The curve of the file as it is, and by how much a trial may be behind it at half its length."""

    losses: tuple[float, ...]
    final: float
    margin: float


def hopeless(trial: Trial) -> str:
    """Why a trial has failed, or nothing."""
    if trial.losses and not math.isfinite(trial.losses[-1]):
        return "the loss is not finite"
    curve = trial.train_losses or trial.losses  # of overfitting the validation loss grows, too, and nothing has failed
    if len(trial.losses) < MIN_EVALUATIONS or not curve:
        return ""
    recent = float(np.mean(curve[-RECENT:]))
    if math.isfinite(recent) and not recent > EXPLODED * max(curve[0], 0.0) > 0:
        return ""
    return f"the loss exceeds {EXPLODED:g}× its first value"


def shortened(trial: Trial, rival: Rival | None) -> Trial:
    """A finished training as it would be if it had been given up where it was clearly behind the file as it is."""
    for done in range(1, len(trial.losses)):
        given_up = behind(replace(trial, losses=trial.losses[:done], cut=""), rival)
        if given_up is not None:
            kept = sum(step <= trial.steps[done - 1] for step in trial.train_steps)
            return replace(
                trial,
                steps=trial.steps[:done],
                losses=trial.losses[:done],
                accuracies=trial.accuracies[:done],
                train_steps=trial.train_steps[:kept],
                train_losses=trial.train_losses[:kept],
                rates=trial.rates[:kept],
                seconds=trial.seconds * done / len(trial.losses),
                cut="",
                given_up=given_up,
            )
    return trial


def behind(trial: Trial, rival: Rival | None) -> float | None:
    """The final loss to expect of a trial that is clearly behind the file as it is, at half its length or later; else None."""
    done = len(trial.losses)
    if rival is None or trial.cut or done < HALF * EVALUATIONS or done >= len(rival.losses):
        return None
    by = trial.losses[-1] - rival.losses[done - 1]
    return rival.final + by if math.isfinite(by) and by > rival.margin else None

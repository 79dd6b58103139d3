"""When to stop a training early: it has failed, or it is clearly behind the unchanged file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nndoctor.treatment.trial import Trial

EVALUATIONS = 12  # in a run
EXPLODED = 3.0  # times the first loss: beyond it a trial is cut (CS231n, hyperparameter search)
RECENT_LOSSES = 10  # training losses whose mean replaces an evaluation where the file allows none
MIN_EVALUATIONS = 3  # before a trial may be cut
ENDED = 2  # trials of a search that must have ended before others are measured by the best of them
TOO_SLOW = "too slow to reach the best trial"
MIN_SHARE_DONE = 0.5  # of a run, before it may be stopped for being behind


@dataclass(frozen=True, slots=True)
class ReferenceTraining:
    """The curve of the file as it is, and by how much a trial may be behind it at half its length."""

    losses: tuple[float, ...]
    final: float
    margin: float


def every(total: int) -> int:
    """The steps from one evaluation to the next in a training of so many."""
    return max(total // EVALUATIONS, 1)


def failure(trial: Trial) -> str:
    """Why a trial has failed, or nothing."""
    if trial.losses and not math.isfinite(trial.losses[-1]):
        return "the loss is not finite"
    curve = trial.train_losses or trial.losses  # of overfitting the validation loss grows, too, and nothing has failed
    if len(trial.losses) < MIN_EVALUATIONS or not curve:
        return ""
    recent = float(np.mean(curve[-RECENT_LOSSES:]))
    if math.isfinite(recent) and not recent > EXPLODED * max(curve[0], 0.0) > 0:
        return ""
    return f"the loss exceeds {EXPLODED:g}× its first value"


def shortened(trial: Trial, reference: ReferenceTraining | None) -> Trial:
    """A finished training as it would be if it had been given up where it was clearly behind the file as it is."""
    for done in range(1, len(trial.losses)):
        found = until(trial, done)
        found.given_up = behind(found, reference)
        if found.given_up is not None:
            return found
    return trial


def until(trial: Trial, done: int) -> Trial:
    """A training as it was after so many evaluations."""
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
    )


def loss_to_reach(finals: Sequence[float]) -> float:
    """The final loss that a further trial of a search must be able to reach: the best one; infinite before a few have ended."""
    ended = [value for value in finals if math.isfinite(value)]
    return min(ended) if len(ended) >= ENDED else math.inf


def too_slow(trial: Trial, target_loss: float, total: int) -> bool:
    """Whether a trial of so many steps cannot get down to a loss, even if it goes on falling as steeply as it lately did."""
    losses, done = trial.losses, len(trial.losses)
    if done < MIN_EVALUATIONS or not math.isfinite(target_loss):
        return False
    lately = range(1, max(done // 3, 1) + 1)
    steepest = max((losses[-1 - k] - losses[-1]) / k for k in lately)
    left = (total - 1 - trial.steps[-1]) / every(total)
    return losses[-1] - max(steepest, 0.0) * left > target_loss


def slowed(trial: Trial, target_loss: float, total: int) -> Trial:
    """A finished training as it would be if it had been cut where it was too slow."""
    for done in range(1, len(trial.losses)):
        found = until(trial, done)
        if too_slow(found, target_loss, total):
            found.cut = TOO_SLOW
            return found
    return trial


def behind(trial: Trial, reference: ReferenceTraining | None) -> float | None:
    """The final loss to expect of a trial that is clearly behind the file as it is, at half its length or later; else None."""
    done = len(trial.losses)
    if reference is None or trial.cut or done < MIN_SHARE_DONE * EVALUATIONS or done >= len(reference.losses):
        return None
    by = trial.losses[-1] - reference.losses[done - 1]
    return reference.final + by if math.isfinite(by) and by > reference.margin else None

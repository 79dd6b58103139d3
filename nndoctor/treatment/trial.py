"""One training of the user's file with one change and one seed: its curves, and the loss that it ends at."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np
import torch

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.experiment.data import moved
from nndoctor.experiment.experiment import Experiment, Given, experiment
from nndoctor.training.evaluation import evaluate
from nndoctor.training.machine import device_named
from nndoctor.training.options import Options
from nndoctor.training.stepper import Stepper
from nndoctor.treatment.changes import Change

EVALUATIONS = 20  # in a run
LAST = 0.1  # share of the evaluations whose mean is the loss at the end
EXPLODED = 3.0  # times the first loss: beyond it a trial is cut (CS231n, hyperparameter search)
RECENT = 10  # training losses whose mean stands for an evaluation where the file allows none
MIN_EVALUATIONS = 4  # before a trial may be cut


@dataclass(slots=True)
class Trial:
    """What one training gave. `losses` are those of the evaluations, NaN where they are not finite; `why` it was cut."""

    change: str
    seed: int
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    train_steps: list[int] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cut: str = ""

    @property
    def final(self) -> float:
        """The mean loss of the last tenth of the evaluations; infinite where the training failed."""
        last = self.losses[-max(1, round(LAST * len(self.losses))) :]
        value = float(np.mean(last)) if last else math.inf
        return value if math.isfinite(value) and not self.cut else math.inf

    def run(self) -> Run:
        """The curves as a run, to be diagnosed."""
        series = {"train/loss": Series.of("train/loss", self.train_losses, self.train_steps)}
        if self.losses:
            series["validation/loss"] = Series.of("validation/loss", self.losses, self.steps)
        return Run(series, source=f"seed {self.seed}")


@contextmanager
def shifted_seeds(seed: int) -> Iterator[None]:
    """Seeds that a file sets itself are shifted, so that its repeats differ; pairs with one seed stay alike."""
    torch_seed, numpy_seed, python_seed = torch.manual_seed, np.random.seed, random.seed
    with (
        patch.object(torch, "manual_seed", lambda value: torch_seed(int(value) + seed)),
        patch.object(np.random, "seed", lambda value=None: numpy_seed(None if value is None else int(value) + seed)),
        patch.object(random, "seed", lambda value=None: python_seed(value + seed if isinstance(value, int) else value)),
    ):
        yield


def loaded(path: str, seed: int) -> Experiment:
    """The user's file, run with its seeds shifted. Raises ModelFileError for what does not work in it."""
    with shifted_seeds(seed):
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002 - user code draws from the global generator
        return experiment(path, Given(seed=0))


def trained(path: str, change: Change | None, seed: int, options: Options) -> Trial:
    """Train the file with a change (None: as it is) for `options.steps` steps. Raises ModelFileError."""
    return trained_subject(path, change, seed, options)[0]


def trained_subject(path: str, change: Change | None, seed: int, options: Options) -> tuple[Trial, Experiment]:
    """As `trained`, with the experiment whose model was trained."""
    subject = loaded(path, seed)
    trial = Trial(change.name if change else "", seed)
    if change is not None:
        if change.apply is not None:
            change.apply(subject)
        options = change.options(options)
    total = (options.steps or 1) * (change.length if change else 1)
    device = device_named(options.device)
    subject.model.to(device)
    stepper = Stepper(subject, options, device, total)
    if change is not None and change.rate != 1.0:
        stepper.scale_rate(change.rate)
    torch.manual_seed(seed)
    _run(subject, stepper, trial, total, device)
    return trial, subject


def _run(subject: Experiment, stepper: Stepper, trial: Trial, total: int, device: torch.device) -> None:
    every = max(total // EVALUATIONS, 1)
    subject.model.train()
    began = time.perf_counter()
    for step, batch in enumerate(_endless(subject, total)):
        if step == 1:
            began = time.perf_counter()  # the first step of a process loads what later ones need
        found = stepper.take(moved(batch, device), step)
        if found is not None:
            trial.train_steps.append(step)
            trial.train_losses.append(float(found.loss.detach()))
        if (step + 1) % every == 0:
            _evaluated(subject, trial, step, device)
            trial.seconds = time.perf_counter() - began
            trial.cut = _hopeless(trial)
            if trial.cut:
                return


def _endless(subject: Experiment, total: int) -> Iterator[object]:
    """So many batches, over as many epochs as it takes."""
    left = total
    while left > 0:
        before = left
        for batch in subject.train_data:
            if left == 0:
                return
            left -= 1
            yield batch
        if left == before:
            return


def _evaluated(subject: Experiment, trial: Trial, step: int, device: torch.device) -> None:
    if subject.loss is None and subject.step is None and subject.train_step is not None:
        recent = trial.train_losses[-RECENT:]  # a loop of the user's own tells only its training loss
        values = {"loss": float(np.mean(recent))} if recent else {}
    else:
        data = subject.validation_data if subject.validation_data is not None else subject.train_data
        values = evaluate(subject, data, device)
    if "loss" in values:
        trial.steps.append(step)
        trial.losses.append(values["loss"])


def _hopeless(trial: Trial) -> str:
    """Why a trial is not worth going on with, or nothing."""
    if trial.losses and not math.isfinite(trial.losses[-1]):
        return "the loss is not finite"
    if len(trial.losses) < MIN_EVALUATIONS:
        return ""
    grown = trial.losses[-1] > EXPLODED * max(trial.losses[0], 0.0) > 0
    return f"the loss exceeds {EXPLODED:g}× its first value" if grown else ""

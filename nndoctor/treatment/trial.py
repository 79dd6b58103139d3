"""One training of the user's file with one change and one seed: its curves, and the loss that it ends at."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.experiment.data import moved
from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.model_file import user_code
from nndoctor.training.evaluation import evaluate
from nndoctor.training.machine import device_named
from nndoctor.training.options import TrainingOptions
from nndoctor.training.stepper import Stepper
from nndoctor.treatment.changes import Change, named
from nndoctor.treatment.finding_pruner import FindingPruner
from nndoctor.treatment.pruning import (
    MIN_SHARE_DONE,
    RECENT_LOSSES,
    TOO_SLOW,
    ReferenceTraining,
    behind,
    every,
    failure,
    too_slow,
)
from nndoctor.treatment.steering import steered
from nndoctor.treatment.subject import loaded

LAST = 0.15  # share of the evaluations whose mean is the loss at the end
ALONE = threading.Lock()  # random numbers and the optimizers' hooks belong to the process; a worker may have threads


@dataclass(frozen=True, slots=True)
class Job:
    """A training to do. `steps` are those of the file as it is; a change may multiply them.

    Its seconds are those of the wall clock, or (`cpu`) of the processor, which do not depend on what else is running.
    With a `pruner` it ends at a finding of error severity that stands, with a `target_loss` where it cannot get down to that loss.
    """

    path: str
    change: str
    seed: int
    steps: int
    device: str = "auto"
    reference: ReferenceTraining | None = None
    cpu: bool = False
    pruner: bool = False
    target_loss: float = math.inf

    def clock(self) -> float:
        """Seconds of the clock that the training is timed by."""
        return time.process_time() if self.cpu else time.perf_counter()


@dataclass(slots=True)
class Trial:
    """What one training gave. `losses` are those of the evaluations, NaN where they are not finite; `why` it was cut.

    `start` is the loss before the first step, `given_up` the final loss that a training given up half-way would have
    had if it had stayed as far behind.
    """

    change: str
    seed: int
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    train_steps: list[int] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cut: str = ""
    start: float = math.nan
    given_up: float | None = None
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """Whether the loss became infinite or several times its first value."""
        return bool(failure(self))

    @property
    def final(self) -> float:
        """The mean loss of the last evaluations; infinite where the training failed."""
        if self.given_up is not None:
            return self.given_up
        last = self.losses[-max(1, round(LAST * len(self.losses))) :]
        value = float(np.mean(last)) if last else math.inf
        return value if math.isfinite(value) and not self.cut else math.inf

    def run(self) -> Run:
        """The curves as a run, to be diagnosed."""
        series = {
            "train/loss": Series.of("train/loss", self.train_losses, self.train_steps),
            "lr": Series.of("lr", self.rates, self.train_steps),
        }
        if self.losses:
            series["validation/loss"] = Series.of("validation/loss", self.losses, self.steps)
        if len(self.accuracies) == len(self.steps) and self.steps:
            series["validation/accuracy"] = Series.of("validation/accuracy", self.accuracies, self.steps)
        return Run(series, source=f"seed {self.seed}")


def run_trial(job: Job) -> Trial:
    """Do a training. Raises ModelFileError for what does not work in the file."""
    with ALONE:
        return trained_subject(job, named(job.change))[0]


def trained_subject(job: Job, change: Change) -> tuple[Trial, Experiment]:
    """A training with a change, and the experiment whose model was trained."""
    began = job.clock()
    torch.manual_seed(job.seed)
    subject = loaded(job.path, job.seed)
    trial = Trial(change.name, job.seed, settings=dict(change.settings))
    with user_code(job.path, f"changing it ({change.name})"):
        if change.apply is not None:
            change.apply(subject)
    total = max(round(job.steps * change.length), 1)
    device = device_named(job.device)
    subject.model.to(device)
    if isinstance(subject.loss, torch.nn.Module):
        subject.loss.to(device)
    stepper = Stepper(subject, TrainingOptions(device=job.device, steps=total), device, total)
    if change.tune is not None:
        change.tune(stepper.optimizer)
    _settle(trial, change, stepper, total)
    torch.manual_seed(job.seed)
    with steered(change.steering, total):
        course = _TrialRun(subject, stepper, trial, total, device, job.clock)
        course.reference = None if change.late else job.reference
        course.pruner = FindingPruner() if job.pruner else None
        course.target_loss = job.target_loss
        course.run()
    trial.seconds += job.clock() - began
    return trial, subject


def _settle(trial: Trial, change: Change, stepper: Stepper, total: int) -> None:
    """The settings as numbers, if the optimizer has them."""
    lr = stepper.lr * change.steering.rate
    if change.steering.rate != 1.0:
        trial.settings["lr"] = float(f"{lr:.6g}")
    if change.steering.shrink and lr > 0:
        trial.settings["weight_decay"] = float(f"{change.steering.shrink / (total * lr):.3g}")
    if "steps" in change.settings:
        trial.settings["steps"] = total


@dataclass(slots=True)
class _TrialRun:
    """A training on its way."""

    subject: Experiment
    stepper: Stepper
    trial: Trial
    total: int
    device: torch.device
    clock: Callable[[], float]
    reference: ReferenceTraining | None = None
    pruner: FindingPruner | None = None
    target_loss: float = math.inf

    def run(self) -> None:
        """Train to the end, or until pruning stops it."""
        between = every(self.total)
        values = self._values()
        self.trial.start = values.get("loss", math.nan)
        self.subject.model.train()
        after_epoch = _scheduled(self.subject, self.stepper.optimizer)
        for step, batch in enumerate(_endless(self.subject, self.total, lambda: after_epoch(self.trial))):
            self._step(moved(batch, self.device), step)
            if (step + 1) % between == 0 or step + 1 == self.total:
                self._evaluate(step)
                if self.trial.cut or self.trial.given_up is not None:
                    return

    def _step(self, batch: object, step: int) -> None:
        began = self.clock()
        found = self.stepper.take(batch, step)
        if step == 0:
            self.trial.seconds -= self.clock() - began  # the first step of a process loads what later ones need
        if found is not None:
            self.trial.train_steps.append(step)
            self.trial.train_losses.append(float(found.loss.detach()))
            self.trial.rates.append(self.stepper.lr)

    def _values(self) -> dict[str, float]:
        subject = self.subject
        if subject.loss is None and subject.step is None and subject.train_step is not None:
            recent = self.trial.train_losses[-RECENT_LOSSES:]  # a user's own loop reports only its training loss
            return {"loss": float(np.mean(recent))} if recent else {}
        with user_code(subject.path, "evaluating it"):
            return evaluate(subject, subject.validation_data or subject.train_data, self.device)

    def _evaluate(self, step: int) -> None:
        values, trial = self._values(), self.trial
        if "loss" not in values:
            return
        trial.steps.append(step)
        trial.losses.append(values["loss"])
        if "accuracy" in values:
            trial.accuracies.append(values["accuracy"])
        trial.cut = failure(trial)
        if not trial.cut and self.pruner is not None and MIN_SHARE_DONE * self.total <= step + 1 < self.total:
            trial.cut = self.pruner.fails(trial.run())
        if not trial.cut and step + 1 < self.total and too_slow(trial, self.target_loss, self.total):
            trial.cut = TOO_SLOW
        trial.given_up = behind(trial, self.reference)


def _scheduled(subject: Experiment, optimizer: torch.optim.Optimizer) -> Callable[[Trial], None]:
    """What follows each epoch: the file's scheduler, unless the file's own train_step sees to it."""
    scheduler = subject.scheduler
    if subject.train_step is not None or scheduler is None:
        return lambda _: None
    if not hasattr(scheduler, "step") and callable(scheduler):
        scheduler = scheduler(optimizer)
    schedulers = torch.optim.lr_scheduler
    if isinstance(scheduler, schedulers.ReduceLROnPlateau):
        plateau = scheduler
        return lambda trial: plateau.step(trial.losses[-1]) if trial.losses else None
    if isinstance(scheduler, schedulers.LRScheduler):
        usual = scheduler
        return lambda _: usual.step()
    return lambda _: None


def _endless(subject: Experiment, total: int, after_epoch: Callable[[], None]) -> Iterator[object]:
    """So many batches, over as many epochs as it takes."""
    left = total
    while left > 0:
        before = left
        with user_code(subject.path, "reading its data"):
            iterator = iter(subject.train_data)
        for batch in iterator:
            if left == 0:
                return
            left -= 1
            yield batch
        if left == before:
            return
        after_epoch()

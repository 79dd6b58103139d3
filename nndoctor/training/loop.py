"""The training loop: steps, evaluations, checkpoints, early stopping, and what ends it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Finding, Severity
from nndoctor.experiment.data import moved
from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.model_file import user_code
from nndoctor.experiment.own_loss import why_no_loss
from nndoctor.experiment.steps import correct_targets
from nndoctor.recorder import Recorder
from nndoctor.training import checkpoint
from nndoctor.training.checkpoint import Progress
from nndoctor.training.evaluation import evaluate
from nndoctor.training.live import LiveJudge
from nndoctor.training.machine import device_named, interruptible
from nndoctor.training.options import TrainingOptions
from nndoctor.training.stepper import Stepper

EVALUATIONS = 20  # at least, in a run whose epochs are long
SAMPLES = 60  # of the layers, in a run whose length is known
MIN_SAMPLE_GAP = 25  # steps at least between two samples
CHECKPOINT_EVERY = 10.0  # seconds


@dataclass
class TrainingResult:
    """How a training ended: `reason` for people, `finding` where the doctor stopped it."""

    reason: str
    interrupted: bool = False
    finding: Finding | None = None


@dataclass
class Training:
    """One training in a run folder; `run` goes through it and calls `see` now and then, for a progress bar.

    `stop_on` is the severity at which a confirmed finding ends it. A full disk is reported once.
    """

    experiment: Experiment
    options: TrainingOptions
    folder: Path
    resume: bool = False
    stop_on: Severity | None = None
    live: LiveJudge = field(default_factory=LiveJudge)
    progress: Progress = field(default_factory=Progress)
    notes: list[str] = field(default_factory=list)
    evaluation: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make ready: device, optimizer, lengths. Raises UsageError."""
        self.device = device_named(self.options.device)
        self.experiment.model.to(self.device)
        if isinstance(self.experiment.loss, nn.Module):  # the weights of its classes
            self.experiment.loss.to(self.device)
        number = self.experiment.train_data.number
        self.total = self.options.steps or (None if number is None else number * self.options.epochs)
        if self.total is None and (self.options.schedule != "constant" or self.options.warmup):
            raise UsageError(
                "--schedule and --warmup need the length of the run, which is unknown for this data; set --steps"
            )
        self.stepper = Stepper(self.experiment, self.options, self.device, self.total)
        self.notes += [
            self.stepper.description,
            f"device: {self.device}{', mixed precision' if self.options.amp else ''}",
        ]
        self._drop_validation()
        self.every = self._period(number)
        self._stop = False
        self._saved = time.perf_counter()
        self._full = False
        self._random: dict[str, object] | None = None
        self._met, self._targets = torch.zeros((), device=self.device), 0
        if self.resume:
            found = checkpoint.resume(self.folder, self.experiment.model, self.stepper.optimizer, self.stepper.scaler)
            self.progress, self._random = found.progress, found.random
            self.notes += [found.note] if found.note else []
            self._met, self._targets = self._met + self.progress.met, self.progress.targets

    def _drop_validation(self) -> None:
        """Leave out validation data for which the file has no loss but that within its training step."""
        own = self.experiment
        if own.validation_data is None or own.train_step is None or own.loss is not None or own.step is not None:
            return
        moved_data = (moved(batch, self.device) for batch in own.validation_data)
        if why_no_loss(own.model, moved_data) is not None:
            own.validation_data = None
            self.notes.append("validation_data is not evaluated: the only loss is within the training step")

    def run(self, see: Callable[[], None] = lambda: None) -> TrainingResult:
        """Train to the end, or to what ends it before."""
        every = MIN_SAMPLE_GAP if self.total is None else max(self.total // SAMPLES, MIN_SAMPLE_GAP)
        facts: dict[str, object] = {
            "training": self.options.facts(),
            "model_file": Path(self.experiment.path).name,
            "train_examples": self.experiment.train_data.examples,
        }
        with (
            interruptible(self._interrupt),
            Recorder(
                self.experiment.model,
                self.stepper.optimizer,
                self.folder,
                every=every,
                scaler=self.stepper.scaler if self.stepper.scaler.is_enabled() else None,
                facts={name: value for name, value in facts.items() if value is not None},
                resume=self.resume,
                first_step=self.progress.step if self.resume else None,
                quiet=True,
            ) as recorder,
        ):
            ended = self._epochs(recorder, see)
            self._save(recorder, force=True)
        see()
        return ended

    def _epochs(self, recorder: Recorder, see: Callable[[], None]) -> TrainingResult:
        while not self._done():
            ended = self._epoch(recorder, see)
            if ended is not None:
                return ended
            self.progress = replace(self.progress, epoch=self.progress.epoch + 1, taken=0)
            self._save(recorder)
        return TrainingResult(f"trained for {self.progress.step} steps")

    def _done(self) -> bool:
        if self.total is not None and self.progress.step >= self.total:
            return True
        return self.options.steps is None and self.progress.epoch >= self.options.epochs

    def _epoch(self, recorder: Recorder, see: Callable[[], None]) -> TrainingResult | None:
        """One epoch, or what is left of it."""
        checkpoint.seed_epoch(self.options.seed, self.progress.epoch)
        self.experiment.model.train()
        batches = self._batches()
        taken = self._pass_taken(batches)
        for batch in batches:
            taken += 1
            self._step(moved(batch, self.device), recorder)
            self.progress = replace(self.progress, step=self.progress.step + 1, taken=taken)
            if self._is_due():
                self._evaluate(recorder)
            ended = self._ended()
            if ended is not None:
                return ended
            see()
            if self._done():
                break
            if taken != self.experiment.train_data.number:  # the evaluation at the end belongs to the same row
                self._save(recorder)
        if not taken:
            raise UsageError(f"{self.experiment.path}: train_data gave no batch in epoch {self.progress.epoch + 1}")
        if self.every is None or (self._done() and not self._is_due()):
            self._evaluate(recorder)
        return self._ended()

    def _is_due(self) -> bool:
        """Whether an evaluation within the epoch comes after this step."""
        return self.every is not None and self.progress.step % self.every == 0

    def _pass_taken(self, batches: Iterator[object]) -> int:
        """Skip the batches of a resumed epoch that were taken before, and give their number."""
        taken = sum(1 for _ in islice(batches, self.progress.taken))
        if taken and self._random is not None:  # from here on chance is as it was, for the coming batch, too
            checkpoint.set_random_state(self._random)
        self._random = None
        return taken

    def _step(self, batch: object, recorder: Recorder) -> None:
        """One step, recorded, and how many of its batch's targets were met."""
        found = self.stepper.take(batch, self.progress.step)
        recorder.step(loss=None if found is None else found.loss)
        if found is None:
            return
        self.live.loss(found.loss.detach(), self.stepper.lr)
        counted = correct_targets(found)
        if counted is not None:
            self._met, self._targets = self._met + counted[0], self._targets + counted[1]

    def _batches(self) -> Iterator[object]:
        iterator = iter(self.experiment.train_data)
        while True:
            with user_code(self.experiment.path, "reading its data"):
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
            yield batch

    def _evaluate(self, recorder: Recorder) -> None:
        values = {"train_accuracy": float(self._met) / self._targets} if self._targets else {}
        self._met, self._targets = torch.zeros((), device=self.device), 0
        if self.experiment.validation_data is not None:
            with user_code(self.experiment.path, "evaluating it"):
                found = evaluate(self.experiment, self.experiment.validation_data, self.device)
            values |= {f"validation_{name}": value for name, value in found.items()}
        self.evaluation = values
        recorder.log(**values)
        step = self.progress.step - 1
        self.live.evaluated(step, {name.replace("_", "/", 1): value for name, value in values.items()})
        loss = values.get("validation_loss")
        if loss is None:
            return
        if loss < self.progress.best:
            self.progress = replace(self.progress, best=loss, best_step=step, waited=0)
            if self.options.patience is not None:
                self._written(lambda: checkpoint.save_best(self.folder, self.experiment.model))
        else:
            self.progress = replace(self.progress, waited=self.progress.waited + 1)

    def _ended(self) -> TrainingResult | None:
        """Why to stop here, if there is a reason."""
        if self._stop:
            return TrainingResult(
                f"interrupted after {self.progress.step} steps; continue with --resume", interrupted=True
            )
        if self.options.patience is not None and self.progress.waited >= self.options.patience:
            return self._stopped_early()
        if self.live.judge_if_due() and self.stop_on is not None:
            finding = self.live.first_confirmed(self.stop_on)
            if finding is not None:
                return TrainingResult(f"stopped after {self.progress.step} steps: {finding.name}", finding=finding)
        return None

    def _stopped_early(self) -> TrainingResult:
        checkpoint.load_best(self.folder, self.experiment.model)
        at = self.progress.best_step
        return TrainingResult(
            f"stopped early after {self.progress.step} steps; the weights are those of step {at}, the best"
        )

    def _save(self, recorder: Recorder, *, force: bool = False) -> None:
        """Write a checkpoint where one is due; what was logged until then is brought to disk before it."""
        if not force and time.perf_counter() - self._saved < CHECKPOINT_EVERY:
            return
        recorder.flush()
        model, place = self.experiment.model, replace(self.progress, met=int(self._met), targets=self._targets)
        self._written(lambda: checkpoint.save(self.folder, place, model, self.stepper.optimizer, self.stepper.scaler))
        self._saved = time.perf_counter()

    def _written(self, write: Callable[[], None]) -> None:
        """Write a file of the folder; a full disk does not stop the training, and is reported once."""
        try:
            write()
        except (OSError, RuntimeError) as error:
            if not self._full:
                self._full = True
                sys.stderr.write(
                    f"nndoctor: {self.folder}: no checkpoint could be written ({error}); training goes on\n"
                )

    def _period(self, number: int | None) -> int | None:
        """Steps between two evaluations; None for one at the end of each epoch."""
        if self.total is None:
            return None
        short = number is not None and (number <= 50 or number * EVALUATIONS <= max(self.total, EVALUATIONS))
        return None if short else max(self.total // EVALUATIONS, 1)

    def _interrupt(self) -> None:
        self._stop = True

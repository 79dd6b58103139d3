"""The recorder: samples the layers of a model while a training loop runs."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.core.guard import Guard
from nndoctor.recorder.arguments import check
from nndoctor.recorder.at_exit import OPEN
from nndoctor.recorder.facts import is_mean
from nndoctor.recorder.folder import DEFAULT, say
from nndoctor.recorder.optimizers import Optimizers, scale_of, scaler_of
from nndoctor.recorder.probe import Probe
from nndoctor.recorder.ranks import Ranks
from nndoctor.recorder.run_writer import RunWriter
from nndoctor.recorder.schedule import Schedule

BUDGET = 0.004  # of the training's time: with the idle steps and the error of the estimate below half a per cent


class Recorder:
    """Records a training loop into a run folder that `nndoctor diagnose` reads.

    `optimizer` is one optimizer or several, as created or as wrapped by Accelerate, Lightning or DeepSpeed.
    `every` is "auto" or a number of steps between two samples; `budget` the share of the time that "auto" may cost.
    `scaler` is the GradScaler of mixed precision, `facts` other known settings (batch_size, schedule, train_examples).
    `resume` continues in an existing folder, from `first_step` or from its last step; otherwise a folder that already
    holds a run is kept, and a numbered one (`nndoctor_run-2`) is made. `quiet` leaves out the closing line.

    It never changes the training. The model can be copied, pickled, scripted and exported while it is recorded. An
    error inside the recorder is printed once on standard error and ends the recording only.
    Raises UsageError for arguments of the wrong type.
    """

    def __init__(  # noqa: PLR0913 - a user sets them by name
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | Iterable[torch.optim.Optimizer],
        folder: str | Path = DEFAULT,
        *,
        every: int | Literal["auto"] = "auto",
        budget: float = BUDGET,
        scaler: torch.amp.GradScaler | None = None,
        facts: Mapping[str, object] | None = None,
        resume: bool = False,
        first_step: int | None = None,
        quiet: bool = False,
    ) -> None:
        check(model, every, budget)
        self.folder, self._quiet = Path(folder), quiet
        self._guard = Guard(self._fail)
        self.off = ""
        """Why nothing is recorded any more; empty while it is."""
        self.own_loss: tuple[float, bool] | None = None
        """Of a model that returns its own loss: its first value, and whether it is a mean over the examples of its batch."""
        self._optimizers, self._scaler = Optimizers(optimizer), scaler or scaler_of(optimizer)
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._pre: list[torch.utils.hooks.RemovableHandle] = []
        self._stepped = False
        self._updated: set[object] = set()
        self._lrs: list[float | Tensor] = []
        self._late = False
        """Whether the loop reports the loss of the last of several accumulated passes after the update."""
        self._own: tuple[Tensor, bool] | None = None
        self._armed = -1
        self._step = self._first = self._last = first_step or 0
        self._process = os.getpid()
        try:
            writer = RunWriter(self.folder, dict(facts or {}), Ranks(), resume=resume, first_step=first_step)
            self._open(model, every, budget, writer)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - an unwritable folder, a model of a kind never seen
            self._fail(error)

    def _open(self, model: nn.Module, every: int | str, budget: float, writer: RunWriter) -> None:
        self._writer, self.folder = writer, writer.path
        writer.scale = float(self._scaler.get_scale()) if self._scaler is not None else None
        self._step = self._first = self._last = writer.step
        seed = 20_240_501 + self._step
        self._schedule = Schedule(every if isinstance(every, int) else None, budget, seed, fixed=writer.ranks > 1)
        self._probe = Probe(model, self._optimizers, random.Random(seed), self._fail)  # noqa: S311 - not for secrets
        writer.describe(self._probe)
        self._next, self._step_time = self._schedule.first(self._step), 0.0
        self._began = self._since = time.perf_counter()
        self._handles = self._optimizers.after_update(self._after_update)
        OPEN.add(self)
        if self._next == self._step:
            self._arm(self._step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        """A copy, or what another process unpickles, records nothing."""
        return _copy_of_recorder, (self.folder,)

    @property
    def next_step(self) -> int:
        """The number of the coming step: 0 in a new run, in a resumed one the step after its last."""
        return self._step

    def step(self, loss: Tensor | float | None = None, **metrics: float) -> None:
        """One step of the loop is done: its loss, and other metrics for its row (`accuracy=0.9`).

        Call it after `optimizer.step()`; with gradient accumulation after every backward pass or once a step. The row
        of an accumulated step holds the mean of its losses.
        """
        if self.off:
            return
        with self._guard:
            if self._stepped:
                self._row(loss, metrics)
                return
            self._writer.add_pending(loss, metrics)
            if self._scaler is not None and self._writer.skipped(self._scaler) and self._armed >= 0:
                self._probe.arm()  # the next step is sampled in its place

    def look_at(self, loss: Tensor) -> None:
        """What the graph of the first loss shows (its kind, its classes), where `step` is given a detached one later."""
        if not self.off:
            with self._guard:
                self._writer.look_at(loss)

    def log(self, **metrics: float) -> None:
        """Metrics for the row of the latest step: `rec.log(validation_loss=0.4)`."""
        if not self.off:
            with self._guard:
                self._writer.log(max(self._step - 1, self._first), metrics, to_come=self._stepped)

    def flush(self) -> None:
        """Write what was recorded so far to disk."""
        if not self.off:
            with self._guard:
                self._writer.flush()

    def close(self) -> None:
        """Remove all hooks and write everything to disk."""
        self._unhook()
        if self.off:
            return
        with self._guard:
            if self._stepped:
                self._row(None, {}, arm=False)
            self._writer.close(quiet=self._quiet)
            self.off = "closed"

    def _arm(self, step: int) -> None:
        began = time.perf_counter()
        self._probe.arm()
        self._pre = self._optimizers.before_update(self._before_update)
        self._armed = step
        self._armed_for = time.perf_counter() - began

    def _before_update(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        first = self._armed == self._step
        if self.off or not (first or (self._stepped and self._armed == self._step - 1)):
            return
        began = time.perf_counter()
        with self._guard:
            self._probe.before(optimizer, first=first)
        self._armed_for += time.perf_counter() - began

    def _after_update(self, optimizer: object, *_: object) -> None:
        """Called after every optimizer.step that really took place."""
        if self.off:
            return
        with self._guard:
            if self._stepped and (self._optimizers.single or optimizer in self._updated):
                self._row(None, {})  # the loop did not call rec.step: the row has no further loss
            self._lrs = self._optimizers.learning_rates()
            self._step += not self._stepped
            self._stepped = True
            if not self._optimizers.single:
                self._updated.add(optimizer)
            if self._optimizers.single or len(self._updated) == len(self._optimizers):
                self._complete()

    def _complete(self) -> None:
        """All optimizers have made their update."""
        passes = 0
        if self._armed == self._step - 1:
            passes, own = self._probe.weights.passes, self._probe.capture.loss
            if own is not None and self.own_loss is None:
                self.own_loss = float(own.detach()), is_mean(own)
                self._own = (own, passes <= 1)
            self._sample()
        pending = len(self._writer.rows.pending)
        if not pending:
            return
        if passes:
            self._late = passes == pending + 1
        if self._late:  # the loss of the last pass is still to come
            self._arm_if_due(jumped=False)
        else:
            self._row(None, {})

    def _sample(self) -> None:
        began = time.perf_counter()
        step = self._step - 1
        self._armed, self._last = -1, step
        for handle in self._pre:
            handle.remove()
        self._writer.sample(step, *self._probe.finish(scale_of(self._scaler)), self._probe)
        shared = self._writer.take_seconds()  # for many samples, not for this one
        spent = self._armed_for + self._probe.seconds + time.perf_counter() - began
        self._schedule.cost(max(spent - shared, 0.0), shared)
        step_time = (time.perf_counter() - self._began - self._schedule.spent) / (self._step - self._first)
        self._next = self._schedule.after(step, self._first, step_time)
        self._step_time = step_time

    def _row(self, loss: Tensor | float | None, metrics: Mapping[str, float], *, arm: bool = True) -> None:
        """Write the row of the step before, and arm the next one if it is to be sampled."""
        self._stepped = False
        self._updated.clear()
        if self._armed == self._step - 1:  # of several optimizers only some made their update
            self._sample()
        if self._own is not None:
            if loss is None and not self._writer.rows.pending:
                self._writer.look_at(self._own[0], valued=self._own[1])
            self._own = None
        now = time.perf_counter()
        jumped = self._writer.row(self._step - 1, loss, metrics, self._lrs, now - self._since)
        self._since = now
        if arm:
            self._arm_if_due(jumped=jumped)

    def _arm_if_due(self, *, jumped: bool) -> None:
        if self._armed >= 0:
            return
        since = self._step - self._last
        if self._step >= self._next or (
            jumped and self._schedule.may_add(since, self._step_time, lost=self._writer.lost)
        ):
            self._arm(self._step)

    def _unhook(self) -> None:
        for handle in (*self._handles, *self._pre):
            handle.remove()
        self._handles.clear()
        OPEN.discard(self)
        probe = getattr(self, "_probe", None)
        if probe is not None:
            probe.disarm()

    def _fail(self, error: BaseException) -> None:
        """Print the error once and stop recording; the training continues."""
        if self.off:
            return
        self.off = f"{type(error).__name__}: {error}".splitlines()[0]
        self._unhook()
        say(f"recording ended at step {self._step}: {self.off}; training goes on")
        writer = getattr(self, "_writer", None)
        if writer is not None:
            writer.save_after_failure(self.off, error)

    def flush_at_exit(self) -> None:
        """Bring to disk what a loop that never closed its recorder left."""
        if os.getpid() == self._process and not self.off:
            with self._guard:
                if self._stepped:
                    self._row(None, {}, arm=False)
            self.flush()


def _copy_of_recorder(folder: Path) -> Recorder:
    recorder = object.__new__(Recorder)
    recorder.folder, recorder.off = folder, "a copy of a recorder records nothing"
    recorder._handles, recorder._pre, recorder._step = [], [], 0
    return recorder

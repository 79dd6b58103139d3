"""The recorder: what a training loop carries to have its layers seen."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.recorder.book import Book
from nndoctor.recorder.probe import Probe
from nndoctor.recorder.ranks import Ranks
from nndoctor.recorder.schedule import Schedule

BUDGET = 0.004  # of the training's time: with the idle steps and the error of the estimate below half a per cent


class Recorder:
    """Records a training loop into a run folder that `nndoctor diagnose` reads.

    `every` is "auto" or a number of steps between two samples; `budget` the share of the time that "auto" may cost.
    `scaler` is the GradScaler of mixed precision, `facts` whatever else is known of the run (batch_size, schedule,
    train_examples). `resume` goes on in a folder that is there, from `first_step` or from where it ended.

    It never changes the training. What fails inside it is said once on standard error, and ends the recording only.
    Raises UsageError for arguments that make no sense.
    """

    def __init__(  # noqa: PLR0913 - a user sets them by name
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        folder: str | Path = "nndoctor_run",
        *,
        every: int | Literal["auto"] = "auto",
        budget: float = BUDGET,
        scaler: torch.amp.GradScaler | None = None,
        facts: Mapping[str, object] | None = None,
        resume: bool = False,
        first_step: int | None = None,
    ) -> None:
        _check(model, optimizer, every, budget)
        self.folder = Path(folder)
        self.off = ""
        """Why nothing is recorded any more; empty while it is."""
        self._optimizer, self._scaler = optimizer, scaler
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._stepped = False
        self._armed = -1
        self._step = self._first = self._last = first_step or 0
        self._pre: torch.utils.hooks.RemovableHandle | None = None
        try:
            ranks = Ranks()
            self._book = Book(self.folder, dict(facts or {}), ranks, resume=resume, first_step=first_step)
            self._book.scale = float(scaler.get_scale()) if scaler is not None else None
            self._step = self._first = self._last = self._book.step
            seed = 20_240_501 + self._step
            self._schedule = Schedule(None if every == "auto" else every, budget, seed, fixed=ranks.count > 1)
            self._probe = Probe(model, optimizer, random.Random(seed), self._fail)  # noqa: S311 - not for secrets
            self._book.describe(self._probe)
            self._next, self._step_time = self._schedule.first(self._step), 0.0
            self._began = self._since = time.perf_counter()
            self._handles = [optimizer.register_step_post_hook(self._after_update)]
            if self._next == self._step:
                self._arm(self._step)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001 - an unwritable folder, a model of a kind never seen
            self._fail(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def next_step(self) -> int:
        """The number of the coming step: 0 in a new run, in a resumed one the step after its last."""
        return self._step

    def step(self, loss: Tensor | float | None = None, **metrics: float) -> None:
        """One step of the loop is done: its loss, and whatever else is to stand in its row (`accuracy=0.9`).

        Call it after `optimizer.step()`; with gradient accumulation after every backward pass or once a step.
        """
        if self.off:
            return
        try:
            if not self._stepped:
                self._book.pend(loss, metrics)
                if self._scaler is not None and self._book.skipped(self._scaler) and self._armed >= 0:
                    self._probe.forget()
                return
            self._stepped = False
            self._row(loss, metrics)
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(error)

    def log(self, **metrics: float) -> None:
        """Numbers to stand beside the latest step: `rec.log(validation_loss=0.4)`."""
        if self.off:
            return
        try:
            self._book.log(max(self._step - 1, self._first), metrics)
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(error)

    def close(self) -> None:
        """Take all hooks away and bring everything to disk."""
        self._unhook()
        if self.off:
            return
        try:
            if self._stepped:
                self._stepped = False
                self._row(None, {}, arm=False)
            self._book.close(self._schedule.spent, time.perf_counter() - self._began)
            self.off = "closed"
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(error)

    def _arm(self, step: int) -> None:
        began = time.perf_counter()
        self._probe.arm()
        self._pre = self._optimizer.register_step_pre_hook(self._before_update)
        self._armed = step
        self._armed_for = time.perf_counter() - began

    def _before_update(self, *_: object) -> None:
        if self.off:
            return
        began = time.perf_counter()
        try:
            self._probe.before()
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(error)
        self._armed_for += time.perf_counter() - began

    def _after_update(self, *_: object) -> None:
        """Called after every optimizer.step that really took place."""
        if self.off:
            return
        try:
            if self._stepped:  # the loop calls no rec.step: its row has no loss
                self._row(None, {})
            if self._armed == self._step:
                self._sample()
            self._step += 1
            self._stepped = True
            if self._book.pending:
                self._stepped = False
                self._row(None, {})
        except Exception as error:  # noqa: BLE001 - see _fail
            self._fail(error)

    def _sample(self) -> None:
        began = time.perf_counter()
        self._armed, self._last = -1, self._step
        if self._pre is not None:
            self._pre.remove()
        self._book.sample(self._step, *self._probe.finish(), self._probe, self._scaler)
        reckoned = self._book.spent()  # for many samples, not for this one
        spent = self._armed_for + self._probe.seconds + time.perf_counter() - began
        self._schedule.cost(max(spent - reckoned, 0.0), reckoned)
        step_time = (time.perf_counter() - self._began - self._schedule.spent) / (self._step - self._first + 1)
        self._next = self._schedule.after(self._step, self._first, step_time)
        self._step_time = step_time

    def _row(self, loss: Tensor | float | None, metrics: Mapping[str, float], *, arm: bool = True) -> None:
        """Write the row of the step before, and arm the next one if it is to be sampled."""
        now = time.perf_counter()
        jumped = self._book.row(self._step - 1, loss, metrics, self._optimizer, now - self._since)
        self._since = now
        if not arm or self._armed >= 0:
            return
        since = self._step - self._last
        if self._step >= self._next or (
            jumped and self._schedule.may_add(since, self._step_time, lost=self._book.lost)
        ):
            self._arm(self._step)

    def _unhook(self) -> None:
        for handle in (*self._handles, *([self._pre] if self._pre is not None else [])):
            handle.remove()
        self._handles.clear()
        probe = getattr(self, "_probe", None)
        if probe is not None:
            probe.disarm()

    def _fail(self, error: BaseException) -> None:
        """Say once what went wrong, and see no more of the training, which goes on."""
        if self.off:
            return
        self.off = f"{type(error).__name__}: {error}".splitlines()[0]
        self._unhook()
        sys.stderr.write(f"nndoctor: recording ended at step {self._step}: {self.off}; training goes on\n")
        book = getattr(self, "_book", None)
        if book is not None:
            book.rescue(self.off, error)


def _check(model: object, optimizer: object, every: object, budget: float) -> None:
    if not isinstance(model, nn.Module):
        raise UsageError(f"Recorder wants a torch.nn.Module as its model; found {type(model).__name__}")
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise UsageError(f"Recorder wants a torch.optim.Optimizer; found {type(optimizer).__name__}")
    if every != "auto" and (not isinstance(every, int) or every < 1):
        raise UsageError(f"every wants 'auto' or a number of steps above 0; found {every!r}")
    if not 0 < budget <= 1:
        raise UsageError(f"budget wants a share of the training's time, as 0.005; found {budget!r}")

"""What callbacks share: record a training, judge it from time to time by the user's settings, report at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.guard import Guard
from nndoctor.core.report import Report
from nndoctor.diagnosis.watch import Watch
from nndoctor.integrations.distributed_stop import DistributedStop
from nndoctor.integrations.options import CallbackOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TIME_SHARE = 0.004  # share of the training's time that judging may take
EXPECTED_SECONDS = 0.05  # expected duration of the first judgement
FIRST_JUDGED = 32  # step of the first judgement of a run that findings may stop


class LiveRecorder(Protocol):
    """What records a run: the recorder, or what writes only the curves."""

    folder: Path

    @property
    def next_step(self) -> int:
        """The number of the coming step."""

    def step(self, loss: Tensor | float | None = None, **metrics: float) -> None:
        """One step is done."""

    def log(self, **metrics: float) -> None:
        """Metrics of the latest step."""

    def flush(self) -> None:
        """Write everything to disk."""

    def close(self) -> None:
        """The run is over."""


class LiveTraining:
    """One training from its start to its end. Whatever fails in here is printed once and stops no training."""

    def __init__(self, choices: CallbackOptions) -> None:
        self.report: Report | None = None
        """The latest report on the run."""
        self.recorder: LiveRecorder | None = None
        self.stopped_by: Finding | None = None
        self._choices = choices
        self._losses: list[float | Tensor] = []
        self._failed = self._ended = False
        self._distributed_stop = DistributedStop()
        self._next = 0.0
        self._at = FIRST_JUDGED
        self._watch: Watch | None = None
        self._reported: set[str] = set()

    def start(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer | Iterable[torch.optim.Optimizer],
        folder: str | os.PathLike[str],
        *,
        step: int = 0,
        scaler: torch.amp.GradScaler | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Record from here on, below `folder` unless the user chose one; a run that starts at a step above 0 is a resumed one."""
        from nndoctor.recorder import Recorder

        with self.guarded():
            self.follow(
                Recorder(
                    model,
                    optimizer,
                    self.place(folder),
                    every=self._choices.every,  # type: ignore[arg-type]  # the recorder validates it
                    scaler=scaler,
                    facts={name: value for name, value in (facts or {}).items() if value is not None},
                    resume=step > 0,
                    first_step=step or None,
                    quiet=True,
                )
            )

    def place(self, folder: str | os.PathLike[str]) -> Path:
        """The run folder: the one that the user chose, or one below the framework's own."""
        return Path(folder) / "nndoctor" if self._choices.folder is None else Path(self._choices.folder)

    def follow(self, recorder: LiveRecorder) -> None:
        """Judge what a recorder writes from here on."""
        self.recorder = recorder
        self._next = time.perf_counter() + EXPECTED_SECONDS / TIME_SHARE
        self._watch = Watch([str(recorder.folder)], self._choices.session)

    def loss(self, loss: Tensor | float) -> None:
        """The loss of one micro-batch of the coming step."""
        self._losses.append(loss if isinstance(loss, float) else loss.detach())

    def step(self, loss: Tensor | float | None = None, **metrics: float) -> None:
        """One optimizer step is done; its loss is the mean of those given to `loss` since the step before."""
        if self.recorder is None:
            return
        with self.guarded():
            if loss is None and self._losses:
                loss = sum(self._losses[1:], start=self._losses[0]) / len(self._losses)
            self._losses.clear()
            self.recorder.step(loss, **metrics)

    def log(self, metrics: Mapping[str, object]) -> None:
        """Metrics of the latest step; what is not a number is left out."""
        if self.recorder is None:
            return
        with self.guarded():
            self.recorder.log(
                **{name: number for name, value in metrics.items() if (number := _number(value)) is not None}
            )

    def should_stop(self) -> bool:
        """Whether a finding of the chosen severity persists, so that the run should stop; judges the run when it is time to."""
        if self.recorder is None or self._failed:
            return False
        done = self.recorder.next_step
        with self.guarded():
            if self._distributed_stop.rank == 0 and self.stopped_by is None and self._is_due(done):
                self._judge()
                self._decide()
            return self._distributed_stop.agreed(done, stop=self.stopped_by is not None)
        return False

    def finish(self) -> None:
        """The training is over: write everything, and print the verdict. A second call does nothing."""
        recorder = self.recorder
        if recorder is None or self._ended:
            return
        self._ended = True
        recorder.close()
        if self._distributed_stop.rank != 0:
            return
        with self.guarded():
            self._watch = Watch([str(recorder.folder)], self._choices.session)
            self._judge()
            if self._choices.show:
                self._show(recorder.folder)

    def _is_due(self, step: int) -> bool:
        if step >= self._at and self._choices.stop_on is not None:
            self._at = 2 * step
            return True
        return time.perf_counter() >= self._next

    def _judge(self) -> None:
        if self.recorder is None or self._watch is None:
            return
        began = time.perf_counter()
        self.recorder.flush()
        self._watch.poll()
        reports = self._watch.all()
        self.report = reports[-1] if reports else self.report
        now = time.perf_counter()
        self._next = now + max((now - began) / TIME_SHARE, 1.0)

    def _decide(self) -> None:
        """Print each persistent error once, and note what stops the run."""
        if self._watch is None or self.recorder is None:
            return
        for finding in self._watch.worst(Severity.ERROR):
            if finding.code not in self._reported and self._choices.show:
                say(f"step {self.recorder.next_step}: {finding.code} {finding.name}: {finding.message}")
            self._reported.add(finding.code)
        if self._choices.stop_on is not None:
            self.stopped_by = next(iter(self._watch.worst(Severity(self._choices.stop_on))), None)
            if self.stopped_by is not None:
                say(f"stopping the training at step {self.recorder.next_step}: {self.stopped_by.name}")

    def _show(self, folder: Path) -> None:
        from nndoctor.reporters.page import Style
        from nndoctor.reporters.terminal import render

        if self.report is None:
            return
        out = sys.stdout
        page_style = Style(color=out.isatty(), encoding=out.encoding or "utf-8")
        out.write(f"{render([self.report], page_style)}\nFull report: nndoctor diagnose {folder} -v\n")
        out.flush()

    def guarded(self) -> Guard:
        """Within it, what fails is printed once and ends nothing but the diagnosis."""
        return Guard(self._fail)

    def _fail(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            say(f"{type(error).__name__}: {error}; the training goes on without a diagnosis".replace("\n", " "))


def say(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"nndoctor: {message}\n")


def _number(value: object) -> float | None:
    """A number of a framework, which may be a tensor of one element, as a float; None for anything else."""
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__") or getattr(value, "ndim", 0) > 0:
        return None
    return float(value)

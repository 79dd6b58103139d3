"""Live judgement: the curves so far are judged from time to time, at a small share of the training's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.session import Session

TIME_SHARE = 0.004  # of the training's time
MIN_LOSSES = 30  # losses before the first judgement
# A run that has become this many times as long is judged, however fast it is: short runs end within a second.
GROWTH = 2


@dataclass(slots=True)
class LiveJudge:
    """Losses (left on their device until they are judged), evaluations, and the latest report by the user's settings."""

    judge: Callable[[Run], Report] = field(default_factory=lambda: Session().judge)
    report: Report | None = None
    confirmed: tuple[Finding, ...] = ()
    _losses: list[float] = field(default_factory=list)
    _on_device: list[Tensor] = field(default_factory=list)
    _rates: list[float] = field(default_factory=list)
    _evaluations: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    _next: float = 0.0
    _judged_at: int = MIN_LOSSES // GROWTH  # losses
    _before: frozenset[str] = frozenset()

    def loss(self, loss: Tensor, lr: float) -> None:
        """One step's loss."""
        self._on_device.append(loss)
        self._rates.append(lr)

    def evaluated(self, step: int, values: dict[str, float]) -> None:
        """Values of an evaluation by series name."""
        for name, value in values.items():
            self._evaluations.setdefault(name, []).append((step, value))

    def latest(self) -> float:
        """The latest loss."""
        return float(self._on_device[-1]) if self._on_device else self._losses[-1] if self._losses else float("nan")

    def judge_if_due(self) -> bool:
        """Judge the run so far, if it is time; returns whether it was. A finding in two judgements in a row is confirmed."""
        if not self._is_due():
            return False
        began = time.perf_counter()
        if self._on_device:
            self._losses += torch.stack(self._on_device).float().tolist()
            self._on_device.clear()
        series = {"train/loss": Series.of("train/loss", self._losses), "lr": Series.of("lr", self._rates)}
        for name, points in self._evaluations.items():
            series[name] = Series.of(name, [v for _, v in points], [s for s, _ in points])
        self.report = self.judge(Run(series))
        found = {f.code for f in self.report.findings}
        self.confirmed = tuple(f for f in self.report.findings if f.code in self._before)
        self._before = frozenset(found)
        spent = time.perf_counter() - began
        self._next = time.perf_counter() + max(spent / TIME_SHARE, 1.0)
        self._judged_at = len(self._losses)
        return True

    def _is_due(self) -> bool:
        losses = len(self._losses) + len(self._on_device)
        return losses >= MIN_LOSSES and (losses >= GROWTH * self._judged_at or time.perf_counter() >= self._next)

    def first_confirmed(self, severity: Severity) -> Finding | None:
        """The first confirmed finding at this severity or worse."""
        return next((f for f in self.confirmed if f.severity.rank <= severity.rank), None)

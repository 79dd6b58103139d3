"""The check-up from Python: a report on a model at hand, and an assertion for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session
from nndoctor.sanity.checkup import BUDGET, SEEDS, examine
from nndoctor.sanity.families import FAMILIES
from nndoctor.sanity.source import from_objects


def check_model(  # noqa: PLR0913 - a user sets them by name
    model: nn.Module,
    loss: Callable[..., Any] | None,
    batch: object,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    budget: float = BUDGET,
    seeds: int = SEEDS,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> Report:
    """Check a model in one line at the head of a training script: `nndoctor.check_model(model, loss, next(iter(loader)))`.

    `batch` is (inputs, targets), a dict for models that return their loss (then `loss` is None), or a DataLoader.
    `budget` is in seconds. Model, optimizer and random state are as before when it returns.
    Settings are those of the current folder. Raises UsageError where model, loss and batch do not fit together.
    """
    run = examine(from_objects(model, loss, batch, optimizer), budget=budget, seeds=seeds)
    session = Session(SessionOptions(select=tuple(select), ignore=tuple(ignore)))
    return session.judge(run, log="-", families=FAMILIES)


def assert_trains(  # noqa: PLR0913 - a user sets them by name
    model: nn.Module,
    loss: Callable[..., Any] | None,
    batch: object,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    budget: float = 20.0,
    fail_on: Severity | str = Severity.ERROR,
    ignore: Iterable[str] = (),
) -> None:
    """For tests: raise AssertionError with the findings at `fail_on` or worse, one a line."""
    report = check_model(model, loss, batch, optimizer, budget=budget, seeds=1, ignore=ignore)
    found = report.at_least(Severity(fail_on))
    if found:
        lines = "\n".join(f"{f.code} {f.severity} {f.name}: {f.message}" for f in found)
        raise AssertionError(f"{type(model).__name__} will not train:\n{lines}")


def unjudged(report: Report) -> str | None:
    """Why a report says little: no rule was asked for, or the budget left no time to train the model."""
    if not report.findings and not report.cleared:
        return f"cannot be judged: {report.skipped[0].reason if report.skipped else 'no rules selected'}"
    little = report.run.fact("too_little_examined")
    return str(little) if little is not None and not report.at_least(Severity.WARNING) else None

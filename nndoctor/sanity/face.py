"""The check-up from Python: a report on a model at hand, and an assertion for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.rule import Rule
from nndoctor.diagnosis.catalogue import select as select_rules
from nndoctor.diagnosis.engine import diagnose
from nndoctor.sanity.checkup import BUDGET, SEEDS, examine
from nndoctor.sanity.source import from_objects

OURS = ("NN301", "NN302", "NN4", "NN5", "NN6", "NN7", "NN8")
"""The rules of a check-up: what a few steps show; the others want a whole training's log."""


def rules(select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules that a check-up is judged by. Raises UsageError for a word that means no rule."""
    chosen = select_rules(select, ignore)
    return chosen if tuple(select) else tuple(rule for rule in chosen if rule.code.startswith(OURS))


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
    Raises UsageError where model, loss and batch do not fit together.
    """
    run = examine(from_objects(model, loss, batch, optimizer), budget=budget, seeds=seeds)
    return diagnose(run, rules(select, ignore))


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
        raise AssertionError(f"{type(model).__name__} will not train as it stands:\n{lines}")

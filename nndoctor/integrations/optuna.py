"""Optuna: `optuna.create_study(pruner=nndoctor.integrations.optuna.OptunaPruner())`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.integrations.trials import Judge

try:
    from optuna.pruners import BasePruner
except ImportError as error:
    raise UsageError("Optuna is not installed; pip install 'nndoctor[optuna]'") from error


class OptunaPruner(BasePruner):
    """Prunes trials that fail: their value became NaN, diverges, or has any other finding of error severity.

    `metric` says how to judge what `trial.report` is given: as "train/loss" (a loss of any split that becomes NaN, climbs
    above its start or never moves), "validation/accuracy" and so on; `severity` from which on a finding prunes. Trials that merely do worse than others are left to `then`, a pruner of Optuna's.
    """

    def __init__(
        self,
        metric: str = "train/loss",
        *,
        severity: str = "error",
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        then: Any = None,
    ) -> None:
        self._metric, self._then = metric, then
        self._judge = Judge(severity, select, ignore)

    def prune(self, study: Any, trial: Any) -> bool:
        """Whether the trial fails, or `then` prunes it."""
        points = sorted(trial.intermediate_values.items())
        if points and not math.isfinite(points[-1][1]):
            return True
        if points and self._judge.fails(trial.number, {self._metric: points}) is not None:
            return True
        return self._then is not None and bool(self._then.prune(study, trial))

"""Ray Tune: `tune.RunConfig(stop=nndoctor.integrations.ray.Stopper(metric="val_loss"))`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.integrations.trials import Judge

try:
    from ray.tune import Stopper as Base
except ImportError as error:
    raise UsageError("Ray Tune is not installed; pip install 'nndoctor[ray]'") from error


class Stopper(Base):  # type: ignore[misc]  # Ray is an optional package
    """Stops trials that fail: a metric became NaN, diverges, or has any other finding of error severity.

    `metric` names what the trials report, `series` how to judge it: as "train/loss" (a loss of any split that becomes NaN,
    climbs above its start or never moves), "validation/accuracy" and so on; `severity` from which on a finding stops a trial. The other trials go on.
    """

    def __init__(
        self,
        metric: str,
        series: str = "train/loss",
        *,
        severity: str = "error",
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
    ) -> None:
        self._metric, self._series = metric, series
        self._judge = Judge(severity, select, ignore)
        self._values: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether the trial that reported this result fails."""
        value = result.get(self._metric)
        if not isinstance(value, (int, float)):
            return False
        points = self._values.setdefault(trial_id, [])
        points.append((float(result.get("training_iteration", len(points) + 1)), float(value)))
        return not math.isfinite(value) or self._judge.fails(trial_id, {self._series: points}) is not None

    def stop_all(self) -> bool:
        """Never: one trial's failure says nothing about the others."""
        return False

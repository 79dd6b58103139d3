"""Whether a run keeps its findings when its log is written a little differently."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from benchmarks.accuracy.judged import Judged, judge
from benchmarks.accuracy.measures import Share, share
from benchmarks.prognosis.derive import VARIANTS

TRIED = ("first row dropped", "rounded", "no learning rate", "no metrics")


def robustness(lines: Sequence[dict[str, Any]], runs: Sequence[Judged], jobs: int) -> list[tuple[str, Share, Share]]:
    """For each variant of the logs: the runs with the same errors and warnings, and the healthy runs that are flagged."""
    before = {run.line["id"]: run.names for run in runs}
    rows = []
    for kind in TRIED:
        changed = [{**line, "log": VARIANTS[kind](line["log"], random.Random(0))} for line in lines]  # noqa: S311
        after = judge(changed, jobs=jobs)
        same = share([run.names == before[run.line["id"]] for run in after])
        rows.append((kind, same, share([bool(run.names) for run in after if run.expected.healthy])))
    return rows

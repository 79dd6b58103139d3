"""`comet:workspace/project[/experiment]`: experiments at Comet, by its own API client."""

from __future__ import annotations

from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.semantics.hyperparameters import settings_in
from nndoctor.readers.services.fetched_runs import MAX_RUNS, FetchedRun, parts, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.long_rows import widened
from nndoctor.readers.tables.table import Table, from_records

KEPT_FIELDS = ("metricName", "metricValue", "step", "epoch", "timestamp", "runContext")


def read(rest: str) -> list[Table]:
    """The tables of an experiment, or of all experiments of a project, oldest first."""
    words = parts(rest, "comet:WORKSPACE/PROJECT or comet:WORKSPACE/PROJECT/EXPERIMENT")
    from comet_ml.api import API

    answer = API().get("/".join(words))
    if answer is None:
        raise UnreadableLog("not found; check the names, and that your account may see it")
    named = len(words) == 3
    runs = [answer] if named else sorted(answer, key=lambda run: run.start_server_timestamp or 0)[-MAX_RUNS:]
    return tables_of_runs((_found(run, words) for run in runs), named=named)


def _found(run: Any, words: list[str]) -> FetchedRun | None:  # noqa: ANN401 - Comet ships no types
    """An experiment with all points of its metrics, as Comet's JSON export has them; None of one without."""
    points = [
        {key: point[key] for key in KEPT_FIELDS if point.get(key) is not None}
        for point in run.get_metrics() or ()
        if not str(point.get("metricName", "")).startswith("sys.")
    ]
    rows = widened(points) if len(points) > 1 else None
    if not rows:
        return None
    given = {one["name"]: one.get("valueCurrent") for one in run.get_parameters_summary() or ()}
    address = f"comet:{words[0]}/{words[1]}/{run.id}"
    return FetchedRun(run.id, run.get_name() or "", address, from_records(rows, "comet", facts=settings_in(given)))


SERVICE = Service("Comet", "comet_ml", "comet", "set COMET_API_KEY or run 'comet login'", read)

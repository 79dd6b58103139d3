"""`swanlab:user/project[/run]`: experiments at SwanLab, by its public API."""

from __future__ import annotations

from itertools import islice
from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.services.fetched_runs import MAX_RUNS, FetchedRun, parts, run_of_curves, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.curve_files import Curve, counted
from nndoctor.readers.tables.table import Table


def read(rest: str) -> list[Table]:
    """The tables of a run, or of all runs of a project."""
    words = parts(rest, "swanlab:USER/PROJECT or swanlab:USER/PROJECT/RUN")
    from swanlab import Api

    api, project = Api(), "/".join(words[:2])
    named = len(words) == 3
    runs = [api.run("/".join(words))] if named else islice(api.runs(project), MAX_RUNS)
    return tables_of_runs((_found(run, project) for run in runs), named=named)


def _found(run: Any, project: str) -> FetchedRun | None:  # noqa: ANN401 - SwanLab ships few types
    """A run with its whole curves; None of one without."""
    if not run.run_id:
        _ = run.created_at_ts  # which raises with the server's words, where an empty run does not
        raise UnreadableLog("no such run")
    keys = list(run.summary())
    curves: dict[str, Curve] = {}
    for one in run.metrics(keys, all=True, ignore_timestamp=True)["list"] if keys else ():
        points = [(float(p["step"]), found) for p in one["metrics"] if (found := number(str(p["value"]))) is not None]
        curves[one["key"]] = counted([step for step, _ in points], [value for _, value in points])
    given = _values(run.profile.get("config") or {})
    return run_of_curves(run.run_id, run.name, f"swanlab:{project}/{run.run_id}", curves, given)


def _values(config: dict[str, Any]) -> dict[str, object]:
    """The settings of a configuration, in which SwanLab wraps each value: {"lr": {"value": 0.1, "desc": "", "sort": 0}}."""
    return {
        name: value["value"] if isinstance(value, dict) and "value" in value else value
        for name, value in config.items()
    }


SERVICE = Service("SwanLab", "swanlab", "swanlab", "set SWANLAB_API_KEY or run 'swanlab login'", read)

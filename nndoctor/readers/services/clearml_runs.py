"""`clearml:project/task`, `clearml:task_id`: tasks of a ClearML server, by its own client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.services.fetched_runs import MAX_RUNS, FetchedRun, run_of_curves, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.curve_files import Curve, counted
from nndoctor.readers.tables.table import Table

MACHINE = (":monitor:gpu", ":monitor:machine")  # titles of what ClearML itself measures


def read(rest: str) -> list[Table]:
    """The tables of a task by its id or its name, or of all tasks of a project; names may contain slashes."""
    from clearml import Task

    rest = rest.strip("/")
    if len(rest) == 32 and "/" not in rest:
        return tables_of_runs([_found(Task.get_task(task_id=rest))], named=True)
    project, _, name = rest.rpartition("/")
    tasks = _in(project, Task.get_tasks(project_name=project, task_name=f"^{re.escape(name)}$")) if project else []
    named = bool(tasks)
    tasks = tasks or _in(rest, Task.get_tasks(project_name=rest))
    if not tasks:
        raise UnreadableLog(
            "no such project or task; expected clearml:PROJECT, clearml:PROJECT/TASK or clearml:TASK_ID"
        )
    return tables_of_runs(map(_found, tasks[-MAX_RUNS:]), named=named)


def _in(project: str, tasks: Sequence[Any]) -> list[Any]:
    """The tasks of the project of exactly this name; ClearML also gives those of projects whose names contain it."""
    return [task for task in tasks if task.get_project_name() == project]


def _found(task: Any) -> FetchedRun | None:  # noqa: ANN401 - ClearML ships no types
    """A task with its scalars; None of one without. A title holds several series: loss with train and validation."""
    curves: dict[str, Curve] = {}
    for title, series in task.get_all_reported_scalars().items():
        if title in MACHINE:
            continue
        for name, points in series.items():
            label = title if name == title else f"{name}/{title}"
            curves[label] = counted([float(x) for x in points["x"]], [float(y) for y in points["y"]])
    given = {name.partition("/")[2] or name: value for name, value in (task.get_parameters() or {}).items()}
    return run_of_curves(task.id, task.name, f"clearml:{task.id}", curves, given)


SERVICE = Service(
    "ClearML",
    "clearml",
    "clearml",
    "run 'clearml-init', or set CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY",
    read,
)

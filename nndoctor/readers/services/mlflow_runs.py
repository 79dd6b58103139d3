"""`mlflow:experiment[/run]`: the runs of an MLflow tracking server or store, by MLflow's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.services.fetched_runs import MAX_RUNS, FetchedRun, run_of_curves, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.curve_files import counted
from nndoctor.readers.tables.table import Table

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

PAGE = 200  # runs of one answer


def read(rest: str) -> list[Table]:
    """The tables of a run, or of all runs of an experiment; both by name or id."""
    from mlflow import MlflowClient

    _has_store()
    client = MlflowClient()
    experiment, wanted = _experiment(client, rest.strip("/"))
    runs = [run for run in _runs(client, experiment) if not wanted or wanted in (run.info.run_id, run.info.run_name)]
    if not runs:
        raise UnreadableLog((f"no run '{wanted}'" if wanted else "no run") + " in this experiment")
    return tables_of_runs((_found(client, experiment, run) for run in runs), named=bool(wanted))


def _has_store() -> None:
    """Raise UnreadableLog if no store is named and this folder has none: MLflow would create an empty one."""
    import mlflow

    uri = mlflow.get_tracking_uri()
    path = uri.removeprefix("sqlite:///").removeprefix("file://")
    if ":" not in path and not Path(path).exists():
        raise UnreadableLog(
            f"there is no MLflow store at {path}; name one with MLFLOW_TRACKING_URI, as http://HOST:5000 or sqlite:///mlflow.db"
        )


def _experiment(client: MlflowClient, rest: str) -> tuple[Experiment, str]:
    """The experiment by name or id, and the run after it; names may contain slashes."""
    from mlflow.exceptions import MlflowException

    before, _, after = rest.rpartition("/")
    for name, run in ((rest, ""), (before, after)):
        found = client.get_experiment_by_name(name) if name else None
        if found is None and name.isdigit():
            try:
                found = client.get_experiment(name)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        if found is not None:
            return found, run
    known = ", ".join(one.name for one in client.search_experiments(max_results=8))
    raise UnreadableLog(f"no such experiment; there are {known or 'none'}")


def _runs(client: MlflowClient, experiment: Experiment) -> Iterator[Run]:
    """The experiment's runs, oldest first."""
    token: str | None = None
    count = 0
    while count < MAX_RUNS:
        page = client.search_runs(
            [experiment.experiment_id], max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token
        )
        yield from page
        count += len(page)
        token = page.token
        if not token:
            return


def _found(client: MlflowClient, experiment: Experiment, run: Run) -> FetchedRun | None:
    """A run with its curves; None of one that logged none."""
    curves = {}
    for key in run.data.metrics:
        if key.startswith("system/"):
            continue
        points = sorted(client.get_metric_history(run.info.run_id, key), key=lambda one: (one.step, one.timestamp))
        curves[key] = counted([float(one.step) for one in points], [float(one.value) for one in points])
    address = f"mlflow:{experiment.name}/{run.info.run_id}"
    return run_of_curves(run.info.run_id, run.info.run_name, address, curves, run.data.params)


SERVICE = Service(
    "MLflow",
    "mlflow",
    "mlflow",
    "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    read,
)

"""`aim:folder[#run]`: the runs of an Aim repository, also on a server (`aim:aim://host:port`), by Aim's own client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.services.fetched_runs import MAX_RUNS, FetchedRun, run_of_curves, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.curve_files import Curve, counted
from nndoctor.readers.tables.table import Table


def read(rest: str) -> list[Table]:
    """The tables of one run, or of all runs of the repository, oldest first."""
    place, _, wanted = rest.partition("#")
    if "://" not in place and not (Path(place) / ".aim").is_dir() and Path(place).name != ".aim":
        raise UnreadableLog(f"no Aim repository in '{place}'; expected a folder that holds .aim")
    from aim import Repo, Run

    repository = Repo(place)
    runs = [Run(key, repo=repository, read_only=True) for key in repository.list_all_runs()[-MAX_RUNS:]]
    runs = [run for run in runs if not wanted or wanted in (run.hash, run.name)]
    if not runs:
        raise UnreadableLog(f"no run '{wanted}' in this repository" if wanted else "the repository holds no run")
    return tables_of_runs((_found(run, place) for run in runs), named=bool(wanted))


def _found(run: Any, place: str) -> FetchedRun | None:  # noqa: ANN401 - Aim ships no types of use
    """A run with its curves; None of one without."""
    curves: dict[str, Curve] = {}
    for metric in run.metrics():
        if metric.name.startswith("__system__"):
            continue
        steps, (values, *_) = metric.data.numpy()
        subset = metric.context.to_dict().get("subset", "")  # where Aim keeps the split
        name = f"{subset}/{metric.name}" if subset else metric.name
        curves[name] = counted([float(step) for step in steps], [float(value) for value in values])
    return run_of_curves(run.hash, run.name, f"aim:{place}#{run.hash}", curves, _config(run))


def _config(run: Any) -> dict[str, object]:  # noqa: ANN401
    """What the user set on the run: `run["hparams"]`, or settings of their own names."""
    own = {key: run[key] for key in run.meta_run_attrs_tree.keys() if not str(key).startswith("__")}  # noqa: SIM118 - a tree, no dict
    given = own.pop("hparams", {})
    return {**own, **given} if isinstance(given, dict) else own


SERVICE = Service("Aim", "aim", "aim", "start the server with access for this machine", read)

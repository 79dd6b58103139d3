"""`wandb:entity/project[/run]`: runs at Weights & Biases, by its public API."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.semantics.hyperparameters import settings_in
from nndoctor.readers.services.fetched_runs import MAX_ROWS, MAX_RUNS, FetchedRun, tables_of_runs
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.table import Table, from_records

FORM = "wandb:ENTITY/PROJECT, wandb:ENTITY/PROJECT/RUN or wandb:ENTITY/PROJECT/sweeps/SWEEP"


def read(rest: str) -> list[Table]:
    """The tables of a run, of all runs of a sweep, or of all runs of a project, oldest first."""
    words = [word for word in rest.strip("/").split("/") if word and word != "runs"]
    sweep = len(words) == 4 and words[2] == "sweeps"
    if len(words) not in (2, 3) and not sweep:
        raise UnreadableLog(f"expected {FORM}")
    api = client()
    if len(words) == 3:
        return tables_of_runs([_found(api.run("/".join(words)))], named=True)
    runs: Iterable[Any] = (
        api.sweep("/".join([*words[:2], words[3]])).runs if sweep else api.runs("/".join(words), order="+created_at")
    )
    return tables_of_runs(map(_found, islice(runs, MAX_RUNS)), named=False)


def client() -> Any:  # noqa: ANN401 - W&B ships no types of use
    """The client; it never prompts for a key, since a script would wait forever."""
    os.environ.setdefault("WANDB_SILENT", "true")
    from wandb import Api
    from wandb.sdk.lib import wbauth

    host = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
    if wbauth.authenticate_session(host=host, source="nndoctor", prompt=False, update_session=False) is None:
        raise UnreadableLog(f"{SERVICE.name} gives no access (no API key); {SERVICE.login}")
    return Api()


def _found(run: Any) -> FetchedRun | None:  # noqa: ANN401
    """A run with its whole history, not a sample of it; None of one that logged fewer than two rows."""
    rows = list(islice(run.scan_history(), MAX_ROWS))
    if len(rows) < 2:
        return None
    kept = [{key: value for key, value in row.items() if not _is_media(value)} for row in rows]
    address = f"wandb:{run.entity}/{run.project}/{run.id}"
    return FetchedRun(run.id, run.name or "", address, from_records(kept, "wandb", facts=settings_in(run.config)))


def _is_media(value: object) -> bool:
    """A histogram, an image, a table: a dict that names its type."""
    return isinstance(value, dict) and "_type" in value


SERVICE = Service("Weights & Biases", "wandb", "wandb", "set WANDB_API_KEY or run 'wandb login'", read)

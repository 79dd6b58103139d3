"""Results written back to the service of a run, on request: tags and a summary of W&B, tags of MLflow."""

from __future__ import annotations

from collections.abc import Mapping

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.address import split
from nndoctor.readers.services import service_of
from nndoctor.readers.services.service import client_errors

PREFIX = "nndoctor"
WRITABLE = ("wandb", "mlflow")
MAX_TAG = 250  # characters of a tag's value that every MLflow server takes


def annotate(address: str, result: Mapping[str, str]) -> None:
    """Write results (`verdict`, `finding`, `severity`) to a run, replacing earlier ones.

    Raises UnreadableLog where the run or the right to write is missing, or the service takes no results.
    """
    scheme, rest = split(address) or ("", "")
    if scheme not in WRITABLE:
        raise UnreadableLog(f"{address}: results can be written to runs at W&B and MLflow only")
    with client_errors(address, service_of(scheme)):
        if scheme == "wandb":
            _to_wandb(rest, result)
        else:
            _to_mlflow(rest.rpartition("/")[2], result)


def _to_wandb(path: str, result: Mapping[str, str]) -> None:
    from nndoctor.readers.services.wandb_runs import client

    run = client().run(path)
    for name, value in result.items():
        run.summary[f"{PREFIX}/{name}"] = value
    others = [tag for tag in run.tags if not tag.startswith(f"{PREFIX}:")]
    run.tags = [*others, f"{PREFIX}:{result['finding']}"]
    run.update()


def _to_mlflow(run_id: str, result: Mapping[str, str]) -> None:
    from mlflow import MlflowClient

    tracking = MlflowClient()
    for name, value in result.items():
        tracking.set_tag(run_id, f"{PREFIX}.{name}", value[:MAX_TAG])

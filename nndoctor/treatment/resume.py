"""Going on with a treatment from the file that an earlier one wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.treatment.treat import Treatment
from nndoctor.treatment.trial import Trial


def resumed(file: str, path: str) -> Treatment:
    """The trials of an earlier treatment of this model file. Raises UsageError for another file or one that is damaged."""
    try:
        held = json.loads(Path(file).read_text(encoding="utf-8"))
        treatment = Treatment(path, int(held["steps"]))
        for trial in map(_trial, held["trials"]):
            treatment.trials[trial.change, trial.seed] = trial
        model = held["model"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--resume: {file} is not a treatment that can be continued ({type(error).__name__})"
        ) from None
    if Path(model).name != Path(path).name:
        raise UsageError(f"--resume: {file} is the treatment of {model}, not of {path}")
    return treatment


def _trial(held: Mapping[str, Any]) -> Trial:
    """A trial as the file holds it. Raises KeyError, TypeError or ValueError for what is none."""
    trial = Trial(
        str(held["change"]), int(held["seed"]), [int(s) for s in held["steps"]], list(map(_loss, held["losses"]))
    )
    trial.seconds, trial.cut, trial.start = float(held["seconds"] or 0), str(held["cut"]), _loss(held["start"])
    trial.given_up = None if held["given_up"] is None else float(held["given_up"])
    trial.settings = dict(held["settings"])
    trial.train_steps = [int(s) for s in held["train_steps"]]
    trial.train_losses = list(map(_loss, held["train_losses"]))
    trial.rates = [float(v) for v in held["rates"]]
    return trial


def _loss(held: float | None) -> float:
    """A loss, which JSON holds as null where it is not finite."""
    return math.nan if held is None else float(held)

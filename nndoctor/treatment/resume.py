"""Going on with a treatment from the file that an earlier one wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path

from nndoctor.core.errors import UsageError
from nndoctor.treatment.treat import Treatment
from nndoctor.treatment.trial import Trial


def resumed(file: str, path: str) -> Treatment:
    """The trials of an earlier treatment of this model file. Raises UsageError for another file or one that is damaged."""
    try:
        held = json.loads(Path(file).read_text(encoding="utf-8"))
        treatment = Treatment(path, int(held["steps"]))
        for one in held["trials"]:
            losses = [math.nan if value is None else float(value) for value in one["losses"]]
            trial = Trial(str(one["change"]), int(one["seed"]), [int(s) for s in one["steps"]], losses)
            trial.seconds, trial.cut = float(one["seconds"] or 0), str(one["cut"])
            trial.start = math.nan if one["start"] is None else float(one["start"])
            trial.given_up = None if one["given_up"] is None else float(one["given_up"])
            trial.settings = dict(one["settings"])
            trial.train_steps = [int(s) for s in one["train_steps"]]
            trial.train_losses = [math.nan if v is None else float(v) for v in one["train_losses"]]
            trial.rates = [float(v) for v in one["rates"]]
            treatment.trials[trial.change, trial.seed] = trial
        model = held["model"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--resume: {file} is not a treatment that can be continued ({type(error).__name__})"
        ) from None
    if Path(model).name != Path(path).name:
        raise UsageError(f"--resume: {file} is the treatment of {model}, not of {path}")
    return treatment

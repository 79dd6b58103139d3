"""The scope of the prognosis: runs like those that it was trained on."""

from __future__ import annotations

import numpy as np

from nndoctor.analysis.layers import is_trial
from nndoctor.analysis.start import begins_late, only_begun
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array
from nndoctor.prognosis.model import Model

MIN_POINTS = 4  # values of the training loss below which a curve has no shape
MIN_UNDER_A_SCHEDULE = 8  # the same where the learning rate changes
MAX_MOVE = 1.1  # factor by which a rate that counts as constant may change
# The kinds of training that the retrained networks represent.
KNOWN = frozenset({Workload.SUPERVISED, Workload.PRETRAINING, Workload.FINE_TUNING, Workload.DETECTION})
# The highest usual rate of a pretrained network: full fine-tuning takes 1e-6 to 5e-5, LoRA 1e-5 to 5e-4.
MAX_TUNING_RATE = 1e-3


SHORTEST, LONGEST = 40, 2040
"""Steps of the shortest and of the longest of the retrained networks whose steps are logged, but for excerpts. Rows without a
number count as steps, but where every few of them are evaluated they are epochs."""

# First loss of guessing among 400 to 250,000 words; none of the retrained networks has such a vocabulary.
OF_WORDS = (6.0, 12.5)
# Peak learning rate up to which such a loss is taken for a language model's: a regression may begin there, too.
OF_ADAM = 1e-2


def why_out_of_scope(run: Run, row: Array, model: Model) -> str | None:
    """Why there is no prognosis for a run with these measurements; None where there is one."""
    loss = run.series.get("train/loss")
    if loss is None or len(loss.y) < MIN_POINTS:
        return f"the training loss has fewer than {MIN_POINTS} values"
    lr = run.series_of("lr")
    if len(loss.y) < MIN_UNDER_A_SCHEDULE and lr is not None and lr.high > MAX_MOVE * lr.low:
        return "the learning rate changes, and the training loss has too few values to show what that does"
    if is_trial(run):
        return "a check-up of a few steps is no training run"
    if (unseen := _of_another_kind(run, lr) or _beyond(run, loss, lr) or _excerpt(run)) is not None:
        return unseen
    if out_of_range_counts(row[None], model)[0] > int(model.extra["most_beyond"]):
        return "no comparable runs"
    return None


def _of_another_kind(run: Run, lr: Series | None) -> str | None:
    """Why no retrained network was trained for what this one was; None where some were."""
    if workload(run) not in KNOWN:
        return f"no comparable runs: the prognosis does not cover {str(workload(run)).replace('-', ' ')}"
    if workload(run) is Workload.FINE_TUNING and (lr is None or lr.high <= MAX_TUNING_RATE):
        return "no comparable runs: none of the retrained networks began from a pretrained one"
    return None


def _beyond(run: Run, loss: Series, lr: Series | None) -> str | None:
    """Why a run that logs its steps is shorter or larger than any that was retrained; None where it is not."""
    if run.axis != "step":
        return None
    if loss.last_step > LONGEST:
        return f"no comparable runs: the retrained networks took at most {LONGEST:,} steps"
    if loss.last_step < SHORTEST - 1 and run.series_of("validation/loss|validation/metric") is None:
        return f"no comparable runs: the retrained networks took at least {SHORTEST} steps"
    low, high = OF_WORDS
    text = run.metric is None and lr is not None and lr.high <= OF_ADAM
    if text and low < loss.initial < high and loss.last > 1:
        return "no comparable runs: none of the retrained networks has so large a vocabulary"
    return None


def _excerpt(run: Run) -> str | None:
    """Why a log shows too little of a run for a prognosis; None where it does not."""
    if begins_late(run) is not None:
        return "the log begins in the middle of a run"
    return "the log shows less than a tenth of the first epoch" if only_begun(run) else None


def out_of_range_counts(rows: Array, model: Model) -> Array:
    """How many measurements of each run are outside the range of the training runs."""
    low, high = model.extra["known_low"], model.extra["known_high"]
    return np.asarray(((rows < low) | (rows > high)).sum(axis=1))

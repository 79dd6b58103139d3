"""The training and the validation curve of one measure over the stretch of the run that both cover."""

from __future__ import annotations

from nndoctor.analysis.start import begins_late
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.run import Run
from nndoctor.core.series import Series

NEARLY_ALL = 0.9  # share of training's steps; a validation that ends earlier is compared with training up to there
LATE_BEST = 0.8  # share of the run after which the best validation loss shows that it still improves
# Share of the validation loss of a tuned language model, which is then 1.5 times that of its examples: they are partly memorized.
MIN_GAP_OF_TEXT = 1 / 3
OPEN, MAX_LEFT = 0.6, 0.9  # share of the validation loss, and of the first training loss that is left at the end
MIN_NATS = 0.1  # a smaller gap in cross-entropy changes one answer in twenty at most
# Share of the validation loss by which a settled one falls over the last third of the evaluations.
MAX_FALL_OF_TEXT = 0.03


def shared(run: Run, measure: str = "loss") -> tuple[Series, Series]:
    """Training and validation of a measure that both log (`loss`, or `metric` for the judged error).

    Where validation ended early, training is cut there: what training reached later has nothing to be compared with.
    """
    train = run.error("train") if measure == "metric" else run.series.get(f"train/{measure}")
    validation = run.error("validation") if measure == "metric" else run.series.get(f"validation/{measure}")
    if train is None or validation is None:
        raise KeyError(measure)
    return upto(train, validation), validation


def upto(train: Series, validation: Series) -> Series:
    """The training series up to the end of a validation series that ends early; as it is elsewhere, or where too little is left."""
    if not len(train.y) or not len(validation.y):
        return train
    end = validation.last_step
    kept = train.steps <= end
    if end >= train.step_at(NEARLY_ALL) or int(kept.sum()) < min(len(validation.y), 2):
        return train
    lines = None if train.lines is None else train.lines[kept]
    return Series(train.name, train.steps[kept], train.values[kept], train.column, lines, train.scale)


def validation_improves(run: Run) -> bool:
    """Whether the validation loss is at its best in the last fifth of the run, by more than its noise."""
    validation = run.series_of("validation/loss", 2)
    if validation is None or validation.share_of_run(validation.best_step) <= LATE_BEST:
        return False
    earlier = validation.y[validation.x <= validation.step_at(LATE_BEST)]
    return float(earlier.min()) - validation.best > validation.noise


def opened_before(run: Run, train: Series, validation: Series) -> bool:
    """Whether a log that begins in the middle of a run shows a wide gap, and a training loss that falls while the validation loss does not."""
    if begins_late(run) is None or min(train.low, validation.low) <= 0:
        return False
    wide = min(validation.first - train.first, validation.last - train.last) > max(OPEN * validation.high, MIN_NATS)
    return wide and train.last < MAX_LEFT * train.first and validation.last >= validation.first


def gap_of_text(run: Run, gap: float, validation: Series) -> float:
    """The gap of a language model as a share of its validation loss, once that no longer falls.

    A tuned model comes far down by learning the format of its examples, which says nothing of what it memorized since.
    """
    late = validation.y[-max(len(validation.y) // 3, 2) :]
    settled = float(late[0] - late[-1]) < MAX_FALL_OF_TEXT * validation.last
    kind = workload(run) is Workload.FINE_TUNING
    large = gap > max(MIN_GAP_OF_TEXT * validation.last, MIN_NATS) and validation.last > 0
    return gap / validation.last if kind and settled and large else 0.0

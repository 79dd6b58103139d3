"""The training and the validation curve of one measure over the stretch of the run that both cover."""

from __future__ import annotations

from nndoctor.core.run import Run
from nndoctor.core.series import Series

NEARLY_ALL = 0.9  # share of training's steps; a validation that ends earlier is compared with training up to there


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

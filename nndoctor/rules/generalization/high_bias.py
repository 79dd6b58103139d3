"""The network cannot fit its training data: by a known target error, or as networks with such curves turned out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis.bias import EXPLAINED_BY, TrainingError, target_error, training_error
from nndoctor.analysis.chance import known_classes
from nndoctor.analysis.convergence import confidence_between
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.prognosis import UNLIKELY
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import (
    HEALTHY_FLAGGED,
    causes,
    course,
    derived_finding,
    helps,
    outcome,
    probability,
    remedies,
)

MAX_BIAS = 0.05  # training error above a known target; Ng's worked examples call 7 points high and 1 point fine
CERTAIN_BIAS = 0.15  # the courses' 15% is high bias beyond doubt
ASSUMED_BIAS = 0.14  # the same above an assumed target near zero: the courses' 15% is high bias, their 1% is not
HIGH_ERROR = 0.22  # training error without a target that is more than the noise of most data
# Classes, or tokens, beyond which few tasks can be learned to the last example, and a wider network nearly always fits better.
MANY_CLASSES = 15
MAX_LATE_FALL = 0.05  # points by which a settled error may fall in the second half of the run
STILL_FALLS = 0.01  # share of an error by which it falls from one value to the next while it has not settled
MIDDLE = (0.45, 0.55)  # shares of the run between which the error is its level in the middle
MIN_HELPS = 0.2  # probability that a wider network helps, below which a high error is taken for the data's own
# Epochs before which the error of a run that logs its steps has not settled, however flat the learning rate makes it.
MIN_EPOCHS = 10
MIN_OF_PLANNED = 0.5  # share of the epochs that a run is to have, before which its error has not settled
ERRORS = 2.0  # standard errors by which the level of a noisy error must be above that
LAST = 0.1  # share of the values that give its level at the end
MIN_VALUES = 5  # values of the error below which no target is assumed
OWN_SHARE = 0.5  # bias smaller than this share of the variance is not what to treat first
REMEDIES = ("larger-network", "less-regularization", "train-longer", "other-architecture", "set-target-error")


def check(run: Run) -> Iterator[Symptom]:
    """Compare the training error with the target where one is known, else ask the prognosis."""
    if target_error(run) is None and "train/loss" in run.series:
        found = derived_finding(run, "high-bias", "wider", REMEDIES, lambda: course(run) + outcome(run, "wider"))
        if found is not None:
            yield replace(found, severity=Severity.INFO if _many_classes(run) else None)
        else:
            yield from _settled_high(run)
        return
    error = training_error(run)
    if error is not None and (target_error(run) is not None or len(error.curve.y) >= MIN_VALUES):
        yield from _above_target(run, error)


def _settled_high(run: Run) -> Iterator[Symptom]:
    """A training error that is high, hardly lower than in the middle of the run, and that a wider network may lower."""
    error, sure, wider = training_error(run), probability(run, "high-bias"), helps(run, "wider")
    if error is None or sure is None or wider is None or len(error.curve.y) < MIN_VALUES:
        return
    if _many_classes(run) or _few_epochs(run):
        return
    if wider < MIN_HELPS or sure < UNLIKELY or not _is_high(error) or not _has_settled(error):
        return
    yield _symptom(
        run,
        error,
        f"{'training' if error.gap >= 0 else 'validation'} error has settled at {percent(error.end)}{outcome(run, 'wider')}; set the achievable error with --target-error",
        sure,
    )


def _few_epochs(run: Run) -> bool:
    """Whether the log shows few epochs, or less than half of those that it says the run is to have."""
    loss, planned = run.series["train/loss"], run.number("planned_epochs")
    if run.axis == "epoch" and loss.last_step < MIN_OF_PLANNED * planned:
        return True
    return run.axis == "step" and 0 < run.number("epochs") < MIN_EPOCHS


def _is_high(error: TrainingError) -> bool:
    """Whether an error ends high beyond chance, and not for the most part because of the gap to validation."""
    chance = ERRORS * error.curve.noise / math.sqrt(max(LAST * len(error.curve.y), 1.0))
    return error.end >= HIGH_ERROR + chance and OWN_SHARE * error.gap <= error.end


def _has_settled(error: TrainingError) -> bool:
    """Whether an error is hardly lower than in the middle of the run, and not among few values that all fall."""
    return error.curve.level(*MIDDLE) - error.curve.last < MAX_LATE_FALL and not _falls_steadily(error.curve)


def _falls_steadily(curve: Series) -> bool:
    """Whether each of a few values is below the one before, the last still by a clear share."""
    if len(curve.y) >= MIN_EPOCHS:
        return False
    return bool((np.diff(curve.y) < 0).all()) and float(curve.y[-2] - curve.y[-1]) > STILL_FALLS * float(curve.y[-1])


def _many_classes(run: Run) -> bool:
    """Whether the loss starts as high as among many classes or tokens, where a high error is usual."""
    count, loss = known_classes(run), run.series["train/loss"]
    return loss.first > math.log(MANY_CLASSES) if count is None else count > MANY_CLASSES


def _above_target(run: Run, error: TrainingError) -> Iterator[Symptom]:
    """An error above the target, or, of a log without a loss, clearly above zero."""
    target = target_error(run)
    bias = error.end - (target or 0.0)
    limit = MAX_BIAS if target is not None else ASSUMED_BIAS
    if bias < limit or bias < OWN_SHARE * error.gap or (target is None and not _has_settled(error)):
        return
    wanted = f"the target is {percent(target)}" if target is not None else "the target is assumed to be near 0%"
    yield _symptom(
        run,
        error,
        f"{'training' if error.gap >= 0 else 'validation'} error is {percent(error.end)}, and {wanted}{'' if target is not None else ' (set it with --target-error)'}",
        confidence_between(bias, limit, limit + CERTAIN_BIAS),
    )


def _symptom(run: Run, error: TrainingError, message: str, sure: float) -> Symptom:
    x = error.curve.x
    return Symptom(
        message,
        sure,
        {"train_error": error.end, "target_error": target_error(run), "gap": error.gap},
        series=f"train/{run.metric.name}" if run.metric else None,
        step=float(x[-1]),
        span=(float(x[len(x) * 3 // 4]), float(x[-1])),
        causes=causes(run),
        remedies=remedies(run, REMEDIES),
    )


RULE = Rule(
    code="NN101",
    name="high-bias",
    severity=Severity.WARNING,
    title="the network cannot fit its training data",
    needs={"train/metric|train/loss": 1},
    check=check,
    why="A network that cannot fit the examples it was shown will not do better on new ones. More data will not help; more capacity or less regularization will.",
    how=f"With a target (human level, --target-error): the training error is {100 * MAX_BIAS:g} points or more above it. Without: in a log that holds no loss, {100 * ASSUMED_BIAS:g} points or more; else a training error that has settled at {percent(HIGH_ERROR)} or more where a wider network may help, or the prognosis finds it likely that a wider network, more layers or less regularization gains at least a quarter of the possible improvement; its threshold flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on. The latter is information only where the loss starts as among more than {MANY_CLASSES} classes or tokens.",
    sources=(
        Reference("Ng, Machine Learning Yearning, chapters 20-27"),
        Reference(
            "CS231n: a small gap at low accuracy: 'your model capacity is not high enough'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn({"target_error": 0.0}, train_error="0.15", validation_error="0.16"),
        Run.drawn({"target_error": 0.0}, train_error="0.15", validation_error="0.30"),
    ),
    healthy=(
        Run.drawn({"target_error": 0.0}, train_error="0.01", validation_error="0.11"),
        Run.drawn({"target_error": 0.0}, train_error="0.005", validation_error="0.01"),
        Run.drawn({"target_error": 0.14}, train_error="0.15", validation_error="0.16"),
    ),
    suppressed_by=EXPLAINED_BY,
)

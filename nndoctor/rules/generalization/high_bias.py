"""The network cannot fit its training data: by a known target error, or as networks with such curves turned out."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.bias import EXPLAINED_BY, TrainingError, target_error, training_error
from nndoctor.analysis.convergence import sureness
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import causes, course, learned, outcome, remedies

MAX_BIAS = 0.05
"""Training error above a known target; Ng's worked examples call 7 points high and 1 point fine."""

CERTAIN_BIAS = 0.15
"""The courses' 15 % is high bias beyond doubt."""

ASSUMED_BIAS = 0.14
"""The same above an assumed target near zero: the courses' 15 % is high bias, their 1 % is not."""

MIN_VALUES = 5
"""Values of the error below which no target is assumed."""

OWN_SHARE = 0.5
"""Bias smaller than this share of the variance is not what to treat first."""

REMEDIES = ("larger-network", "less-regularization", "train-longer", "other-architecture", "set-target-error")


def check(run: Run) -> Iterator[Symptom]:
    """Compare the training error with the target where one is known, else ask the prognosis."""
    if target_error(run) is None and "train/loss" in run.series:
        found = learned(run, "high-bias", "wider", REMEDIES, lambda: course(run) + outcome(run, "wider"))
        if found is not None:
            yield found
        return
    error = training_error(run)
    if error is not None and (target_error(run) is not None or len(error.curve.y) >= MIN_VALUES):
        yield from _above_target(run, error)


def _above_target(run: Run, error: TrainingError) -> Iterator[Symptom]:
    """An error above the target, or, of a log without a loss, clearly above zero."""
    target = target_error(run)
    bias = error.end - (target or 0.0)
    limit = MAX_BIAS if target is not None else ASSUMED_BIAS
    if bias < limit or bias < OWN_SHARE * error.gap:
        return
    x = error.curve.x
    wanted = f"{percent(target)} is wanted" if target is not None else "the target is assumed to be near 0%"
    yield Symptom(
        f"training error is {percent(error.end)}, and {wanted}{'' if target is not None else ' (--target-error sets it)'}",
        sureness(bias, limit, limit + CERTAIN_BIAS),
        {"train_error": error.end, "target_error": target, "bias": bias, "gap": error.gap},
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
    how=f"With a target (human level, --target-error): the training error is {100 * MAX_BIAS:.0f} points or more above it. Without: in a log that holds no loss, {100 * ASSUMED_BIAS:.0f} points or more; else the prognosis finds it likely that a wider network, more layers or less regularization gains a quarter of what there is to learn; its limit flags at most 1 % of healthy runs of workloads it has never seen.",
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
    yields_to=EXPLAINED_BY,
)

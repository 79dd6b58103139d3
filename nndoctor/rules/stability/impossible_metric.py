"""A metric takes a value that it cannot take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.metrics import BY_NAME, series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_FRACTION = 1.006  # rounded percentages, and sums of them, may end a little above 100%
NEVER_NEGATIVE = frozenset({"mse", "rmse", "mae", "perplexity", "word_error", "character_error", "error", "fid"})
OF_NETWORKS = frozenset({"mse", "rmse", "mae", "perplexity"})  # errors of the network's own outputs
MAX_ERROR = 1e12  # no squared error of scaled targets, no perplexity of any vocabulary reaches it
CERTAIN = 0.95


def check(run: Run) -> Iterator[Symptom]:
    """Look for shares above one, negative errors and absurd sizes."""
    yield from islice(chain(_noted(run), _seen(run)), 1)


def _noted(run: Run) -> Iterator[Symptom]:
    """What the reader noted of metrics that it left out."""
    for name, fact in run.facts.items():
        if name.startswith("impossible:") and isinstance(fact.value, tuple):
            yield _of_fact(run, name.partition(":")[2], tuple(map(str, fact.value)), fact.line)


def _seen(run: Run) -> Iterator[Symptom]:
    for name, series in run.series.items():
        what = name.rpartition("/")[2]
        metric = BY_NAME.get(what) if "/" in name else None
        if (metric is None and what != "fid") or not len(series.y):
            continue
        share = metric is not None and metric.share and metric.higher
        if wrong := _wrong(what, series.low, series.high, share=share):
            value = series.low if wrong is NEGATIVE else series.high
            at = series.step_where(series.y == value)
            yield Symptom(
                f"{series_in_words(name)} is {number(value)} at {run.place(at)}: {wrong.why}",
                CERTAIN,
                {"value": value},
                series=name,
                step=at,
                causes=wrong.causes,
                remedies=wrong.remedies,
            )


def _wrong(metric: str, low: float, high: float, *, share: bool) -> Impossible | None:
    if share and high > MAX_FRACTION:
        return ABOVE_ONE
    if metric in NEVER_NEGATIVE and low < 0:
        return NEGATIVE
    if high <= MAX_ERROR:
        return None
    return EXPLODED if metric in OF_NETWORKS else ABSURD


def _of_fact(run: Run, name: str, value: tuple[str, ...], line: int | None) -> Symptom:
    kind, column, high, at = value
    why = {
        "summed": "it counts or sums, and is not divided by the number of examples",
        "above-1": "a fraction cannot exceed 1, and such a low percentage does not fit the loss",
    }.get(kind, "neither a fraction nor a percentage can be so high")
    return Symptom(
        f"{column} rises to {high} at {run.place(float(at))}: {why}",
        CERTAIN,
        {"value": float(high), "series": name},
        step=float(at),
        line=line,
    )


@dataclass(frozen=True, slots=True)
class Impossible:
    """A kind of impossible values: why they are impossible, and the causes and remedies that the rule does not have."""

    why: str
    causes: tuple[Cause, ...] = ()
    remedies: tuple[str, ...] = ()


ABOVE_ONE = Impossible("a share cannot exceed 1")
NEGATIVE = Impossible("it cannot be negative")
ABSURD = Impossible("no meaningful error is so large")
EXPLODED = Impossible(
    "no meaningful error is so large, the network's outputs have exploded",
    (
        Cause(
            "learning rate too high", 0.5, "the error grows at every step", "one run with a tenth of the learning rate"
        ),
        Cause(
            "inputs not normalized",
            0.4,
            "large numbers make the first gradients huge, and so do large targets",
            "print the mean and the standard deviation of a batch of inputs and of targets",
        ),
        Cause(
            "the metric is computed wrongly",
            0.1,
            "a sum or a wrong scale",
            "compute the metric with the targets as predictions",
        ),
    ),
    ("lower-learning-rate", "normalize-inputs", "clip-gradients", "fix-the-metric"),
)

RULE = Rule(
    code="NN313",
    name="impossible-metric",
    severity=Severity.WARNING,
    title="a metric takes a value that it cannot take",
    needs={"train/loss|validation/loss|train/metric|validation/metric|fid": 1},
    check=check,
    why="A metric with impossible values cannot be used to select a checkpoint. Most often a sum was not divided by the number of examples, or the wrong thing is counted.",
    how=f"An accuracy, F1, Dice or the like above one (or above a hundred percent), or one that grows by about one a row in whole numbers; a squared or absolute error, a perplexity or an error rate below zero; any of them above {MAX_ERROR:g}.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("fix-the-metric",),
    sick=(
        Run.drawn({"impossible:train/accuracy": ("summed", "Accuracy", "39", "40")}, train_loss="0.69..0.005*10"),
        Run.drawn(train_loss="0.9 0.8 0.7", train_accuracy="0.4 0.9 1.2"),
        Run.drawn(train_loss="0.9 0.8 0.7", validation_mse="0.4 -0.9 1.2"),
        Run.drawn(fid="310 -2.7e57 8.2e51"),
    ),
    healthy=(Run.drawn(train_loss="0.9 0.8 0.7", train_accuracy="0.4 0.9 1", validation_mse="0.4 0.2 0.1"),),
)

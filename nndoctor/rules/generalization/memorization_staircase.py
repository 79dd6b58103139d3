"""The training loss drops where each epoch begins and is flat in between."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.epochs import borders
from nndoctor.analysis.learning_rate import rates_at
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import MAD_TO_STD, Array, median

MIN_WINDOW, WINDOW = 3, 10  # values on each side of a border whose medians are the levels
ERRORS = 3.0  # standard errors of the difference of two such medians
MIN_DROP = 0.06  # share of the level before; a smaller drop is no step that a reader would see
WINDOWS_PER_EPOCH = 3  # an epoch is at least so many windows long
MIN_ONLY_DROP = 0.2  # the same where there are two epochs, and so one border only
CERTAIN_DROP = 0.4  # the same from which there is no other explanation
MAX_SLOPE = 0.5  # fall within the epochs, in drops at their borders: by more the loss simply falls
MIN_LONG, MIN_SHORT = 16, 8  # values of a log whose epochs have levels of their own, and of an excerpt with one border
MIN_BORDERS = 0.75  # share of the borders that show a drop
MIN_EPOCH = 0.4  # share of an epoch's usual length from which the last one shows a level
RATE_CUT = 0.7  # share of the learning rate before: such a cut explains the drop


def check(run: Run) -> Iterator[Symptom]:
    """Compare the levels before and after each border with the fall within the epochs."""
    loss = run.series["train/loss"]
    if len(loss.y) < MIN_LONG:
        yield from _one_step(run, loss)
        return
    first = _with_full_epochs(borders(run, loss), len(loss.y))
    if not len(first) or loss.low <= 0:
        return
    drops, slopes, noise = _steps(loss.y, first)
    least = MIN_ONLY_DROP if len(first) == 1 else MIN_DROP
    levels = np.array([median(loss.y[i - min(WINDOW, i) : i]) for i in first])
    steep = (drops > least * levels) & (drops > ERRORS * noise) & ~_rate_was_cut(run, loss, first)
    if steep.mean() < MIN_BORDERS or not steep[0] or float(slopes.sum()) > MAX_SLOPE * float(drops[steep].sum()):
        return
    seen = [_pair(run, loss, int(i)) for i in first[steep][:2]]
    shown = " and ".join(text for text in seen if text)
    yield Symptom(
        f"training loss drops where an epoch begins{f' ({shown})' if shown else ''} and is flat within the epochs: the model memorizes examples that it has seen before",
        confidence_between(float((drops[steep] / levels[steep]).mean()), least, CERTAIN_DROP),
        {"epochs": len(first) + 1, "mean_drop": float(drops[steep].mean()), "fall_within_epochs": float(slopes.mean())},
        series="train/loss",
        step=float(loss.x[first[0]]),
        span=(float(loss.x[first[0]]), loss.last_step),
    )


def _one_step(run: Run, loss: Series) -> Iterator[Symptom]:
    """The one border in an excerpt of a few rows: every value behind it is far below every value before it, under one learning rate."""
    at = _only_border(run, loss)
    if at is None or loss.low <= 0 or "lr" not in run.series or _rate_was_cut(run, loss, np.array([at])).any():
        return
    before, after = loss.y[:at], loss.y[at + 1 :]  # the value at the border is a mean of steps on both sides of it
    drop = float(before.min() - after.max())
    if drop < MIN_ONLY_DROP * before.min() or max(np.ptp(before), np.ptp(after)) > MAX_SLOPE * drop:
        return
    where = float(loss.x[at])
    yield Symptom(
        f"training loss drops where an epoch begins ({number(float(before[-1]))} → {number(float(after[0]))} at {run.place(where)}) and is flat within the epochs: the model memorizes examples that it has seen before",
        confidence_between(drop / float(before.min()), MIN_ONLY_DROP, CERTAIN_DROP),
        {"epochs": 2, "mean_drop": drop},
        series="train/loss",
        step=where,
        span=(where, loss.last_step),
    )


def _only_border(run: Run, loss: Series) -> int | None:
    """The index of the first value of the second of two epochs, each with a few values, where the log counts parts of epochs."""
    epochs = run.epochs
    if epochs is None or len(epochs.values) != len(loss.y) or (epochs.values == np.floor(epochs.values)).all():
        return None
    first = np.flatnonzero(np.diff(np.ceil(epochs.values)) > 0) + 1
    if len(first) != 1 or not MIN_WINDOW <= first[0] < len(loss.y) - MIN_WINDOW - 1:
        return None
    return int(first[0])


def _with_full_epochs(first: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The borders without a last epoch that has hardly begun."""
    if not len(first):
        return first
    usual = median(np.diff(np.concatenate([[0], first])))
    return first if n - first[-1] >= MIN_EPOCH * usual else first[:-1]


def _steps(y: Array, first: NDArray[np.int64]) -> tuple[Array, Array, float]:
    """For each border the drop over it and the fall within the epoch after it, and the standard error of a drop."""
    usual = median(np.diff(np.concatenate([[0], first])))
    window = int(min(WINDOW, max(MIN_WINDOW, usual // WINDOWS_PER_EPOCH)))
    ends = [*first[1:].tolist(), len(y)]
    drops = [median(y[i - window : i]) - median(y[i : i + window]) for i in first]
    slopes = [max(median(y[i : i + window]) - median(y[j - window : j]), 0.0) for i, j in zip(first, ends, strict=True)]
    before = y[: first[0]]
    late = [y[first[0] // 2 : first[0]], *(y[i:j] for i, j in zip(first, ends, strict=True))]
    noise = median(np.array([MAD_TO_STD * median(np.abs(part - median(part))) for part in late]))
    half = len(before) // 2  # the first epoch begins with the steep fall of every training
    slopes.append(max(median(before[half : half + window]) - median(before[-window:]), 0.0))
    return np.array(drops), np.array(slopes), noise * math.sqrt(np.pi / window)


def _rate_was_cut(run: Run, loss: Series, first: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where the learning rate fell at a border by as much as only a schedule's step does."""
    rate = rates_at(run, loss.x)
    if rate is None:
        return np.zeros(len(first), dtype=np.bool_)
    return np.asarray(rate[np.minimum(first + 1, len(rate) - 1)] < RATE_CUT * rate[np.maximum(first - 2, 0)])


def _pair(run: Run, loss: Series, at: int) -> str:
    """The values on both sides of a border, where they show the drop."""
    before, after = float(loss.y[at - 1]), float(loss.y[at])
    return f"{number(before)} → {number(after)} at {run.place(float(loss.x[at]))}" if after < before else ""


EXAMPLE_POINTS = 12  # points of each epoch of the drawn examples


def _stairs(levels: str, points: int = EXAMPLE_POINTS) -> Run:
    """A log of one point a tenth of an epoch, flat at each of these levels, with a little noise."""
    text = " ".join(f"{float(v) * (1 + 0.02 * ((7 * k) % 5 - 2)):.4f}" for v in levels.split() for k in range(points))
    drawn = Run.drawn(train_loss=text)
    steps = np.arange(float(points * len(levels.split())))
    return Run(drawn.series, source="drawn", format="drawn", epochs=Series.of("epoch", np.floor(steps / points), steps))


RULE = Rule(
    code="NN110",
    name="memorization-staircase",
    severity=Severity.WARNING,
    title="training loss falls in steps at the epoch borders",
    needs={"train/loss": MIN_SHORT},
    check=check,
    why="A large model recalls an example after seeing it once: the loss drops when the data repeat, not because the model generalizes better. Validation loss usually rises from the second or third epoch on.",
    how=f"At {percent(MIN_BORDERS)} of the epoch borders the median of up to {WINDOW} values drops by more than {percent(MIN_DROP)} ({percent(MIN_ONLY_DROP)} if there is one border) and {ERRORS:g} standard errors, while the loss falls by less than {percent(MAX_SLOPE)} of that within the epochs. Borders at which the learning rate was cut do not count. In an excerpt of fewer than {MIN_LONG} values: all values after the only border are {percent(MIN_ONLY_DROP)} below all before it, and flat on both sides.",
    sources=(
        Reference(
            "Howard and Whitaker, Can LLMs learn from a single example?, 2023",
            "https://www.fast.ai/posts/2023-09-04-learning-jumps/",
        ),
    ),
    remedies=("fewer-epochs", "hold-out", "lower-learning-rate", "more-data"),
    sick=(_stairs("1.4 1.0 0.6"), _stairs("2.6 2.1 1.6 1.0 0.5", 20)),
    healthy=(_stairs("1.4 1.38 1.37"), Run.drawn(train_loss="2.3..0.4*60")),
    suppressed_by=("nan-loss", "diverged"),
)

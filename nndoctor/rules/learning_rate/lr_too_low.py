"""The loss falls steadily but hardly bends: the steps are too small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis import oscillation as unrest
from nndoctor.analysis.convergence import Course, course, reach, steadier, stopped, sureness
from nndoctor.analysis.layers import pace
from nndoctor.analysis.unlogged_causes import starved, unseen_warm_up
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import ending, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

AHEAD = 0.7  # of the reach still to come in four times the steps: an exponential fall of one time constant leaves 0.6
FEW = 4.0  # points; a limit is raised by their share of the log's: every run begins in a straight line
NOISES = 3.0  # the last quarter's fall against the noise of its levels
SHAKEN = 0.02  # of the reach: such noise is no small step's; in the zoo, time helps nine in ten such runs, and a higher rate half
TIME_FIRST = ("train-longer", "raise-learning-rate", "learning-rate-range-test")
FITTING = 3e-4  # of the weights' size in a step: a third of the usual thousandth is no small step
EARLY = 7  # readings at most: too few for a course, and any start looks straight in them
CRAWL = 0.10  # of a positive loss: all that it fell in them
STEADY = 0.5  # the smallest fall against the largest
SLIGHT = 0.01  # of the loss: so little is no start, however it bends
HELD = 0.1  # of its peak: a rate that moves by more is in its warm-up, or decays
EVEN = 0.45  # the second half falls at least this much as far as the first: a straight line has 1, a settled curve 0


def check(run: Run) -> Iterator[Symptom]:
    """Compare what is still to come with what has come, on a curve that falls evenly to its end."""
    train = run.series["train/loss"]
    if len(train.y) <= EARLY:
        if _crawls(run, train):
            yield _crawling(run, train)
        return
    loss = steadier(run)
    way = course(run, loss)
    if way.fallen <= 0 or way.late_fall < NOISES * way.noise or way.half - way.end < EVEN * (way.start - way.half):
        return
    share = way.ahead / way.fallen
    if share < AHEAD * (1 + FEW / len(loss.y)) * (2 if way.decayed else 1) or stopped(run, loss):
        return
    moved = pace(run)
    if moved is not None and moved >= FITTING:
        return
    shaken = unrest.jitter(run) > SHAKEN
    yield Symptom(
        f"{loss.name.replace('/', ' ')} falls almost in a straight line ({ending(loss)}) and has not begun to level off: larger steps would get there sooner",
        sureness(share, AHEAD, 2.0),
        {
            "first": loss.first,
            "last": loss.last,
            "expected_at_four_times": loss.last - way.ahead,
            "still_to_come": round(share, 3),
            "reach": reach(run),
        },
        series=loss.name,
        step=float(loss.x[-1]),
        span=(float(loss.x[0]), float(loss.x[-1])),
        causes=_causes(run, share, way, shaken=shaken),
        remedies=TIME_FIRST if shaken else (),
    )


def _crawls(run: Run, train: Series) -> bool:
    """Whether every reading of both losses lies a little, and about as much, below the one before: no start of a learning curve."""
    lr = run.series.get("lr")
    if lr is not None and len(lr.y) and lr.high - lr.low > HELD * lr.high:
        return False
    validation = run.series.get("validation/loss")
    return validation is not None and len(validation.y) > 2 and _steadily(validation) and _steadily(train)


def _steadily(loss: Series) -> bool:
    falls = -np.diff(loss.y)
    fallen = float(falls.sum())
    if loss.low <= 0 or float(falls.min()) <= 0:
        return False
    steady = fallen < CRAWL * float(loss.y[0]) and float(falls.min()) > STEADY * float(falls.max())
    return steady or fallen < SLIGHT * float(loss.y[0])


def _crawling(run: Run, loss: Series) -> Symptom:
    fallen = float(loss.y[0] - loss.y[-1]) / float(loss.y[0])
    return Symptom(
        f"the loss has fallen by {percent(fallen)} in {len(loss.y)} readings, about as much each time: larger steps would get there sooner",
        0.75,
        {"first": float(loss.y[0]), "last": float(loss.y[-1]), "fallen": round(fallen, 4)},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[0]), float(loss.x[-1])),
        causes=(
            Cause(
                "learning rate too low",
                0.6,
                "a start that learns bends within a few readings",
                "one run with 10 times the learning rate: the loss should fall faster at once",
            ),
            Cause(
                "bad initialization or dead units",
                0.25,
                "weights that pass little gradient learn as slowly at any rate",
                "nndoctor sanity model.py",
            ),
            *unseen_warm_up(run, 0.2),
            *starved(run),
        ),
    )


def _causes(run: Run, share: float, way: Course, *, shaken: bool) -> tuple[Cause, ...]:
    lr = run.series.get("lr")
    rate = f"; it is {number(lr.last)}" if lr is not None and len(lr.y) else ""
    return (
        Cause(
            "learning rate too low",
            min(0.5 + 0.1 * share, 0.8),
            f"the curve keeps the slope of its start{rate}",
            "one run with 10 times the learning rate: the loss should fall faster at once",
        ),
        Cause(
            "training too short",
            0.9 if shaken else max(0.5 - 0.1 * share, 0.2),
            "the loss is too noisy for small steps" if shaken else "the same curve is the beginning of a healthy run",
            "go on with this run: if the slope stays, four times the steps bring it down",
        ),
        Cause(
            "network too small",
            0.1,
            "a few units find their way slowly at any rate",
            "one run four times as wide: it falls faster from the start",
        ),
        *(
            unseen_warm_up(run, 0.4, "the loss falls faster and faster, as under a growing rate")
            if way.half - way.end > way.start - way.half
            else unseen_warm_up(run, 0.1)
        ),
        *starved(run),
    )


RULE = Rule(
    code="NN201",
    name="lr-too-low",
    severity=Severity.WARNING,
    title="the loss falls too slowly",
    needs={"train/loss": 4},
    check=check,
    why="With steps too small a run ends long before it has learned what it could, and looks like a network too small for its task.",
    how="The second half falls at least 45 % as far as the first, and four times the steps would gain 70 % or more of what was gained so far, by the curve's own extrapolation. Where the log has the learning rate, the clock is its sum. In four to seven readings: each of both losses lies below the one before, by no less than half as much as any other, and all fall by less than 10 %, or by less than 1 % in any way.",
    sources=(
        Reference(
            "CS231n: 'with low learning rates the improvements will be linear'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference("Smith, Cyclical Learning Rates, 2017", "https://arxiv.org/abs/1506.01186"),
    ),
    remedies=("raise-learning-rate", "learning-rate-range-test", "train-longer", "adam"),
    sick=(
        Run.drawn(train_loss="2.303 2.30 2.296 2.292 2.289 2.285 2.281 2.278 2.274 2.27"),
        Run.drawn(train_loss="1.392..1.18*20"),
        Run.drawn(train_loss="2.303 2.27 2.24 2.212", validation_loss="2.301 2.272 2.245 2.22"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 1.4 0.9 0.7 0.6 0.55 0.53 0.52 0.515 0.512 0.511 0.51"),
        Run.drawn(train_loss="1.9 1.82 1.79 1.77", validation_loss="1.84 1.8 1.79 1.785"),
    ),
    yields_to=(
        "memorization-staircase",
        "impossible-loss",
        "nan-loss",
        "lr-too-high",
        "diverged",
        "plateau-at-start",
        "warmup-unfinished",
        "adaptive-rate-starved",
        "lr-decayed-too-early",
    ),
)

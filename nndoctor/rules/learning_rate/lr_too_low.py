"""The loss falls steadily but hardly bends: the steps are too small."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.finding import Cause, Severity, Symptom
from nndoctor.layers import pace
from nndoctor.progress import Course, course, reach, steadier, stopped, sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.unseen import starved, unseen_warm_up
from nndoctor.wording import ending, number

AHEAD = 0.7  # of the reach still to come in four times the steps: an exponential fall of one time constant leaves 0.6
FEW = 4.0  # points; a limit is raised by their share of the log's: every run begins in a straight line
NOISES = 3.0  # the last quarter's fall against the noise of its levels
FITTING = 3e-4  # of the weights' size in a step: a third of the usual thousandth is no small step
EVEN = 0.45  # the second half falls at least this much as far as the first: a straight line has 1, a settled curve 0


def check(run: Run) -> Iterator[Symptom]:
    """Compare what is still to come with what has come, on a curve that falls evenly to its end."""
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
        causes=_causes(run, share, way),
    )


def _causes(run: Run, share: float, way: Course) -> tuple[Cause, ...]:
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
            max(0.5 - 0.1 * share, 0.2),
            "the same curve is the beginning of a healthy run",
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
    needs={"train/loss": 5},
    check=check,
    why="With steps too small a run ends long before it has learned what it could, and looks like a network too small for its task.",
    how="The second half falls at least 45 % as far as the first, and four times the steps would gain 70 % or more of what was gained so far, by the curve's own extrapolation. Where the log has the learning rate, the clock is its sum.",
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
    ),
    healthy=(Run.drawn(train_loss="2.3 1.4 0.9 0.7 0.6 0.55 0.53 0.52 0.515 0.512 0.511 0.51"),),
    yields_to=(
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

"""The learning rate went to nothing while the loss was still falling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import reach, sureness
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

SMALL = 0.05  # of the peak: below this the weights hardly move
EARLY = 0.7  # the rate is that small for at least the last 30 % of the run
FALL = 0.06  # of the reach: what the loss fell in the last third of the time that the rate was large
FEW = 4  # readings with the large rate: fewer have no slope of their own
CUT = 0.15  # of the peak
ABRUPT = 0.05  # of the run: from half its peak or more to that, within so short a time
HALF = 0.5
VERY_EARLY = 0.3  # of the run
DONE = 0.05  # training error, or loss as a share of the first
LEFT = 0.2  # of that fall: what the small rate may still have won since


def check(run: Run) -> Iterator[Symptom]:
    """Find when the rate became small for good, and how fast the loss was falling then."""
    yield from _dropped_at_once(run) or _decayed(run)


def _dropped_at_once(run: Run) -> list[Symptom]:
    """A rate cut in the first third, before the readings could show that anything was learned."""
    loss, lr = run.series["train/loss"], run.series["lr"]
    peak = lr.high
    large = np.flatnonzero(lr.y > CUT * peak)
    if peak <= 0 or not len(large) or large[-1] >= len(lr.y) - 2 or _is_done(run, loss):
        return []
    at = int(large[-1]) + 1
    end, share = float(lr.x[at]), loss.share_of_run(float(lr.x[at]))
    before = lr.y[(lr.x >= end - ABRUPT * (lr.x[-1] - lr.x[0])) & (lr.x < end) | (np.arange(len(lr.x)) == at - 1)]
    then = float(np.interp(end, loss.reduced[0], loss.smooth))
    if (
        int((loss.x < end).sum()) >= FEW
        or not 0.0 < share < VERY_EARLY
        or before.max() < HALF * peak
        or then - loss.last > loss.first - then + FALL * reach(run)
    ):
        return []
    return [
        Symptom(
            f"the learning rate was cut to {percent(float(lr.y[at]) / peak)} of its peak at step {step(end)}, {percent(share)} of the run; training loss has moved from {number(then)} to {number(loss.last)} since",
            sureness(-share, -VERY_EARLY, 0.0),
            {"peak_lr": peak, "last_lr": float(lr.y[-1]), "decayed_at": end, "share_of_run": round(share, 3)},
            series="train/loss",
            step=end,
            span=(end, float(loss.x[-1])),
        )
    ]


def _is_done(run: Run, loss: Series) -> bool:
    """Whether the run has learned its task all the same."""
    error = run.error("train") if run.judged_by_share else None
    if error is not None and len(error.y):
        return error.last < DONE
    return loss.low >= 0 and loss.last < DONE * loss.first


def _decayed(run: Run) -> Iterator[Symptom]:
    loss, lr = run.series["train/loss"], run.series["lr"]
    peak = lr.high
    large = np.flatnonzero(lr.y > SMALL * peak)
    if peak <= 0 or not len(large) or large[-1] >= len(lr.y) - 2:
        return
    end = float(lr.x[large[-1] + 1])
    share = loss.share_of_run(end)
    half, then = _levels(loss, end)
    fall = min(before - after for before, after in (_levels(series, end) for series in _both(run, loss))) / reach(run)
    if (
        not 0.0 < share < EARLY
        or fall < FALL
        or then - loss.last > LEFT * 2 * (half - then) + LEFT * max(loss.first - then, 0.0)
    ):
        return
    yield Symptom(
        f"the learning rate fell below {percent(SMALL)} of its peak at step {step(end)} ({percent(share)} of the run), while training loss was still falling; it has moved from {number(then)} to {number(loss.last)} since",
        sureness(fall, FALL, 0.25),
        {
            "peak_lr": peak,
            "last_lr": float(lr.y[-1]),
            "decayed_at": end,
            "share_of_run": round(share, 3),
            "fall_before": round(fall, 3),
        },
        series="train/loss",
        step=end,
        span=(end, float(loss.x[-1])),
    )


def _levels(series: Series, end: float) -> tuple[float, float]:
    """The curve at the last third of the way to a step, and at the last point before it."""
    x, y = series.reduced[0], series.smooth
    before = x[x < end]
    stop = float(before[-1]) if len(before) >= FEW else end  # a short phase is over within the reading that ends it
    half, then = np.interp([x[0] + 0.67 * (stop - x[0]), stop], x, y)
    return float(half), float(then)


def _both(run: Run, loss: Series) -> list[Series]:
    validation = run.series.get("validation/loss")
    return [loss, validation] if validation is not None and len(validation.y) >= 6 else [loss]


RULE = Rule(
    code="NN203",
    name="lr-decayed-too-early",
    severity=Severity.WARNING,
    title="the learning rate was decayed too early",
    needs={"train/loss": 6, "lr": 4},
    check=check,
    why="With a rate near zero the weights stand still: whatever the curve would still have won is not won, and the flat tail looks like convergence.",
    how="The rate is under 5 % of its peak for the last 30 % of the run or more; in the last third of the time before, the loss still fell by 6 % of the reach; since then it has won little. Or the rate was cut to 15 % or less at once, before 30 % of the run.",
    sources=(
        Reference(
            "CS231n, Annealing the learning rate: 'decay it too aggressively and the system will cool too quickly'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("decay-later", "train-longer"),
    sick=(Run.drawn(train_loss="2.3..1.5*8 1.49*24", lr="0.1*8 0.001*24"),),
    healthy=(
        Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.38*20", lr="0.1*8 0.001*20"),
        Run.drawn(train_loss="2.3..0.3*30", lr="0.1..0.0001*30"),
    ),
    yields_to=("nan-loss", "diverged"),
)

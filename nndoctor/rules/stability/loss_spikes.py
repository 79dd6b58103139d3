"""The loss jumps up and comes back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.chance import UNLEARNED, chance_loss
from nndoctor.analysis.convergence import reach, sureness
from nndoctor.analysis.loss_explosion import comes_back
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import Array, background, median, peaks

SPREADS = 13.0  # above the local median, in robust standard deviations of the run around it
RATIOS = (
    1.4  # times the highest of so many normal deviates, about (2 ln n)^(1/2): the same for the ratio of loss and level
)
AROUND = 21  # points at least that tell the noise about a place: more than a spike is wide
FEW = 40  # points
HALF_WAY = 0.5  # of the reach: what lies lower has learned something that can be undone
SLIGHT, FAR_AHEAD = 0.065, 8.0  # of the reach: enough where no other rise comes near
LOSES, WELL_AHEAD = 0.8, 3.2  # of the reach: what undoes so much is a spike in any noise, if none like it is about
SHARE = 0.2  # of the run's reach: smaller spikes cost nothing
AHEAD = 1.5  # a spike stands above the ordinary rises of this log by this factor
RAISED = 1.5  # times the rate of the reading before: a warm restart
MOST = 5000  # points looked at: of a longer curve the highest in each bin
MOST_OF = 0.25  # of the points: that is no longer a spike
MANY = 0.04  # more than this share of points up there is no spike but how the run goes (lr-too-high)


def check(run: Run) -> Iterator[Symptom]:
    """Count isolated points far above the median of their neighbours."""
    loss = run.series["train/loss"]
    x, y = peaks(loss.x, loss.y, MOST)
    jumps = np.diff(y, prepend=y[0])
    scale = max(reach(run), UNLEARNED * (chance_loss(run) or 0.0))
    if 2 * float(jumps.max()) <= (SLIGHT if len(y) >= FEW else SHARE) * scale:
        return
    level = background(y)
    above = np.minimum(y - level, jumps.clip(0) * 2)
    late = (x >= x[0] + 0.05 * (x[-1] - x[0])) & (np.arange(len(x)) >= 3) & ~_restarted(run, x)
    strays = SPREADS * _spread(y, level)
    low = late & (level - loss.best < HALF_WAY * scale)
    for least, ahead, where in (
        (np.maximum(strays, SHARE * scale), AHEAD, late),
        (np.maximum(strays, SLIGHT * scale), FAR_AHEAD, late & (len(y) >= FEW)),
        (np.full(len(y), LOSES * scale), WELL_AHEAD, low),
    ):
        high = where & (above > least) & (y > np.minimum.accumulate(y) + least)
        if high.any() and _isolated(jumps, above, high, late, ahead) and not (high[-1] and not comes_back(loss)):
            yield _symptom(x, y, above, high, least)
            return


def _restarted(run: Run, x: Array) -> NDArray[np.bool_]:
    """Where the learning rate was raised at once, or up to two readings before: the loss of a warm restart jumps, and comes back."""
    lr = run.series.get("lr")
    if lr is None or len(lr.y) < 2 or lr.low < 0:
        return np.zeros(len(x), dtype=np.bool_)
    rate = np.interp(x, lr.x, lr.y)
    raised = np.concatenate([[False], rate[1:] > RAISED * rate[:-1]])
    return np.asarray(raised | np.roll(raised, 1) | np.roll(raised, 2))


def _isolated(jumps: Array, above: Array, high: NDArray[np.bool_], late: NDArray[np.bool_], ahead: float) -> bool:
    """Whether the points that stand up are few, and so many times as high as any other rise of the late log."""
    if len(_events(high)) > MANY * len(high) + 2 or high.mean() > MOST_OF:
        return False
    ordinary = float(np.max(jumps[1:][~high[1:] & ~high[:-1] & late[1:]], initial=0.0))
    return float(above[high].max()) >= ahead * ordinary


def _events(high: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where each stretch of high points begins."""
    return np.flatnonzero(high & ~np.concatenate([[False], high[:-1]]))


def _symptom(x: Array, y: Array, above: Array, high: NDArray[np.bool_], least: Array) -> Symptom:
    worst, count = int(np.argmax(np.where(high, above, -np.inf))), len(_events(high))
    where, top, base = float(x[worst]), float(y[worst]), float(y[worst] - above[worst])
    times = f"{count} times" if count > 1 else "once"
    return Symptom(
        f"the training loss jumps {times} and recovers; highest at step {step(where)}: {number(top)} among values near {number(base)}",
        sureness(float(above[worst] / least[worst]), 1.0, 3.0),
        {"spikes": count, "highest": top, "around_it": base, "limit": float(least[worst])},
        series="train/loss",
        step=where,
        span=(where, where),
    )


def _spread(y: Array, level: Array) -> Array:
    """What a point strays from the level, shape (n,): over the run, around it, or in proportion to the level, whichever is most.

    The noise of small batches is as uneven as the loss itself: large where the loss is large, and heavy in its tail.
    """
    off = np.abs(y - level)
    spread = np.maximum(median(off), background(off, AROUND))
    if len(y) >= FEW and float(y.min()) > 0:
        ratio = 1.4826 * median(np.abs(np.log(y / level)))
        spread = np.maximum(
            spread, level * np.expm1(RATIOS * math.sqrt(2 * math.log(len(y))) * ratio) / SPREADS / 1.4826
        )
    return np.asarray(1.4826 * spread)


RULE = Rule(
    code="NN303",
    name="loss-spikes",
    severity=Severity.WARNING,
    title="the loss jumps up and recovers",
    needs={"train/loss": 12},
    check=check,
    why="A spike that recovers costs some steps; the next one may not recover. Spikes come from a rate close to the limit of stability, from single bad batches, or from Adam's second moment being stale.",
    how="Points more than thirteen robust deviations (of the run, of their neighbours, four or more of the ratio to the level) and 20 % of the run's reach above the median of their neighbours, no more than a few, the first 5 % of the run and warm restarts left out. A rise eight times any other is one from 6.5 % of the reach on; one that undoes 80 % of it is one in any noise.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: mid-training spikes",
            "https://github.com/google-research/tuning_playbook",
        ),
        Reference("Chowdhery et al., PaLM, 2022, section 5.1", "https://arxiv.org/abs/2204.02311"),
    ),
    remedies=("clip-gradients", "find-the-bad-batch", "lower-learning-rate", "warm-up"),
    sick=(
        Run.drawn(train_loss="2.3..0.9*12 3.1 0.88..0.7*12"),
        Run.drawn(train_loss="2.3..1*40 2.9 1..0.8*30 2.6 0.8..0.7*20"),
    ),
    healthy=(
        Run.drawn(train_loss="9.0 2.3..0.9*30"),
        Run.drawn(train_loss="2.3..0.9*15 0.95 0.9..0.8*15"),
        Run.drawn(
            train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 1.4 0.7 0.45 0.37 0.35 0.34 0.33 0.33",
            lr="0.1 0.1 0.09 0.07 0.05 0.03 0.01 0.001 0.1 0.1 0.09 0.07 0.05 0.03 0.01 0.001",
        ),
    ),
    passing=True,
    yields_to=("nan-loss", "diverged", "plateau-at-start", "lr-too-high", "sawtooth-epochs"),
)

"""The loss jumps up and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.curve import Array, background, median, peaks
from nndoctor.finding import Severity, Symptom
from nndoctor.progress import comes_back, reach, sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number, step

SPREADS = 10.0  # above the local median, in robust standard deviations of the run around it
RATIOS = 4.2  # the same for the ratio of loss and level, where a log is long enough to know its spread
FEW = 40  # points
SHARE = 0.15  # of the run's reach: smaller spikes cost nothing
AHEAD = 1.5  # a spike stands above the ordinary rises of this log by this factor
MOST = 5000  # points looked at: of a longer curve the highest in each bin
MOST_OF = 0.25  # of the points: that is no longer a spike
MANY = 0.04  # more than this share of points up there is no spike but how the run goes (lr-too-high)


def check(run: Run) -> Iterator[Symptom]:
    """Count isolated points far above the median of their neighbours."""
    loss = run.series["train/loss"]
    x, y = peaks(loss.x, loss.y, MOST)
    jumps = np.diff(y)
    if 2 * float(jumps.max()) <= SHARE * reach(run):
        return
    level = background(y)
    above = np.minimum(y - level, np.concatenate([[0.0], jumps.clip(0) * 2]))
    early = (x < x[0] + 0.05 * (x[-1] - x[0])) | (np.arange(len(x)) < 3)
    limit = np.maximum(SPREADS * _spread(y, level), SHARE * reach(run))
    high = (above > limit) & ~early & (y > np.minimum.accumulate(y) + limit)
    ordinary = float(np.max(jumps[~high[1:] & ~high[:-1] & ~early[1:]], initial=0.0))
    events = np.flatnonzero(high & ~np.concatenate([[False], high[:-1]]))
    if (
        not len(events)
        or len(events) > MANY * len(high) + 1.5
        or high.mean() > MOST_OF
        or (high[-1] and not comes_back(loss))
    ):
        return
    worst = int(np.argmax(np.where(high, above, -np.inf)))
    if above[worst] < AHEAD * ordinary:
        return
    where, least = float(x[worst]), float(limit[worst])
    times = f"{len(events)} times" if len(events) > 1 else "once"
    yield Symptom(
        f"the training loss jumps {times} and recovers; highest at step {step(where)}: {number(float(y[worst]))} among values near {number(float(y[worst] - above[worst]))}",
        sureness(float(above[worst]) / least, 1.0, 3.0),
        {
            "spikes": len(events),
            "highest": float(y[worst]),
            "around_it": float(y[worst] - above[worst]),
            "limit": least,
        },
        series="train/loss",
        step=where,
        span=(where, where),
    )


def _spread(y: Array, level: Array) -> Array:
    """What a point strays from the level, shape (n,): over the run, around it, or in proportion to the level, whichever is most.

    The noise of small batches is as uneven as the loss itself: large where the loss is large, and heavy in its tail.
    """
    off = np.abs(y - level)
    spread = np.maximum(median(off), background(off))
    if len(y) >= FEW and float(y.min()) > 0:
        ratio = 1.4826 * median(np.abs(np.log(y / level)))
        spread = np.maximum(spread, level * np.expm1(RATIOS * ratio) / SPREADS / 1.4826)
    return np.asarray(1.4826 * spread)


RULE = Rule(
    code="NN303",
    name="loss-spikes",
    severity=Severity.WARNING,
    title="the loss jumps up and recovers",
    needs={"train/loss": 12},
    check=check,
    why="A spike that recovers costs some steps; the next one may not recover. Spikes come from a rate close to the limit of stability, from single bad batches, or from Adam's second moment being stale.",
    how="Points more than ten robust deviations (of the run, of their neighbours, four of the ratio to the level) and 15 % of the run's reach above the median of their neighbours, no more than a few, the first 5 % of the run left out.",
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
    ),
    yields_to=("nan-loss", "diverged", "plateau-at-start", "lr-too-high", "sawtooth-epochs"),
)

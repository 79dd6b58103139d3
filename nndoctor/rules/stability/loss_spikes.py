"""The loss jumps up and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.chance import UNLEARNED, chance_loss
from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.spikes import LONG, Jump, Jumps, jumps, periodic
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import distinct, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

SPREADS = 10.0  # standard deviations of the points before: small batches have heavy tails, up to eight or nine
WINDOW, AROUND = 12, 5.0  # points on either side, and standard deviations of their steps that a spike exceeds
MAD_TO_SD = 1.4826  # of a normal distribution: its standard deviation over its median absolute deviation
SHARE = 0.2  # of the run's reach: smaller spikes cost nothing
AHEAD = 1.5  # times any other rise: else it is how the log looks
SLIGHT, FAR_AHEAD = 0.065, 5.0  # of the reach: enough where no other rise comes near
SLIGHT_OF_FEW = 0.1  # the same of a short log, whose other rises tell less
FEW = 40  # points from which the other rises tell what is ordinary
EARLY = 0.05  # of the run: the first steps are often rough
RAISED = 1.5  # times the rate of the point before: a warm restart
MOST_OF = 0.25  # of the points: that is no longer a spike
SINGLE = 3  # events: so few are no way of a run, however long each takes to be won back
MANY = 0.04  # more than this share of points begin a jump: no spikes but how the run goes (lr-too-high)


def check(run: Run) -> Iterator[Symptom]:
    """Look for jumps above the points before them that the loss recovers from."""
    loss = run.series["train/loss"]
    scale = max(reach(run), UNLEARNED * (chance_loss(run) or 0.0))
    least = (SLIGHT if len(loss.y) >= FEW else SLIGHT_OF_FEW) * scale
    if float(np.diff(loss.y).max(initial=0.0)) <= 0.5 * least:
        return
    seen = jumps(loss, least, _skipped(run, loss))
    high = seen.standing_out(SHARE * scale, SPREADS, AHEAD) or seen.standing_out(least, SPREADS, FAR_AHEAD)
    events = [
        e
        for e in high
        if e.recovered and e.back - e.start <= LONG * len(seen.y) and e.height > AROUND * _noise_around(seen, e)
    ]
    if events and not _is_usual(events, seen):
        yield _symptom(run, seen, events, least)


def _noise_around(seen: Jumps, event: Jump) -> float:
    """The standard deviation of the steps from point to point on both sides of a jump, by their median size.

    Where a loss falls fast its noise grows, so that the points before alone would promise too much calm.
    """
    before = seen.y[max(event.start - WINDOW, 0) : event.start]
    after = seen.y[event.back + 1 : event.back + 1 + WINDOW]
    moves = np.abs(np.concatenate([np.diff(before), np.diff(after)]))
    return MAD_TO_SD * median(moves) / np.sqrt(2) if len(moves) else 0.0


def _is_usual(events: list[Jump], seen: Jumps) -> bool:
    """Whether the loss jumps so often, or so regularly, that this is how the run or its log goes."""
    up = sum(e.end - e.start for e in events)
    if len(events) > MANY * len(seen.y) + 2 or (len(events) > SINGLE and up > MOST_OF * len(seen.y)):
        return True
    spacing = median(np.diff(seen.x))
    return periodic(seen.x[[e.start for e in events]], spacing)


def _skipped(run: Run, loss: Series) -> NDArray[np.bool_]:
    """Where no spike is looked for: in the first steps, and where the learning rate was raised up to two points before."""
    early = loss.x < loss.x[0] + EARLY * (loss.x[-1] - loss.x[0])
    lr = run.series.get("lr")
    if lr is None or len(lr.y) < 2 or lr.low < 0:
        return np.asarray(early)
    rate = np.interp(loss.x, lr.x, lr.y)
    raised = np.concatenate([[False], rate[1:] > RAISED * rate[:-1]])
    return np.asarray(early | raised | np.roll(raised, 1) | np.roll(raised, 2))


def _symptom(run: Run, seen: Jumps, events: list[Jump], least: float) -> Symptom:
    worst = max(events, key=lambda e: e.height)
    where, count = float(seen.x[worst.top]), len(events)
    before, peak = distinct(float(seen.y[worst.start - 1]), worst.peak)
    others = f" (the highest of {count} spikes)" if count > 1 else ""
    return Symptom(
        f"training loss jumped from {before} to {peak} at {run.place(where)}{others}, then recovered",
        confidence_between(worst.height / least, 1.0, 6.0),
        {
            "spikes": count,
            "highest": worst.peak,
            "level_before": worst.level,
            "noise_before": worst.noise,
            "largest_other_rise": seen.ordinary,
        },
        series="train/loss",
        step=where,
        span=(float(seen.x[worst.start]), float(seen.x[min(worst.end, len(seen.x) - 1)])),
    )


RULE = Rule(
    code="NN303",
    name="loss-spikes",
    severity=Severity.WARNING,
    title="the loss jumps up and recovers",
    needs={"train/loss": 12},
    check=check,
    why="A spike that recovers costs some steps; the next one may not recover. Typical causes are a learning rate close to the limit of stability, single bad batches, or stale second-moment estimates in Adam.",
    how=f"The loss jumps by at least ten standard deviations and {percent(SHARE)} of the total decrease in loss above the level of the points before ({percent(SLIGHT)} if no other rise is a fifth as high), and then recovers at least 70% of the jump. Consecutive points are one spike. The first {percent(EARLY)} of the run, warm restarts, and jumps at equal distances (an epoch's short last batch) do not count, nor does a loss that jumps all the time.",
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
    recovered=True,
    suppressed_by=("nan-loss", "diverged", "plateau-at-start", "lr-too-high", "sawtooth-epochs"),
)

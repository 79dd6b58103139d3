"""The loss jumps up and comes back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.chance import UNLEARNED, chance_loss
from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.epochs import all_at_borders
from nndoctor.analysis.learning_rate import rates_at
from nndoctor.analysis.loss_explosion import MIN_AFTER_LONE, MIN_BEFORE_LONE, MIN_LONE, MIN_LONG, late_hill, lone_spike
from nndoctor.analysis.spikes import BEYOND_A_BATCH, MAX_LEFT, MAX_LENGTH, ONE_STEP, Jump, Jumps, jumps, periodic
from nndoctor.analysis.wandering import wanders
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import MAD_TO_STD, median

SPREADS = 10.0  # standard deviations of the points before: small batches have heavy tails, up to eight or nine
WINDOW, AROUND = 12, 5.0  # points on either side, and standard deviations of their steps that a spike exceeds
MIN_DRIFTS = 2.0  # times the range of a level that wanders; less is more of the same
MIN_HEIGHT = 0.2  # share of the run's reach; smaller spikes cost nothing
MIN_AHEAD = 1.5  # times any other rise; otherwise such rises are usual in this log
SLIGHT_HEIGHT, FAR_AHEAD = 0.065, 5.0  # share of the reach that is enough where a spike is so many times any other rise
SLIGHT_HEIGHT_OF_FEW = 0.1  # the same of a short log, whose other rises show less
MIN_POINTS = 40  # points from which the other rises show what is ordinary
CERTAIN = 6.0  # times the least height from which there is no doubt
FIRST_STEPS = 0.05  # share of the run in which the loss is often rough
RAISED = 1.5  # times the rate of the point before: a warm restart
MAX_SHARE_UP = 0.25  # share of the points that are up; more are no longer spikes
MAX_SINGLE = 3  # spikes that are not the run's usual behavior, however long each takes to recover
MAX_SHARE_OF_STARTS = 0.04  # share of the points that begin a jump; more are the run's usual behavior (lr-too-high)


def check(run: Run) -> Iterator[Symptom]:
    """Look for jumps above the points before them that the loss recovers from."""
    loss = run.series["train/loss"]
    hill = late_hill(run)
    if hill is not None and not _restarted(run, loss)[: hill + 1].any():
        yield _up_and_down(run, loss, hill)
        return
    if len(loss.y) < MIN_LONG:
        yield from _lone(run, loss)
        return
    scale = max(reach(run), UNLEARNED * (chance_loss(run) or 0.0))
    least = (SLIGHT_HEIGHT if len(loss.y) >= MIN_POINTS else SLIGHT_HEIGHT_OF_FEW) * scale
    if float(np.diff(loss.y).max(initial=0.0)) <= ONE_STEP * least:
        return
    seen = jumps(loss, least, _skipped(run, loss))
    drift = _drift(loss)
    high = seen.standing_out(MIN_HEIGHT * scale, SPREADS, MIN_AHEAD) or seen.standing_out(least, SPREADS, FAR_AHEAD)
    events = [
        e
        for e in high
        if e.recovered
        and e.back - e.start <= MAX_LENGTH * len(seen.y)
        and e.height > max(AROUND * _noise_around(seen, e), MIN_DRIFTS * drift)
    ]
    if events and not _is_usual(run, events, seen, scale):
        yield _symptom(run, seen, events, least)


def _up_and_down(run: Run, loss: Series, peak: int) -> Symptom:
    """The hill of a log that begins in the middle of a run."""
    where = float(loss.x[peak])
    first, high = distinct(loss.initial, loss.high)
    return Symptom(
        f"training loss rose from {first} to {high} at {run.place(where)}, then came down to {number(loss.final)}",
        confidence_between(loss.high / loss.initial, 1.0, CERTAIN),
        {"spikes": 1, "highest": loss.high, "level_before": loss.initial, "last": loss.final},
        series="train/loss",
        step=where,
        span=(loss.first_step, where),
    )


def _lone(run: Run, loss: Series) -> Iterator[Symptom]:
    """The one value of a short log that is far above all others."""
    peak = lone_spike(loss)
    if peak is None or _skipped(run, loss)[peak]:
        return
    where = float(loss.x[peak])
    before, high = distinct(float(loss.y[peak - 1]), loss.high)
    others = np.delete(loss.y, peak)
    yield Symptom(
        f"training loss jumped from {before} to {high} at {run.place(where)}, then recovered",
        confidence_between(loss.high / float(others.max()), 1.0, CERTAIN),
        {
            "spikes": 1,
            "highest": loss.high,
            "level_before": median(loss.y[:peak]),
            "largest_other": float(others.max()),
        },
        series="train/loss",
        step=where,
        span=(where, where),
    )


def _drift(loss: Series) -> float:
    """How far the level of a loss that only wanders goes up and down; 0 for one that falls."""
    highest = float(loss.smooth.max())
    return highest - loss.best if wanders(loss, loss.best, highest) else 0.0


def _noise_around(seen: Jumps, event: Jump) -> float:
    """The standard deviation of the steps from point to point on both sides of a jump, by their median size.

    Where a loss falls fast its noise grows, so that the points before alone would show too little noise.
    """
    before = seen.y[max(event.start - WINDOW, 0) : event.start]
    after = seen.y[event.back + 1 : event.back + 1 + WINDOW]
    moves = np.abs(np.concatenate([np.diff(before), np.diff(after)]))
    return MAD_TO_STD * median(moves) / np.sqrt(2) if len(moves) else 0.0


def _is_usual(run: Run, events: list[Jump], seen: Jumps, scale: float) -> bool:
    """Whether the loss jumps so often, or so regularly, that this is usual in the run or its log.

    At equal distances or at the ends of epochs come the short last batches of epochs, unless the jumps are higher than theirs.
    """
    up = sum(e.end - e.start for e in events)
    if len(events) > MAX_SHARE_OF_STARTS * len(seen.y) + 2 or (
        len(events) > MAX_SINGLE and up > MAX_SHARE_UP * len(seen.y)
    ):
        return True
    if all(e.beyond_a_batch(scale) for e in events):
        return False
    places = seen.x[[e.start for e in events]]
    loss = run.series["train/loss"]
    several = len(events) > 1 and all_at_borders(run, loss, np.searchsorted(loss.x, places))
    return several or periodic(places, median(np.diff(seen.x)))


def _skipped(run: Run, loss: Series) -> NDArray[np.bool_]:
    """Where no spike is looked for: in the first steps, and up to two points after a resume, a new term or a raise of the learning rate."""
    early, restarted = loss.x < loss.step_at(FIRST_STEPS), _restarted(run, loss)
    return np.asarray(early | restarted | np.roll(restarted, 1) | np.roll(restarted, 2))


def _restarted(run: Run, loss: Series) -> NDArray[np.bool_]:
    """Where a resume, a new term or a raise of the learning rate begins something new."""
    restarted = np.zeros(len(loss.x), dtype=np.bool_)
    places = np.searchsorted(loss.x, [*run.numbers("resumed_at"), *_terms_begin(run, loss)])
    restarted[places[places < len(loss.x)]] = True
    rate = rates_at(run, loss.x)
    if rate is not None:
        restarted[1:] |= rate[1:] > RAISED * rate[:-1]
    return restarted


def _terms_begin(run: Run, loss: Series) -> Iterator[float]:
    """The steps at which a part of the loss is logged, or is not zero, for the first time: the loss measures something else from there on."""
    for name, part in run.series.items():
        if name.startswith("train/") and name.endswith("_loss") and part.y.any():
            begins = part.step_where(part.y != 0)
            if begins > loss.first_step:
                yield begins


def _symptom(run: Run, seen: Jumps, events: list[Jump], least: float) -> Symptom:
    worst = max(events, key=lambda e: e.height)
    where, count = float(seen.x[worst.top]), len(events)
    before, peak = distinct(float(seen.y[worst.start - 1]), worst.peak)
    others = f" (the highest of {count} spikes)" if count > 1 else ""
    return Symptom(
        f"training loss jumped from {before} to {peak} at {run.place(where)}{others}, then recovered",
        confidence_between(worst.height / least, 1.0, CERTAIN),
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
    needs={"train/loss": MIN_BEFORE_LONE + MIN_AFTER_LONE + 1},
    check=check,
    why="A spike that recovers costs some steps; the next one may not recover. Typical causes are a learning rate close to the limit of stability, single bad batches, or stale second-moment estimates in Adam.",
    how=f"The loss jumps by at least {SPREADS:g} standard deviations and {percent(MIN_HEIGHT)} of the total decrease in loss above the level of the points before ({percent(SLIGHT_HEIGHT)} if no other rise is {percent(1 / FAR_AHEAD)} as high), and then recovers at least {percent(1 - MAX_LEFT)} of the jump. Consecutive points are one spike. The first {percent(FIRST_STEPS)} of the run, warm restarts, resumes, steps at which a new part of the loss begins, and jumps at equal distances or at the ends of epochs (short last batches) of up to {BEYOND_A_BATCH:g} times the total decrease do not count, nor does a loss that jumps all the time; where the level only wanders, a spike must exceed {MIN_DRIFTS:g} times its range. In fewer than {MIN_LONG} values: one value is {MIN_LONE:g} times as high as all others. In a log that begins in the middle of a run: the loss goes up to {MIN_LONE:g} times its first value, over several values, and comes down again.",
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

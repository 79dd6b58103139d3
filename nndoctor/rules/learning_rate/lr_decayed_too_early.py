"""The learning rate became small while the network could still learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.guessing import ends_at_guessing
from nndoctor.analysis.learning_rate import VANISHED
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import certain, course, derived_finding

DECAYED = 0.5  # share of its peak below which a rate counts as decayed
HALVED_BY = 0.45  # share of the run by which an early decay has halved the rate; a cosine or a line to zero takes 50%
SMALL_RATE = 0.05  # share of its peak below which the weights hardly move
MAX_SHARE = 0.7  # share of the run after which a small rate ends the run on purpose
BRIEF = 0.12  # share of the run in which a rate that falls from half its peak is cut rather than decayed
MIN_FALL = 0.06  # loss ranges that the loss fell in the last third of the time that the rate was large
CERTAIN_FALL = 0.25  # the same, from which there is no other explanation
MAX_LEFT = 0.2  # share of that fall by which the loss may still fall at the small rate
# Share of its peak below which the rate of a language model is at its floor; recipes end at a tenth of the peak, or at zero.
FLOOR = 0.2
OVER_BY = 0.4  # share of the run by which its schedule is over; recipes decay to the last step
MAX_MOVED = 0.02  # share by which a rate at its floor may still move
MIN_SCHEDULE = 10  # values of the learning rate that show a schedule
MIN_VALUES = 4  # values before a step that show a slope
BEFORE = 0.67  # share of the way to a step at which the loss is that of the time before it
LAST_HALF = 0.5  # share of the time since the rate is small after which it no longer moves
# Where decaying over the whole run is usual, and few of the retrained networks are comparable.
OF_TEXT = (Workload.PRETRAINING, Workload.FINE_TUNING)
REMEDIES = ("decay-later", "train-longer")

MIN_VAIN = 0.2  # share of the run that is trained at such a rate
MIN_RATES = 4  # learning rates that show a decay
# Probability of the finding from which a log without a learning rate shows it: of 25 such runs of the zoo, 22 confirm it.
SURE = 0.8


def check(run: Run) -> Iterator[Symptom]:
    """Find when the rate became small for good, and whether the loss was still falling then; else ask the prognosis."""
    lr = run.series.get("lr")
    found = _without_rate(run) if lr is None else _with_rate(run) if len(lr.y) >= MIN_RATES else None
    if found is not None:
        yield found


def _with_rate(run: Run) -> Symptom | None:
    found = _vanished(run) or _stopped_by_decay(run) or _by_prognosis(run)
    return _over(run) if found is None and workload(run) is Workload.PRETRAINING else found


def _vanished(run: Run) -> Symptom | None:
    """A rate that was decayed until no update changes a weight, and training that went on all the same."""
    lr, loss = run.series["lr"], run.series["train/loss"]
    above = np.flatnonzero((lr.y > VANISHED) | (lr.y <= 0))
    first = int(above[-1]) + 1 if len(above) else 0
    if lr.low == lr.high or len(lr.y) - first < MIN_RATES or 1 - loss.share_of_run(float(lr.x[first])) < MIN_VAIN:
        return None
    where = float(lr.x[first])
    return Symptom(
        f"the learning rate is {number(float(lr.y[first]))} at {run.axis} {step(where)} and {number(lr.final)} at the end: "
        f"too small to change a weight, so what was trained since had no effect",
        MEASURED,
        {"from_step": where, "last": lr.final},
        series="lr",
        step=where,
        span=(where, loss.last_step),
    )


def _stopped_by_decay(run: Run) -> Symptom | None:
    """A loss that fell until the rate became small, or until it was cut from half of its peak to that."""
    lr = run.series["lr"]
    small, decayed = (_start(lr, share) for share in (SMALL_RATE, DECAYED))
    if small is None:
        return None
    found = _still_fell(run, small, small)
    if found is None and decayed is not None and _cut(lr, decayed, small):
        found = _still_fell(run, decayed, small)
    return found


def _by_prognosis(run: Run) -> Symptom | None:
    """What the prognosis makes of a rate that was halved early, where retrained networks are comparable."""
    decayed = _start(run.series["lr"], DECAYED)
    if decayed is None or not _early(run, decayed) or workload(run) in OF_TEXT:
        return None
    return derived_finding(
        run, "lr-decayed-too-early", "constant-schedule", REMEDIES, lambda: _message(run, decayed, DECAYED)
    )


def _without_rate(run: Run) -> Symptom | None:
    """What the prognosis is nearly certain of where the log holds no learning rate, of a run that learned something."""
    if certain(run, "lr-decayed-too-early", SURE) is None or ends_at_guessing(run, "train") is not None:
        return None
    return derived_finding(
        run,
        "lr-decayed-too-early",
        "constant-schedule",
        REMEDIES,
        lambda: (
            f"{course(run)}, as where the learning rate is decayed too early; the log holds no learning rate to confirm it"
        ),
    )


def _over(run: Run) -> Symptom | None:
    """A schedule of a language model that ended in the first half of the run: it was made for fewer steps than were trained."""
    lr, loss = run.series["lr"], run.series["train/loss"]
    small = _start(lr, FLOOR)
    if small is None or len(lr.y) < MIN_SCHEDULE or loss.share_of_run(small) > OVER_BY:
        return None
    late = lr.y[lr.x > small + LAST_HALF * (lr.last_step - small)]
    if not len(late) or late.max() > (1 + MAX_MOVED) * late.min() or lr.low <= 0:
        return None
    return Symptom(
        f"{_message(run, small, FLOOR)}: the schedule was made for fewer steps than the run has",
        TYPICAL,
        {"decayed_at": small, "share_of_run": round(loss.share_of_run(small), 3)},
        series="train/loss",
        step=small,
        span=(small, loss.last_step),
    )


def _start(lr: Series, share: float) -> float | None:
    """The step from which the rate stays below a share of its peak, over at least two values."""
    large = np.flatnonzero(lr.y > share * lr.high)
    return float(lr.x[large[-1] + 1]) if lr.high > 0 and large[-1] < len(lr.y) - 2 else None


def _early(run: Run, decayed: float) -> bool:
    """Whether the rate is halved sooner than by a cosine or a line over the whole run, which is no early decay."""
    return run.series["train/loss"].share_of_run(decayed) < HALVED_BY


def _cut(lr: Series, decayed: float, small: float) -> bool:
    """Whether the rate went from half of its peak to nearly nothing in a short part of the run: a schedule made for fewer steps."""
    return lr.share_of_run(small) - lr.share_of_run(decayed) < BRIEF


def _message(run: Run, end: float, share: float) -> str:
    loss, lr = run.series["train/loss"], run.series["lr"]
    then = float(np.interp(end, loss.reduced[0], loss.smooth))
    return (
        f"the learning rate fell from {number(lr.high)} to {number(lr.final)}, below {percent(share)} of its peak from "
        f"{run.axis} {step(end)} on ({percent(loss.share_of_run(end))} of the run); training loss was about {number(then)} then and ends at about {number(loss.last)}"
    )


def _still_fell(run: Run, end: float, small: float) -> Symptom | None:
    """Whether the loss fell up to a step, while the rate was large, and has hardly moved since the rate is small."""
    loss = run.series["train/loss"]
    share = loss.share_of_run(small)
    half, then = _levels(loss, end)
    since = then if end == small else _levels(loss, small)[1]
    fall = min(before - after for before, after in (_levels(series, end) for series in _both(run, loss))) / reach(run)
    gained = MAX_LEFT * 2 * (half - then) + MAX_LEFT * max(loss.first - then, 0.0)
    if not 0.0 < share < MAX_SHARE or fall < MIN_FALL or since - loss.last > gained:
        return None
    return Symptom(
        _message(run, small, SMALL_RATE),
        confidence_between(fall, MIN_FALL, CERTAIN_FALL),
        {"decayed_at": small, "share_of_run": round(share, 3), "fall_before": round(fall, 3)},
        series="train/loss",
        step=small,
        span=(small, loss.last_step),
    )


def _levels(series: Series, end: float) -> tuple[float, float]:
    """The curve at two thirds of the way to a step, and at the last point before it."""
    x, y = series.reduced[0], series.smooth
    before = x[x < end]
    stop = float(before[-1]) if len(before) >= MIN_VALUES else end  # a short phase is over within its last value
    half, then = np.interp([x[0] + BEFORE * (stop - x[0]), stop], x, y)
    return float(half), float(then)


def _both(run: Run, loss: Series) -> list[Series]:
    validation = run.series_of("validation/loss", MIN_VALUES)
    return [loss, validation] if validation is not None else [loss]


RULE = Rule(
    code="NN203",
    name="lr-decayed-too-early",
    severity=Severity.WARNING,
    title="the learning rate was decayed too early",
    needs={"train/loss": 5},
    check=check,
    why="With a learning rate near zero the weights hardly move: the flat end of the loss looks like convergence.",
    how=f"The learning rate is under {percent(SMALL_RATE)} of its peak for the last {percent(1 - MAX_SHARE)} of the run or more, the loss was still falling before that, and has hardly fallen since. Of a pretrained language model: the schedule reaches its floor, at most {percent(FLOOR)} of the peak, in the first {percent(OVER_BY)} of the run. Or the logged learning rate is below {percent(DECAYED)} of its peak from {percent(HALVED_BY)} of the run on at the latest, and the prognosis finds it likely that a constant learning rate gains at least a quarter of the possible improvement; in a log without a learning rate it must be {percent(SURE)} sure.",
    sources=(
        Reference(
            "CS231n, Annealing the learning rate: 'decay it too aggressively and the system will cool too quickly'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(train_loss="2.3..1.5*8 1.49*24", lr="0.1*8 0.001*24"),
        Run.drawn({"workload": "pretraining"}, train_loss="3.2..2.7*6 2.7..2.5*24", lr="0.002..0.0002*6 0.0002*24"),
    ),
    healthy=(
        Run.drawn({"workload": "pretraining"}, train_loss="3.2..2.2*30", lr="0.002..0.0002*26 0.0002*4"),
        Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.38*20", lr="0.1*8 0.001*20"),
        Run.drawn(train_loss="2.3..0.3*30", lr="0.1..0.0001*30"),
    ),
    suppressed_by=("nan-loss", "diverged"),
)

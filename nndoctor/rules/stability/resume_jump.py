"""The loss jumped up in one step, as after a resume that did not restore everything, and had to be learned again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nndoctor.analysis.chance import UNLEARNED, chance_loss
from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.learning_rate import rates_at
from nndoctor.analysis.level_step import ERRORS, WINDOW, LevelStep, step_up
from nndoctor.analysis.restarts import MAX_STARTS, NEAR_START, starts_over
from nndoctor.analysis.spikes import ONE_STEP, Jump, Jumps, jumps, steepest
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, closing, median, opening

MIN_POINTS, MIN_POINTS_UNNAMED = 10, 20  # of the loss, where the log names the resume and where it does not
MIN_HEIGHT = 0.3  # share of the run's reach
MIN_HEIGHT_AT_RESUME = 0.15  # the same at a step where the log says that the run was resumed
CERTAIN_HEIGHT = 0.9  # the same from which there is no doubt
SPREADS = 8.0  # standard deviations of the points before
MIN_LOST = 0.5  # share of the way down from the start that is undone where the log does not name a resume
MAX_LOST = 1.15  # the same; a loss that climbs far above its start has diverged
BACK_TO_START = 0.7  # the same from which the model is back at its start
FIRST_STEP = 0.75  # share of the height that the first step has, or two where the first value is a mean over steps before and after
MIN_LASTING, MIN_LASTING_POINTS = 0.08, 3  # share of the points, and points; what comes back sooner is a spike
MAX_STEP_AFTER, NOISES_AFTER = 0.15, 6.0  # share of the height, and times the noise, of any step after the jump
MIN_FALL_AFTER = 0.1  # share of the height by which the loss falls again
EDGE = 0.1  # share of the values after a step at their beginning and at their end
# Points of each half of the stretch before a jump, and share of its height by which they differ.
RESTING, AT_REST = 10, 0.1
NEARBY = 3  # points from a resume that the log names
MIN_STEP = 0.18  # share of the run's reach: a step between the medians of many noisy points
MAX_OVERSHOT = 1.5  # times the step; a loss that jumps higher was unstable
RAISED = 1.3  # times the learning rate before: a warm restart, or a schedule that was not restored
NORM_BURST = 4.0  # times the usual gradient norm: a step of the optimizer, not a resume, moved the weights
# Factors on the confidence where the log names no resume, and where only the level steps up.
UNNAMED, OF_STEP = 0.9, 0.8
STARTED_ANEW = 0.9  # confidence where the loss is back at its start several times, or where the log names a resume


def check(run: Run) -> Iterator[Symptom]:
    """Look for one jump that stays, at a resume that the log names, or down to the level of a run's start."""
    loss = run.series["train/loss"]
    scale = max(reach(run), UNLEARNED * (chance_loss(run) or 0.0))
    starts = starts_over(run, loss)
    found = _started_anew(run, loss, starts) if len(starts) > 1 else None
    if found is None and not (run.fact("resumed_at") is None and _cannot_show(loss, scale)):
        found = _jump(run, loss, scale) or _level_step(run, loss, scale)
    if len(loss.y) < MIN_POINTS_UNNAMED:
        found = found or _started_anew(run, loss, starts)
    if found is not None:
        yield found


def _started_anew(run: Run, loss: Series, starts: Sequence[float]) -> Symptom | None:
    """The loss is back at its start at these steps, and the validation loss, where there is one, jumps with it."""
    known = {k for k, start in enumerate(starts) for step in run.numbers("resumed_at") if start == step}
    if not starts or not all(_validation_rises(run, start) for start in starts):
        return None
    at = int(np.searchsorted(loss.x, starts[0]))
    before, after = distinct(float(loss.y[at - 1]), float(loss.y[at]))
    again = "" if len(starts) == 1 else f" and {plural(len(starts) - 1, 'more time')} later"
    when = "where the run was resumed" if known else "as if the run had been resumed without its weights"
    return Symptom(
        f"training loss went back to its start, from {before} to {after} at {run.place(starts[0])}{again}, {when}",
        STARTED_ANEW if known or len(starts) > 1 else STARTED_ANEW * UNNAMED,
        {"before": float(loss.y[at - 1]), "after": float(loss.y[at]), "starts": len(starts)},
        series="train/loss",
        step=starts[0],
        span=(starts[0], loss.last_step),
        causes=_causes(run, starts[0], 1.0),
        remedies=("load-the-weights", "restore-optimizer"),
    )


def _validation_rises(run: Run, start: float) -> bool:
    """Whether the first validation loss from a step on is above the one before it, as far as both are known."""
    validation = run.series_of("validation/loss", 2 * NEARBY)
    if validation is None:
        return True
    at = int(np.searchsorted(validation.x, start))
    return not 0 < at < len(validation.y) or bool(validation.y[at] > validation.y[at - 1])


def _jump(run: Run, loss: Series, scale: float) -> Symptom | None:
    """A lasting jump where the log names a resume; else the only one, if it starts over."""
    seen = jumps(loss, MIN_HEIGHT_AT_RESUME * scale)
    lasting = [event for event in seen.events if _lasts(seen, event)]
    known = next((e for e in seen.events if _stands_out(e) and _named(run, seen, e) and not _frees(seen, e)), None)
    if known is not None:
        return _symptom(run, seen, known, scale, known=True)
    if len(lasting) != 1 or lasting[0].height <= MIN_HEIGHT * scale or not _starts_over(run, loss, seen, lasting[0]):
        return None
    return _symptom(run, seen, lasting[0], scale, known=False)


def _level_step(run: Run, loss: Series, scale: float) -> Symptom | None:
    """A step between the medians of many noisy values, which no rise of the learning rate explains."""
    step = step_up(loss, MIN_STEP * scale)
    if step is None or not _is_calm(loss, step) or _rate_or_norm_rises(run, loss, step) or not _falls_again(loss, step):
        return None
    return _of_step(run, loss, step, scale)


def _cannot_show(loss: Series, scale: float) -> bool:
    """Whether a loss is too short, or rises too little, to show a resume that the log does not name."""
    return len(loss.y) < MIN_POINTS_UNNAMED or steepest(loss) < ONE_STEP * MIN_STEP * scale


def _lasts(seen: Jumps, event: Jump) -> bool:
    """Whether a jump stands out from the points before it, and does not come back soon."""
    lasts = max(MIN_LASTING_POINTS, MIN_LASTING * len(seen.y))
    return _stands_out(event) and event.back - event.start > lasts


def _stands_out(event: Jump) -> bool:
    """Whether a jump is far above the noise of the points before it, and more than one point high."""
    return event.height > SPREADS * event.noise and event.back - event.start > 1


def _frees(seen: Jumps, event: Jump) -> bool:
    """Whether a jump leads a loss that was at rest to far below that level: what is trained, or how, was changed on purpose."""
    before = seen.y[max(event.start - 2 * RESTING, 0) : event.start]
    if len(before) < 2 * NEARBY:
        return False
    half = len(before) // 2
    moved = abs(median(before[:half]) - median(before[half:]))
    return moved < max(event.noise, AT_REST * event.height) and event.lowest_after < event.level - event.height


def _named(run: Run, seen: Jumps, event: Jump) -> bool:
    """Whether the log says that the run was resumed there."""
    places = np.searchsorted(seen.x, run.numbers("resumed_at"))
    return bool((np.abs(places - event.start) <= NEARBY).any())


def _starts_over(run: Run, loss: Series, seen: Jumps, event: Jump) -> bool:
    """Whether the loss goes back, in one step and calmly, to where an untrained network begins, and falls again from there."""
    y = seen.y
    way = loss.first - event.level
    first = [k for k in (event.start, event.start + 1) if k < len(y)]
    up = next((k for k in first if y[k] - y[event.start - 1] >= FIRST_STEP * event.height), None)
    if up is None or not MIN_LOST * way < event.height < MAX_LOST * way:
        return False
    after = y[up:]
    calm = max(MAX_STEP_AFTER * event.height, NOISES_AFTER * event.noise)
    if len(after) < 2 * NEARBY or float(np.abs(np.diff(after)).max()) > calm:
        return False
    falls = median(after[:NEARBY]) - median(after[-NEARBY:]) > max(2 * event.noise, MIN_FALL_AFTER * event.height)
    return falls and not _norm_bursts(run, float(seen.x[event.start]))


def _is_calm(loss: Series, step: LevelStep) -> bool:
    """Whether the loss steps up to no more than it began with, and no value around the step is much higher."""
    height, around = step.after - step.before, loss.y[step.at - 1 : step.at + step.width]
    back = height < MAX_LOST * (loss.first - step.before)
    return back and float(around.max()) - step.before < MAX_OVERSHOT * height + SPREADS * loss.noise


def _falls_again(loss: Series, step: LevelStep) -> bool:
    """Whether what was lost is learned again after a step: a loss that stays up has diverged."""
    after = loss.y[step.at :]
    return median(opening(after, EDGE)) - median(closing(after, EDGE)) > MIN_FALL_AFTER * (step.after - step.before)


def _rate_or_norm_rises(run: Run, loss: Series, step: LevelStep) -> bool:
    """Whether the learning rate rises around a step, as in a warm restart, or the gradient norm bursts there."""
    rates = rates_at(run, loss.x[[step.at - step.width, min(step.at + step.width, len(loss.x) - 1)]])
    raised = rates is not None and bool(rates[1] > RAISED * rates[0])
    return raised or _norm_bursts(run, float(loss.x[step.at]))


def _of_step(run: Run, loss: Series, step: LevelStep, scale: float) -> Symptom:
    where, height = float(loss.x[step.at]), step.after - step.before
    first, second = distinct(step.before, step.after)
    return Symptom(
        f"training loss stepped up from about {first} to {second} at {run.place(where)} and falls again from there, "
        "as if the run had been resumed without all of its state",
        OF_STEP * confidence_between(height / scale, MIN_STEP, CERTAIN_HEIGHT),
        {"before": step.before, "after": step.after, "noise_before": loss.noise},
        series="train/loss",
        step=where,
        span=(where, loss.last_step),
        causes=_causes(run, where, height / max(loss.first - step.before, TINY)),
    )


def _norm_bursts(run: Run, at: float) -> bool:
    """Whether the gradient norm was far above its usual size in the steps around a place."""
    norm = run.series_of("grad_norm", 2 * NEARBY)
    if norm is None:
        return False
    place = int(np.searchsorted(norm.x, at))
    return float(norm.y[max(place - NEARBY, 0) : place + 2].max(initial=0.0)) > NORM_BURST * median(norm.y)


def _symptom(run: Run, seen: Jumps, event: Jump, scale: float, *, known: bool) -> Symptom:
    where = float(seen.x[event.start])
    before, after = distinct(float(seen.y[event.start - 1]), float(seen.y[event.start]))
    resumed = "where the run was resumed" if known else "as if the run had been resumed without all of its state"
    return Symptom(
        f"training loss jumped from {before} to {after} at {run.place(where)}, {resumed}",
        confidence_between(event.height / scale, MIN_HEIGHT_AT_RESUME if known else MIN_HEIGHT, CERTAIN_HEIGHT)
        * (1.0 if known else UNNAMED),
        {"before": float(seen.y[event.start - 1]), "after": float(seen.y[event.start]), "noise_before": event.noise},
        series="train/loss",
        step=where,
        span=(where, float(seen.x[min(event.back, len(seen.x) - 1)])),
        causes=_causes(run, where, event.height / max(run.series["train/loss"].first - event.level, TINY)),
    )


def _causes(run: Run, at: float, back: float) -> tuple[Cause, ...]:
    """What was not restored, by what the log shows around the jump; `back` is its height as a share of the way down before."""
    lr = run.series_of("lr", 2)
    rate = None if lr is None else np.interp(at + np.array([-1, 1]) * median(np.diff(lr.x)), lr.x, lr.y)
    schedule = rate is not None and not 1 / RAISED < float(rate[1]) / max(float(rate[0]), TINY) < RAISED
    weights = back > BACK_TO_START
    return (
        Cause(
            "wrong or incomplete checkpoint loaded",
            0.6 if weights and not schedule else 0.3,
            "the loss goes back to where an untrained model begins"
            if weights
            else "the loss is that of an earlier model",
            "evaluate the checkpoint before resuming",
        ),
        Cause(
            "learning-rate schedule not restored",
            0.6 if schedule else 0.05 if rate is not None else 0.2,
            f"the rate goes from {number(float(rate[0]))} to {number(float(rate[1]))} there"
            if rate is not None
            else "no learning rate is logged",
            "log the learning rate across the resume",
        ),
        Cause(
            "optimizer state not restored",
            0.15 if weights or schedule else 0.4,
            "Adam's running averages restart from zero",
            "compare the size of the optimizer state before and after loading",
        ),
        Cause(
            "data position not restored",
            0.1,
            "the sampler starts from the beginning",
            "log the sample index across the resume",
        ),
    )


RULE = Rule(
    code="NN314",
    name="resume-jump",
    severity=Severity.WARNING,
    title="the loss jumped where the run was resumed",
    needs={"train/loss": MIN_POINTS},
    check=check,
    why="A resumed run should continue where it stopped. If the optimizer state, the schedule, the data position or some weights were not restored, part of the training is lost.",
    how=f"One jump by {SPREADS:g} standard deviations of the points before that lasts for {percent(MIN_LASTING)} of the run: at a step where the log says that the run was resumed ({percent(MIN_HEIGHT_AT_RESUME)} of the run's reach), or, without such a mark, in a single step back to at least {percent(MIN_LOST)} of the way to the initial loss, from where the loss falls again as calmly as before and with ordinary gradient norms. Of a noisy loss, one step between the medians of up to {WINDOW} points by {percent(MIN_STEP)} of the reach and {ERRORS:g} standard errors, while the learning rate does not rise, from where the loss falls again. One to {MAX_STARTS} steps back to within {percent(NEAR_START)} of the first value, between which the loss only falls, are restarts in a short log, too. A jump after which a loss that was at rest falls far below its level is none.",
    sources=(
        Reference(
            "PyTorch tutorials, Saving and loading a general checkpoint",
            "https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html",
        ),
    ),
    remedies=("restore-optimizer", "load-the-weights"),
    sick=(
        Run.drawn(train_loss="3.4..2.2*50 3.3..2.3*40"),
        Run.drawn({"resumed_at": (30.0,)}, train_loss="2.3..0.9*30 1.5..0.9*30"),
    ),
    healthy=(
        Run.drawn({"resumed_at": (30.0,)}, train_loss="2.3..0.9*30 0.9..0.7*30"),
        Run.drawn({"resumed_at": (30.0,)}, train_loss="0.9*30 1.4 1.2 1..0.2*30"),
        Run.drawn(train_loss="2.3..0.9*30 2.2 1.4 0.9..0.7*30"),
        Run.drawn(train_loss="2.3..0.4*60"),
        Run.drawn(train_loss="2.3..0.4*60 9 7 3..1.2*20 1.2..0.4*40"),
    ),
    suppressed_by=("nan-loss",),
)

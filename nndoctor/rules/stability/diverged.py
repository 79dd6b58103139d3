"""The training loss left its best level for good: it ends far above it, or above three times its start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis import value_explosion as of_values
from nndoctor.analysis.chance import at_chance
from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.divergence_causes import OF_VALUES, divergence_causes, piles_up
from nndoctor.analysis.lasting_rise import (
    AT_ONCE_OF_FEW,
    FACTOR,
    MIN_FEW,
    ends_above,
    far_above_at_once,
    hardly_moves,
    leaves,
)
from nndoctor.analysis.learning_rate import rate_jump
from nndoctor.analysis.loss_explosion import comes_back
from nndoctor.analysis.loss_parts import MAX_GROWTH, unbounded_part
from nndoctor.analysis.loss_rise import (
    MIN_ABOVE_START,
    MIN_CLIMB,
    MIN_FEW_CLIMB,
    MIN_FEW_RISES,
    MIN_JUMP,
    MIN_STEADY,
    climbs_steadily,
    reweighted,
    rises_for_good,
)
from nndoctor.analysis.out_of_scale import MIN_HUGE, MIN_LOSS, MIN_NORM, NO_SQUARE, beyond_squares, out_of_scale
from nndoctor.analysis.rate_rise import lost_to_rate
from nndoctor.analysis.slow_rise import MIN_TIMES, slow_rise
from nndoctor.analysis.twin_error import twin_error_falls
from nndoctor.analysis.wandering import wanders
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import DIRECT, SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import MAX_FACTOR, factor, number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MAX_LOST = 0.6  # share of what was learned that is lost at the end; a bad batch loses less, and the loss comes back
MIN_LEARNED = 0.5  # share of the reach that the loss counts as having fallen at least
MIN_VALIDATED, LEFT_BEHIND = 6, 1.3  # evaluations, and times the first one that all later ones are above
MIN_TRAINED = 5  # training losses; all but the first are above it
LEFT_BEHIND_TOO = 1.1  # the same for the validation loss next to a training loss that says so too
EXPLODED_RANGE = 0.3  # share of the reach; a smaller rise of a loss that hardly moved is no explosion
EXPLODED = 0.97  # confidence where the rise is a multiple of the decrease; no healthy run of the zoo does that
LARGEST_RATIO = 1e9  # a rise over almost nothing learned is infinite, which JSON cannot spell


@dataclass(frozen=True, slots=True)
class _Rise:
    """How far the loss ends above its best level, and how far it had fallen before.

    `at_once` says that the second half is far above the first value, `exploded` that the rise is a multiple of the fall,
    and `lasting` that the loss ends clearly above its best level and lost most of what was learned.
    """

    height: float
    learned: float
    at_once: bool
    exploded: bool
    lasting: bool


def check(run: Run, lost: float = MAX_LOST) -> Iterator[Symptom]:
    """Compare the level at the end with the best level before it."""
    if workload(run) is Workload.REINFORCEMENT:
        beyond = beyond_squares(run)
        yield from _values(run) if beyond is None else [_too_large_to_square(beyond)]
        return
    loss = run.series.get("train/loss")
    if loss is None:
        yield from _validation_alone(run)
        return
    yield from _part_alone(run, loss)
    if (huge := out_of_scale(run)) is not None:
        yield _beyond_reason(run, loss, *huge)
        return
    if not hardly_moves(loss):
        yield from _left_its_best(run, loss, lost)


def _left_its_best(run: Run, loss: Series, lost: float) -> Iterator[Symptom]:
    """The loss ends far above its best level; a slow climb that undoes less is a warning."""
    slow = slow_rise(run)
    if slow is not None and slow.exchanged:  # it is the other loss that is trained
        return
    rise = _rise(run, loss, lost)
    lasting = rise.lasting or rises_for_good(run) is not None or _never_back(run, loss)
    if not (lasting or slow or climbs_steadily(run)) or wanders(loss, loss.best, loss.last):
        return
    if not (at_chance(run) or comes_back(loss) or reweighted(run) or twin_error_falls(run, loss.low_step)):
        yield _symptom(run, loss, rise, lost, severity=None if lasting else Severity.WARNING)


def _part_alone(run: Run, loss: Series) -> Iterator[Symptom]:
    """A part of the loss that grows beyond all bounds while the whole does not: it is logged, and nothing lowers it."""
    part = unbounded_part(run, loss)
    if part is None:
        return
    yield Symptom(
        f"{part.column} grew from {number(part.initial)} to {number(part.final)} while the training loss went from {number(loss.initial)} to {number(loss.final)}: it is logged, but hardly counts in the loss",
        DIRECT,
        {"first": part.initial, "last": part.final, "loss": loss.final},
        series=part.name,
        step=part.last_step,
        span=part.span,
        severity=Severity.WARNING,
        remedies=("weigh-the-part", "clip-gradients"),
    )


def _beyond_reason(run: Run, loss: Series, usual: float, norm: float) -> Symptom:
    """A run that had exploded before its first row."""
    return Symptom(
        f"training loss is about {number(usual)} and the gradient norm about {number(norm)} from {run.place(loss.first_step)} on, and the loss does not fall: "
        "the weights have exploded, or the inputs and targets are not normalized",
        SEVERAL_SIGNS,
        {"loss": usual, "grad_norm": norm},
        series="train/loss",
        step=loss.first_step,
        span=loss.span,
        causes=divergence_causes(run, loss),
        remedies=("lower-learning-rate", "normalize-targets", "clip-gradients"),
    )


def _too_large_to_square(loss: Series) -> Symptom:
    """Values, or a policy, that are beyond any scale throughout."""
    size = float(abs(loss.y).min())
    return Symptom(
        f"{series_in_words(loss.name)} is at least {number(size)} in all {len(loss.y)} values, and float32 cannot hold its square: the value estimates have exploded",
        EXPLODED,
        {"smallest": size, "values": len(loss.y)},
        series=loss.name,
        step=loss.first_step,
        span=loss.span,
        causes=OF_VALUES,
        remedies=OF_VALUES_FIRST,
    )


def _validation_alone(run: Run) -> Iterator[Symptom]:
    """Of a log without a training loss: a validation loss that left its first value at once, for good."""
    loss = run.series_of("validation/loss", MIN_VALIDATED)
    if loss is None or not leaves(loss, LEFT_BEHIND):
        return
    first, last = number(loss.initial), number(loss.final)
    yield Symptom(
        f"validation loss rose from {first} at {run.place(loss.first_step)} to {last}, and never came back below {number(float(loss.y[1:].min()))}",
        DIRECT,
        {"first": loss.initial, "best_after": float(loss.y[1:].min()), "last": loss.final},
        series="validation/loss",
        step=loss.first_step,
        span=loss.span,
        causes=divergence_causes(run, loss),
    )


def _never_back(run: Run, loss: Series) -> bool:
    """Whether both losses left their first values at once, for good: a pretrained model that the first steps ruined."""
    validation = run.series_of("validation/loss", MIN_VALIDATED)
    if validation is None or len(loss.y) < MIN_TRAINED:
        return False
    return leaves(loss, LEFT_BEHIND) and leaves(validation, LEFT_BEHIND_TOO)


def _rise(run: Run, loss: Series, lost: float) -> _Rise:
    height, learned = loss.last - loss.best, max(loss.first - loss.best, 0.0)
    stays_up = ends_above(loss, height)
    at_once = not stays_up and far_above_at_once(loss)
    exploded = at_once or _multiplies(run, loss, height, learned)
    gone = learned > 0 and height > lost * max(learned, MIN_LEARNED * reach(run))
    return _Rise(height, learned, at_once, exploded, (at_once or stays_up) and (exploded or gone))


def _symptom(run: Run, loss: Series, rise: _Rise, lost: float, severity: Severity | None) -> Symptom:
    best = loss.low_step
    ratio = rise.height / rise.learned if rise.learned > 0 else LARGEST_RATIO
    return Symptom(
        _message(run, loss, at_once=rise.at_once),
        EXPLODED if rise.exploded else confidence_between(rise.height / reach(run), lost / 2, 1.0),
        {
            "first": loss.initial,
            "best": loss.low,
            "best_step": best,
            "last": loss.final,
            "rise_over_learned": min(ratio, LARGEST_RATIO),
        },
        series="train/loss",
        step=best,
        span=(best, loss.last_step),
        causes=divergence_causes(run, loss),
        severity=severity,
        remedies=BOOSTING if workload(run) is Workload.BOOSTING else STEP_FIRST if piles_up(run, loss) else (),
    )


def _multiplies(run: Run, loss: Series, rise: float, learned: float) -> bool:
    """Whether the loss rose by a multiple of its decrease; where it never fell, of its first value."""
    far = rise > FACTOR * learned if learned > 0 else rise > abs(loss.first)
    return far and rise > EXPLODED_RANGE * reach(run)


def _values(run: Run) -> Iterator[Symptom]:
    """Value estimates that grow without bound: each target is made from the last, too large one."""
    found = of_values.value_explosion(run)
    if found is None:
        return
    yield Symptom(
        found.words,
        DIRECT,
        {"first": found.series.initial, "last": found.series.final, "largest_return": found.bound},
        series=found.series.name,
        step=found.series.last_step,
        span=found.series.span,
        causes=OF_VALUES,
        remedies=OF_VALUES_FIRST,
    )


def _message(run: Run, loss: Series, *, at_once: bool) -> str:
    jump, rise = rate_jump(run, loss), lost_to_rate(run)
    if rise is not None and not jump:
        jump = f"the learning rate rose on from {number(rise.rate)} to {number(rise.last)}"
    return _course(run, loss, at_once=at_once) + (f"; {jump}" if jump else "")


def _course(run: Run, loss: Series, *, at_once: bool) -> str:
    first, last, best = loss.initial, loss.final, int(np.argmin(loss.y))
    times = f", {factor(last, first)} as high," if last > 2 * first > 0 and last < MAX_FACTOR * first else ""
    if at_once or best == 0:
        return f"training loss rose from {number(first)} (first value) to {number(last)}{times or ','} and does not come back"
    back = f", above its first value ({number(first)})" if last > first else ", and does not come back"
    return f"training loss was best at {run.place(float(loss.x[best]))} ({number(loss.low)}) and ends at {number(last)}{back}"


OF_VALUES_FIRST = ("lower-learning-rate", "slower-targets", "scale-rewards", "clip-gradients")
BOOSTING = ("weigh-classes", "lower-learning-rate", "check-labels")
STEP_FIRST = ("zero-gradients", "lower-learning-rate", "clip-gradients", "warm-up")


OF_THE_STEP = ("step-raises-loss", "gradients-not-reset")  # what a check-up finds in the user's own step
RULE = Rule(
    code="NN302",
    name="diverged",
    severity=Severity.ERROR,
    title="the training loss rose for good",
    needs={"train/loss|validation/loss|value_loss|total_loss": MIN_HUGE},
    check=check,
    why="A training loss is what the optimizer lowers. When it rises and stays high, the steps are too large or the gradients wrong, and training longer does not help.",
    how=f"In the last tenth of the run the loss is above its best level by more than {FACTOR:g} times its total decrease, or has lost more than {percent(MAX_LOST)} of it, far outside the noise; or three in four values of the second half are more than {FACTOR:g} times the first value; or the loss jumps by {percent(MIN_JUMP)} of its total decrease and stays high, or climbs by {percent(MIN_CLIMB)} of it until the end (in {MIN_FEW_RISES} rises from the lowest value on by {percent(MIN_FEW_CLIMB)}, where the gradient norm ends at its highest), or ends {MIN_ABOVE_START:g} times as high as it began without ever falling below its first value; or, all of {MIN_VALIDATED} validation losses or more, and of the training losses that are logged, stay above {LEFT_BEHIND:g} times the first (the validation loss {LEFT_BEHIND_TOO:g} times, next to a training loss). A loss that climbs steadily to {MIN_TIMES:g} times its best value while the training metric gets worse is a warning, and so is one whose values rise from early on, nearly every one above those before it, by {percent(MIN_STEADY)} or more, and so is a part of the loss that ends {MAX_GROWTH:,.0f} times as high as it began, and as the whole. Or the loss is above {MIN_LOSS:,.0f} and the gradient norm above {MIN_NORM:,.0f} in every row, and the loss does not fall; or all values after the first, {MIN_FEW - 1} or more, are above {AT_ONCE_OF_FEW:g} times the first. In reinforcement learning: the value loss grows by a factor of more than {of_values.MIN_GROWTH:,.0f}, or of {of_values.MIN_STEADY_GROWTH:g} in steady growth while the reward does not improve, or values exceed {of_values.MAX_OVER_RETURN:g} times the largest return, or the root of a loss that does not fall {of_values.MIN_OVER_RETURN:g} times, or the loss is above {NO_SQUARE:g}, whose square is infinite in float32, in all of {MIN_HUGE} values or more.",
    sources=(
        Reference(
            "CS231n: 'if the cost is ever > 3 * original cost, break out early'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023", "https://github.com/google-research/tuning_playbook"
        ),
    ),
    remedies=("lower-learning-rate", "warm-up", "clip-gradients", "check-finite-data"),
    sick=(
        Run.drawn({"task": "reinforcement-learning"}, value_loss="2..7e18*30", reward="-120..-200*30"),
        Run.drawn({"task": "reinforcement-learning"}, total_loss="1.4..730*40", reward="-31..-27*40"),
        Run.drawn(train_loss="2.3 1.2 0.9 1.5 2.4 3.0 7.3 7.2 7.5"),
        Run.drawn(train_loss="2.3..0.3*30 2.2*20"),
        Run.drawn(train_loss="8.2..2.4*40", train_kl_loss="13..2e16*40"),
        Run.drawn(train_loss="2.2..0.7*12 0.7..1.5*24", train_accuracy="0.2..0.8*12 0.8..0.6*24"),
        Run.drawn({"task": "reinforcement-learning"}, total_loss="4e22 7e21 9e24", reward="-400 -310 -350"),
        Run.drawn(train_loss="0.31 40100 9200 61000 88000"),
        Run.drawn(train_loss="1 3 9 27 81 240 700"),
        Run.drawn(train_loss="9.8 7.1 4.4 2.2 0.9 1.6 5.1 5.9", grad_norm="21 12 9 5 4 9 14 48"),
        Run.drawn(train_loss="4e8 3.8e8 4.3e8 3.9e8 4.1e8 4.4e8 3.9e8 4.2e8 4e8", grad_norm="9e5*9"),
        Run.drawn(train_loss="2 18 35 40 28 52 21 45 12 33 19 41 24 15 37 22 29 14"),
    ),
    healthy=(
        Run.drawn(train_loss="4e8..2e7*20", grad_norm="9e5*20"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 3.1 0.8 0.7"),
        Run.drawn(train_loss="2.3..0.01*30 0.012*4"),
        Run.drawn({"task": "reinforcement-learning"}, total_loss="0.15..1.6*25 1.6..0.03*15", reward="-31..5*40"),
        Run.drawn(train_loss="9.8 7.1 4.4 2.2 0.9 1.8 2.1 2.9", grad_norm="21 12 9 5 4 9 14 18"),
        Run.drawn(train_loss="-1.0 -1.8 -2.2 -2.4 -2.5 -2.5"),
        Run.drawn(train_loss="8.2..2.4*40", train_kl_loss="0.0001..13*40"),
        Run.drawn(train_loss="1.54 1.52 1.53..1.58*18", train_perplexity="367 351 340..279*18"),
    ),
    suppressed_by=("nan-loss", "sawtooth-epochs", "resume-jump", "codebook-collapse", *OF_THE_STEP),
    limits={"lost": MAX_LOST},
)

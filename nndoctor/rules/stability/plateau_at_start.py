"""The loss stays where it started: the network is not learning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis import plateau
from nndoctor.analysis.chance import at_chance, chance_loss, classes
from nndoctor.analysis.convergence import confidence_between, end_error, reach, roughness
from nndoctor.analysis.learning_rate import with_zero_rate
from nndoctor.analysis.loss_explosion import unrecovered_peak
from nndoctor.analysis.start import begins_late, only_begun
from nndoctor.analysis.stuck_causes import remedies_for, stuck_causes
from nndoctor.analysis.twin_error import twin_error_falls
from nndoctor.core.confidence import BY_DEFINITION, DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median
from nndoctor.prognosis.plateaus import MIN_POSSIBLE, MIN_PROBABLE, SURE, derived_plateau, weighed_plateau

MIN_FLAT = 0.5  # share of the run for which the loss is flat before it moves
CERTAIN_FLAT = 0.9  # the same from which there is no doubt
MIN_RISE, RISE_ERRORS = 0.3, 4.0  # share of its size, and standard errors, by which a loss ends above its start
MIN_POINTS = 8
AFTER_START = 0.3  # share of the run after which the roughness is measured
MAX_ROUGHNESS = 0.05  # share of its size; most plateaus jitter by less than 0.5 %
FAR_ABOVE = 0.5  # share of its last value by which a value is far above it
MAX_OFTEN, MAX_FEW = 0.15, 4  # share of such values in a flat loss; in so few values any number
FIRST_FIFTH = 0.2  # share of the run at its start and at its end whose levels show the trend
TREND_ERRORS, SMALL_TREND = 3.0, 0.5  # times the noise, and times a fall that is next to nothing, of a steady fall
LARGE_FALL, FALL_NOISES = 0.2, 3.0  # share of the first loss, and times its noise, that no plateau falls by
MAX_BLIND = (
    0.1  # share of the first loss that it may fall by within its noise; a larger one hides a fall that no plateau has
)
NEAR_GUESSING, AT_GUESSING = 0.05, 0.03  # shares of a loss by which it differs from that of guessing
BELOW_GUESSING = 0.9  # share of the loss of guessing below which the network has learned
MIN_STEPS = 100  # optimizer steps of a recorded run
MAX_ERROR = 0.6  # share of the errors of guessing; a network with fewer has learned, however flat its loss
FEW_VALUES = 0.75  # confidence where only a few values show the plateau
WHOLE_RUN = 0.85  # the same where the whole run is flat


def check(run: Run) -> Iterator[Symptom]:
    """See whether the loss left its start at all, and when."""
    loss = run.series["train/loss"]
    if len(loss.y) < plateau.MIN_POINTS and not (plateau.exact(loss) or plateau.barely_moves(run, loss)):
        return
    if begins_late(run) is not None or only_begun(run) or _has_learned(run) or twin_error_falls(run, loss.first_step):
        return
    seen = None if _is_unstable(run, loss) else _seen(run, loss)
    found = seen if seen is not None else derived_plateau(run, stuck_causes(run, loss))
    if found is not None:
        yield found


def _seen(run: Run, loss: Series) -> Symptom | None:
    """A loss that never leaves its start, or leaves it late."""
    fall = median(loss.y[: max(1, len(loss.y) // 20)]) - min(loss.best, loss.last)
    if _never_moves(run, loss, fall):
        whole = _symptom(run, loss, fall, BY_DEFINITION)
        noisy = plateau.chance_fall(loss) > MAX_BLIND * abs(loss.first) and _guesses(run, loss) is None
        return whole if plateau.exact(loss) else weighed_plateau(run, whole, hidden=noisy)
    share = plateau.left_at(loss)
    return _symptom(run, loss, fall, share) if share >= MIN_FLAT and len(loss.y) >= MIN_POINTS else None


def _is_unstable(run: Run, loss: Series) -> bool:
    """Whether the loss exploded, rises or oscillates: other rules report that."""
    return unrecovered_peak(loss) is not None or _rises(loss) or _oscillates(run, loss)


def _rises(loss: Series) -> bool:
    """Whether the loss ends clearly above its start, or never came back near it."""
    if float(loss.y[1:].min()) > (1 + MIN_RISE) * loss.initial > 0:
        return True
    return bool(loss.last - loss.first > MIN_RISE * abs(loss.first) + RISE_ERRORS * end_error(loss))


def _oscillates(run: Run, loss: Series) -> bool:
    """Whether the losses jump about: a network that does not move gives the same loss again, whatever the batch."""
    validation = run.series_of("validation/loss", MIN_POINTS)
    both = [loss, validation] if validation is not None else [loss]
    return all(len(s.y) >= MIN_POINTS and roughness(s, AFTER_START) > MAX_ROUGHNESS * abs(s.last) for s in both)


def _never_moves(run: Run, loss: Series, fall: float) -> bool:
    """Whether the whole run stays at its start, or at the level of guessing."""
    if _is_often_far_above(loss):
        return False
    little = plateau.MAX_FALL * abs(loss.first) if loss.low > 0 else 0.0  # of a loss without a zero nothing is a share
    trend = loss.level(0.0, FIRST_FIFTH) - loss.level(1 - FIRST_FIFTH, 1.0)
    steady = _falls_steadily(loss, trend, little)
    if steady and fall > little:
        return False
    guesses = _guesses(run, loss)
    if guesses is not None:
        return guesses
    if plateau.at_usual_guess(loss, fall):
        return True
    left = plateau.left_behind(loss)
    if steady or left > max(little, min(plateau.chance_fall(loss), LARGE_FALL * abs(loss.first))):
        return False
    return left <= little or trend < plateau.chance_trend(loss)


def _is_often_far_above(loss: Series) -> bool:
    """Whether more than a few of the values are far above the last one: the loss is not flat."""
    often = float(np.mean(loss.y - loss.last > FAR_ABOVE * abs(loss.last)))
    return len(loss.y) > MAX_FEW and often > MAX_OFTEN


def _falls_steadily(loss: Series, trend: float, little: float) -> bool:
    """Whether the loss falls from its first fifth to its last by more than noise and rounding, on a curve that can be extrapolated."""
    noise = plateau.NOISES * end_error(loss)
    return loss.forecast is not None and trend > TREND_ERRORS * noise and trend > SMALL_TREND * little


def _guesses(run: Run, loss: Series) -> bool | None:
    """Whether the loss ends at the level of guessing; None where the log does not show it."""
    chance = chance_loss(run)
    if at_chance(run) and abs(loss.last - (chance or loss.last)) < NEAR_GUESSING * abs(loss.last):
        return True
    return False if chance is not None and loss.last < BELOW_GUESSING * chance else None


def _has_learned(run: Run) -> bool:
    """Whether the validation loss fell by much, or the error is well below that of guessing."""
    return _validation_fell(run) or _error_is_low(run)


def _validation_fell(run: Run) -> bool:
    validation = run.series_of("validation/loss", plateau.MIN_POINTS)
    if validation is None:
        return False
    return validation.first - validation.last > max(LARGE_FALL * abs(validation.first), FALL_NOISES * validation.noise)


def _error_is_low(run: Run) -> bool:
    error = run.get("train/metric") or run.get("validation/metric")
    if error is None or not run.judged_by_share or len(error.y) <= 1:
        return False
    count = classes(run) or 2
    return error.low < MAX_ERROR * (1 - 1 / count)


def _symptom(run: Run, loss: Series, fall: float, share: float) -> Symptom:
    chance, count = chance_loss(run), classes(run)
    guess = (
        f", the loss of random guessing among {count} classes"
        if count and chance and abs(loss.last - chance) < AT_GUESSING * chance
        else ""
    )
    severity, causes = _severity(run, loss, share), stuck_causes(run, loss)
    end = loss.step_at(share)
    flat = (
        f"training loss stays at {number(loss.final)}{guess}"
        if share >= 1
        else (
            f"training loss stays at {number(loss.initial)} until {run.place(end)} ({percent(share)} of the run) before it falls"
        )
    )
    return Symptom(
        f"{flat} so far, which may be a slow start"
        if severity is Severity.INFO
        else _message(with_zero_rate(run, flat), len(loss.y), whole=share >= 1),
        _confidence(loss, share, guess=bool(guess) or at_chance(run)),
        {
            "first": loss.first,
            "last": loss.last,
            "fall": fall,
            "reach": reach(run),
            "flat_share": round(share, 3),
            "chance_loss": chance if count else None,
        },
        series="train/loss",
        step=end,
        span=(loss.first_step, end),
        causes=causes,
        remedies=remedies_for(causes),
        severity=severity,
    )


def _message(flat: str, values: int, *, whole: bool) -> str:
    if not whole:
        return flat
    if values >= plateau.MIN_POINTS:
        return f"{flat}: the network does not learn"
    return f"{flat} in {'both' if values == 2 else f'all {values}'} values: the network does not learn"


def _confidence(loss: Series, share: float, *, guess: bool) -> float:
    if len(loss.y) < plateau.MIN_POINTS and not plateau.exact(loss):
        return FEW_VALUES
    if guess:
        return DIRECT
    return WHOLE_RUN if share >= 1 else confidence_between(share, MIN_FLAT, CERTAIN_FLAT)


def _severity(run: Run, loss: Series, share: float) -> Severity | None:
    """Information where the recorder saw so few steps that a slow start is no verdict; no error where the log may only have begun."""
    if run.layers and len(loss.values) < MIN_STEPS:
        return Severity.INFO
    begun = len(loss.y) < plateau.MIN_POINTS and not plateau.exact(loss)
    return None if share >= 1 and not begun else Severity.WARNING


RULE = Rule(
    code="NN304",
    name="plateau-at-start",
    severity=Severity.ERROR,
    title="the loss stays where it started",
    needs={"train/loss": 2},
    check=check,
    why="A run whose loss stays at that of random guessing has learned nothing. Its gap, its bias and its schedule mean nothing until that is fixed.",
    how=f"The loss falls by less than {percent(plateau.MAX_FALL)} or less than its own noise, or the accuracy never leaves that of guessing; or the loss has fallen by less than {percent(plateau.MAX_PROGRESS)} of its total decrease for more than {percent(MIN_FLAT)} of the run. Several causes look alike in a log, so they are ranked. Where the prognosis calls a plateau improbable (under {percent(MIN_PROBABLE)}), the network may have learned before the first row: a warning, or information under {percent(MIN_POSSIBLE)}. So it is where noise would hide a fall of {percent(MAX_BLIND)}. A fine-tuned model may have known its examples before: a warning. So is a loss that moves by little where the prognosis is {percent(SURE)} sure of a plateau.",
    sources=(
        Reference(
            "CS231n: 'loss barely changing: learning rate is probably too low'; a stuck loss: bad initialization is a prime suspect",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("overfit-tiny-subset", "learning-rate-range-test", "he-initialization", "check-the-step", "check-labels"),
    sick=(
        Run.drawn(train_loss="1.3025 1.3027 1.3024 1.3026 1.3025 1.3026"),
        Run.drawn(train_loss="0.6667 0.6668 0.6666*18"),
        Run.drawn(train_loss="0.693*30 0.69 0.67 0.6 0.5 0.4..0.2*8"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.4*20"),
        Run.drawn(train_loss="0.02 0.021 0.02 0.0205 0.02", train_accuracy="0.99*5"),
    ),
    suppressed_by=(
        "nan-loss",
        "loss-exactly-zero",
        "gradients-not-finite",
        "no-weight-changes",
        "loss-scale-collapse",
        "diverged",
        "warmup-unfinished",
        "lr-decayed-too-early",
        "nan-in-layer",
        "dead-relu",
        "saturated-activation",
        "vanishing-gradient",
        "exploding-gradient",
        "update-ratio-off",
        "constant-output",
        "symmetric-initialization",
        "signal-shrinks",
        "signal-grows",
        "representation-collapse",
    ),
)

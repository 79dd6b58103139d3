"""The loss stays where it started: the network is not learning."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis import plateau as still
from nndoctor.analysis.chance import at_chance, chance_loss, classes
from nndoctor.analysis.convergence import confidence_between, reach, roughness
from nndoctor.analysis.loss_explosion import unrecovered_peak
from nndoctor.analysis.start import begins_late
from nndoctor.analysis.stuck_causes import stuck_causes
from nndoctor.core.confidence import BY_DEFINITION
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

HALF = 0.5  # flat for this share of the run before it moves
RISEN = 0.3  # of its size: a loss that ends so far above its start does not stay there
MANY = 8  # points
LOUD = 0.05  # of its size: plateaus of most kinds jitter by less than 0.5 %
WILD = 0.5  # of its own size: a loss thrown up by as much
OFTEN = 0.15  # of the readings: is not flat but swings
BRIEF = 100  # optimizer steps of a recorded run
LEARNED = 0.6  # of the errors of guessing: a network with fewer has learned, however flat its loss


def check(run: Run) -> Iterator[Symptom]:
    """See whether the loss left its start at all, and when."""
    loss = run.series["train/loss"]
    if len(loss.y) < still.FEW and not (still.exact(loss) or still.stands_still(run, loss)):
        return
    if (
        begins_late(run) is not None
        or _has_learned(run)
        or unrecovered_peak(loss) is not None
        or _rises(loss)
        or _swings(run, loss)
    ):
        return
    fall = float(median(loss.y[: max(1, len(loss.y) // 20)])) - min(loss.best, loss.last)
    if _never_moves(run, loss, fall):
        yield _symptom(run, loss, fall, BY_DEFINITION)
        return
    share = still.left_at(loss)
    if share >= HALF and len(loss.y) >= 8:
        yield _symptom(run, loss, fall, share)


def _rises(loss: Series) -> bool:
    return bool(loss.last - loss.first > RISEN * abs(loss.first) + 4 * loss.noise / max(len(loss.y) / 10, 1.0) ** 0.5)


def _swings(run: Run, loss: Series) -> bool:
    """Whether the losses jump about: a network that stands still gives the same loss again, whatever the batch."""
    validation = run.series.get("validation/loss")
    both = [loss, validation] if validation is not None and len(validation.y) >= MANY else [loss]
    return all(len(s.y) >= MANY and roughness(s, 0.3) > LOUD * abs(s.last) for s in both)


def _never_moves(run: Run, loss: Series, fall: float) -> bool:
    if float(np.mean(loss.y - loss.last > WILD * abs(loss.last))) > OFTEN and len(loss.y) > 4:
        return False
    noise = still.STANDS_OUT * loss.noise / np.sqrt(max(len(loss.y) / 10, 1.0))
    trend = loss.level(0.0, 0.2) - loss.level(0.8, 1.0)
    little = still.LITTLE * abs(loss.first) if loss.low > 0 else 0.0  # of a loss without a zero nothing is a share
    steady = loss.forecast is not None and trend > 3 * noise and trend > 0.5 * little
    if steady and fall > little:
        return False
    guesses = _guesses(run, loss)
    if guesses is not None:
        return guesses
    if still.at_usual_guess(loss, fall):
        return True
    left = still.left_behind(loss)
    if steady or left > max(little, min(still.chance_fall(loss), 0.2 * abs(loss.first))):
        return False
    return trend < still.STANDS_OUT * still.MEDIAN * loss.noise * math.sqrt(10 / len(loss.y)) or left <= little


def _guesses(run: Run, loss: Series) -> bool | None:
    """Whether the loss ends at the level of guessing; None where the log does not tell."""
    chance = chance_loss(run)
    if at_chance(run) and abs(loss.last - (chance or loss.last)) < 0.05 * abs(loss.last):
        return True
    return False if chance is not None and loss.last < 0.9 * chance else None


def _has_learned(run: Run) -> bool:
    validation = run.series.get("validation/loss")
    if (
        validation is not None
        and len(validation.y) >= 5
        and validation.first - validation.last > max(0.2 * abs(validation.first), 3 * validation.noise)
    ):
        return True
    error = run.get("train/metric") or run.get("validation/metric")
    if error is None or not run.judged_by_share or not len(error.y):
        return False
    number_of = classes(run)
    guessing = 1 - 1 / number_of if number_of else 0.5
    return error.low < LEARNED * guessing and len(error.y) >= 2


def _symptom(run: Run, loss: Series, fall: float, share: float) -> Symptom:
    chance, number_of = chance_loss(run), classes(run)
    guess = (
        f", the loss of random guessing among {number_of} classes"
        if number_of and chance and abs(loss.last - chance) < 0.03 * chance
        else ""
    )
    end = float(loss.x[0] + share * (loss.x[-1] - loss.x[0]))
    flat = (
        f"training loss stays at {number(loss.final)}{guess}"
        if share >= 1
        else (
            f"training loss stays at {number(loss.initial)} until step {step(end)} ({percent(share)} of the run) before it falls"
        )
    )
    return Symptom(
        _message(flat, len(loss.y), whole=share >= 1),
        _confidence(loss, share, guess=bool(guess) or at_chance(run)),
        {
            "first": loss.first,
            "last": loss.last,
            "fall": fall,
            "reach": reach(run),
            "flat_share": round(share, 3),
            "chance_loss": chance if number_of else None,
        },
        series="train/loss",
        step=end,
        span=(float(loss.x[0]), end),
        causes=stuck_causes(run, loss),
        severity=_severity(run, loss, share),
    )


def _message(flat: str, readings: int, *, whole: bool) -> str:
    if not whole:
        return flat
    if readings >= still.FEW:
        return f"{flat}: the network does not learn"
    return f"{flat} in {'both' if readings == 2 else f'all {readings}'} values: the network does not learn"


def _confidence(loss: Series, share: float, *, guess: bool) -> float:
    if len(loss.y) < still.FEW and not still.exact(loss):
        return 0.75
    if guess:
        return 0.95
    return 0.85 if share >= 1 else confidence_between(share, HALF, 0.9)


def _severity(run: Run, loss: Series, share: float) -> Severity | None:
    """Information where the recorder saw so few steps that a slow start is no verdict; no error where the log may only have begun."""
    if run.layers and len(loss.values) < BRIEF:
        return Severity.INFO
    begun = len(loss.y) < still.FEW and not still.exact(loss)
    return None if share >= 1 and not begun else Severity.WARNING


RULE = Rule(
    code="NN304",
    name="plateau-at-start",
    severity=Severity.ERROR,
    title="the loss stays where it started",
    needs={"train/loss": 2},
    check=check,
    why="A run whose loss stays at that of random guessing has learned nothing. Its gap, its bias and its schedule mean nothing until that is fixed.",
    how="The loss falls by less than 2% or less than its own noise, or accuracy never leaves 1/C; or the loss stays within 5% of its initial value for more than half of the run. Several causes look alike in a log, so they are ranked.",
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
    ),
)

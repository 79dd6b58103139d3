"""The causes of a loss that does not move, which look alike in a log."""

from __future__ import annotations

import math

from nndoctor.analysis.chance import chance_loss, classes, is_cross_entropy
from nndoctor.analysis.learning_rate import ZERO, zero_rate_cause
from nndoctor.analysis.level import LAST_QUARTER, end_level
from nndoctor.analysis.plateau import exact
from nndoctor.analysis.unlogged_causes import unseen_warm_up
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause, ranked
from nndoctor.core.formatting import number
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_JUMP, MIN_NOISES = 0.05, 10.0  # share of the last loss, and times the noise, that the loss jumped by
MIN_FIRST = 1.2  # times the last loss: it jumped before anything was logged
MIN_LOST, MIN_LOST_NOISES = 0.1, 5.0  # share of its last level, and times the noise, by which the loss once was lower
MIN_TIMES = 2.0  # times the loss of guessing, above which the outputs are certain of wrong answers
MAX_RIGHT = 0.6  # share of right answers of a network that guesses
MIN_ACCURACIES = 4
MAX_TUNING = 1e-4  # peak learning rate, above which fine-tuning all weights of a transformer often ends at one answer
UNLOGGED = 0.1  # weight of a cause that only the learning rate in the log could rule out

MIN_SETTLED = 12  # values of a loss that came down to that of guessing
MIN_ABOVE, MAX_OFF_GUESSING = 1.03, 0.02  # times that loss where it began, and share of it by which it ends off it

TOO_HIGH = "learning rate too high"
# Remedies where a learning rate that is too high is the likeliest cause.
LOWER_FIRST = ("lower-learning-rate", "warm-up", "overfit-tiny-subset", "check-labels", "check-the-step")
ZERO_FIRST = ("check-the-schedule", "check-the-step")
TOO_HIGH_BEFORE = Cause(
    TOO_HIGH,
    0.15,
    "a first step that is too large can kill the ReLUs before anything is logged",
    "one short run with a tenth of the learning rate",
)


AT_GUESSING = (
    Cause(
        "labels unrelated to the inputs, or a network that is too small",
        0.5,
        "the loss came down to that of guessing, so the weights are trained, and found nothing more to learn",
        "overfit twenty examples: it must reach zero loss",
    ),
    Cause(
        "bad initialization or dead units",
        0.3,
        "then only the bias of the output is learned",
        "nndoctor sanity model.py, or the recorder's layer statistics",
    ),
    Cause(
        "learning rate too low",
        0.2,
        "small steps learn the share of each class long before anything else",
        "one run with ten times the learning rate",
    ),
)
BOOSTED = (
    Cause(
        "features unrelated to the labels",
        0.5,
        "if no split helps, the loss stays the same in every round",
        "print twenty rows of features and labels: are they in the same order?",
    ),
    Cause(
        "learning rate too low",
        0.3,
        "with steps near zero the predictions do not change",
        "one run with a learning rate of 0.1",
    ),
    Cause(
        "trees that cannot grow",
        0.2,
        "min_child_weight, min_data_in_leaf or gamma may forbid every split",
        "one run with the library's defaults",
    ),
)


def _jumped(loss: Series) -> bool:
    """Whether the loss jumped above its first and its last value."""
    height = loss.high - loss.last
    return height > MIN_JUMP * abs(loss.last) + MIN_NOISES * loss.noise and loss.initial < loss.high


def times_of_guessing(run: Run, loss: Series) -> float:
    """How many times the loss of guessing the last loss is, by an accuracy of few right answers; 0 where the log does not show it."""
    accuracy = run.series_of("train/accuracy|validation/accuracy", MIN_ACCURACIES)
    share = accuracy.last if accuracy is not None and is_cross_entropy(run) else 0.0
    return loss.last / -math.log(share) if 0 < share < MAX_RIGHT else 0.0


def _saturated(times: float) -> tuple[Cause, ...]:
    wrong = f"the loss is {times:.0f} times that of random guessing: the outputs are certain, and wrong"
    return ranked(
        Cause("learning rate too high", 0.5, wrong, "one run with a tenth of the learning rate"),
        Cause("inputs not normalized", 0.4, wrong, "print the mean and the standard deviation of a batch of inputs"),
        Cause(
            "labels unrelated to the inputs, or a network that is too small",
            0.1,
            wrong,
            "print the predictions next to the labels of one batch",
        ),
    )


def _lost(run: Run, loss: Series) -> str:
    """What the network had learned and lost again; empty where the log does not show it."""
    end = end_level(loss)
    noise = MIN_LOST_NOISES * max(loss.noise, end.spread)
    if (
        end.mean - loss.low < max(MIN_LOST * abs(end.mean), noise)
        or loss.share_of_run(loss.low_step) > 1 - LAST_QUARTER
    ):
        return ""
    return (
        f"training loss was {number(loss.low)} at {run.place(loss.low_step)}, and what had been learned was lost again"
    )


def _of_rate(run: Run, loss: Series) -> Cause:
    """The side on which the learning rate is likely to be wrong."""
    test = "two short runs, with 10 times and a tenth of the learning rate"
    if lost := _lost(run, loss):
        return Cause(TOO_HIGH, 0.5, lost, "one run with a tenth of the learning rate")
    if _jumped(loss) or loss.first > MIN_FIRST * loss.last:
        return Cause(TOO_HIGH, 0.5, "the loss jumped before it became constant, as when one step kills the ReLUs", test)
    lr = run.series_of("lr")
    if workload(run) is Workload.FINE_TUNING and lr is not None and lr.high > MAX_TUNING:
        return Cause(
            TOO_HIGH, 0.5, f"it peaks at {number(lr.high)}; fine-tuning of all weights uses 1e-6 to 5e-5", test
        )
    return Cause("learning rate too low", 0.3, "a learning rate near zero gives a loss that barely changes", test)


def _came_down_to_guessing(run: Run, loss: Series) -> bool:
    """Whether the loss began above that of guessing, fell to it in its first values and stays there: the weights do change."""
    chance = chance_loss(run)
    if chance is None or classes(run) is None or len(loss.y) < MIN_SETTLED:
        return False
    settled = loss.y[len(loss.y) // 3 :]
    at_guessing = abs(median(settled) - chance) < MAX_OFF_GUESSING * chance
    return at_guessing and loss.initial > MIN_ABOVE * chance and float(settled.max()) < loss.initial


def remedies_for(causes: tuple[Cause, ...]) -> tuple[str, ...]:
    """The remedies of a loss that does not move, where its first cause asks for others than usual; else none."""
    first = causes[0].name if causes else ""
    return LOWER_FIRST if first == TOO_HIGH else ZERO_FIRST if first == ZERO else ()


def stuck_causes(run: Run, loss: Series) -> tuple[Cause, ...]:
    """What may hold a loss where it is, the likeliest first; the loss must have a finite value."""
    if (zero := zero_rate_cause(run)) is not None:
        return (zero,)
    if workload(run) is Workload.BOOSTING:
        return BOOSTED
    if (times := times_of_guessing(run, loss)) > MIN_TIMES:
        return _saturated(times)
    rate = _of_rate(run, loss)
    to_the_last_digit = exact(loss)
    if not to_the_last_digit and rate.name != TOO_HIGH and _came_down_to_guessing(run, loss):
        return AT_GUESSING
    return (
        rate,
        Cause(
            "bad initialization or dead units",
            0.3,
            "all-zero, too small or too large weights pass no gradient; so do dead ReLUs and saturated sigmoids",
            "nndoctor sanity model.py, or the recorder's layer statistics",
        ),
        Cause(
            "weights not trained",
            0.45 if to_the_last_digit else 0.2,
            "the loss is the same to the last digit"
            if to_the_last_digit
            else "frozen layers, a detached loss or parameters missing from the optimizer look like this",
            "compare one weight before and after a step",
        ),
        Cause(
            "labels unrelated to the inputs, or a network that is too small",
            0.15,
            "with shuffled labels, or a linear network on a nonlinear task, the loss stays at chance level",
            "overfit twenty examples: it must reach zero loss",
        ),
        *unseen_warm_up(run, UNLOGGED),
        *(() if rate.name == TOO_HIGH else (TOO_HIGH_BEFORE,)),
    )

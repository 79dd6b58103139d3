"""The loss swings instead of settling: the steps are too large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis import oscillation as unrest
from nndoctor.analysis.bias import training_error
from nndoctor.analysis.chance import GUESSING, chance_loss, classes, guesses
from nndoctor.analysis.convergence import lr_share, reach, sureness
from nndoctor.analysis.layers import pace
from nndoctor.analysis.level import improvement
from nndoctor.analysis.loss_explosion import BURST, comes_back, first_value_exploded, thrown, thrown_unseen
from nndoctor.analysis.start import begins_late
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import quantile

SWING = 0.16  # of the reach: what the level still moves from one sixtieth of the run to the next
ALONE = 0.3  # the same without a validation loss beside it: the noise of small batches swings, too
FELL = 0.8  # of the first loss: what fell no further has learned little
WILD = 0.3  # of the reach: above the best by so much is unrest even so
MANY = 10.0  # times, told as times
NOISES = 6.0  # by which a climb stands out of the noise of the smooth curve
ABOVE = 0.07  # of the reach: healthy epochs stand less than that above the best before them
FITTING = 0.03  # of the weights' size in a step of the second half: smaller steps are not what makes a loss swing
FORGOTTEN = 0.2  # of the examples: right once, and wrong for the last third of the run
PART = 0.28  # of those that were right
WORSE = 1.3  # times the loss of guessing
POOR = 0.25  # training error
FEW_WRONG = 4  # readings
RIGHT = 0.2  # points of accuracy won

FLOOR = Cause(
    "network too small, or regularization too strong",
    0.6,
    "the loss has hardly come down, and about a high floor any noise looks large",
    "one run four times as wide, without dropout and weight decay: training loss falls further",
)


def check(run: Run) -> Iterator[Symptom]:
    """Measure how far the reduced curve still swings in the second half, or how high it was thrown."""
    loss = run.series["train/loss"]
    thrown_up = _first(run, loss)
    found = thrown_up or _unrest(run, loss)
    if found is not None:
        yield replace(found, causes=(*found.causes, *_causes(run, thrown_up=thrown_up is not None)))


def _unrest(run: Run, loss: Series) -> Symptom | None:
    """What swings show, under a rate that was not decayed and steps that are not known to fit."""
    end = lr_share(run, 0.9, 1.0)
    if len(loss.y) < unrest.FEW or (end is not None and end <= 0.2) or _fitting(run) or begins_late(run) is not None:
        return None
    return _restless(run, loss) if unrest.side_by_side(run, loss) else _swinging(run, loss)


def _restless(run: Run, loss: Series) -> Symptom | None:
    """Epoch after epoch both losses stand far above the best they have reached."""
    above = unrest.above_best(run, loss)
    if above <= ABOVE or not unrest.rises_again(run, loss) or unrest.only_spikes(run, loss):
        return None
    found = _unsettled(
        run,
        loss,
        f"the losses stand {_part(above)} all that was learned above their best, on average, and do not settle",
        sureness(above, ABOVE, 0.25),
        {"above_best": round(above, 4)},
    )
    little = _learned_little(loss) and above < WILD
    return replace(found, causes=(FLOOR,), severity=Severity.INFO) if little else found


def _swinging(run: Run, loss: Series) -> Symptom | None:
    """The level moves from one sixtieth of the run to the next by more than small batches explain."""
    limit = SWING if len(unrest.both(run, loss)) > 1 else ALONE
    swing = unrest.swing(run, loss, limit)
    if swing <= limit or not unrest.wanders(loss):
        return None
    return _unsettled(
        run,
        loss,
        f"training loss still swings by {_part(swing)} all it has learned from one reading to the next, and does not settle",
        sureness(swing, limit, limit + 0.24),
        {"swing": round(swing, 4), "noise": loss.noise},
    )


def _part(share: float) -> str:
    """`12 % of`, or `31 times` where nobody thinks in percent."""
    return f"{percent(share)} of" if share < MANY else f"{number(share)} times" if share < 1000 else "many times"


def _learned_little(loss: Series) -> bool:
    """Whether the loss has hardly come down: its reach is then a small measure of any noise."""
    return loss.low > FELL * float(loss.y[0]) > 0


def _unsettled(run: Run, loss: Series, message: str, sure: float, seen: dict[str, float]) -> Symptom:
    return Symptom(
        message,
        sure,
        {**seen, "reach": reach(run), "best": loss.best, "last": loss.last},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
    )


def _first(run: Run, loss: Series) -> Symptom | None:
    """What throws show, the plainest first."""
    for look in (_thrown, _thrown_before, _worse_than_guessing, _forgotten, _wandered):
        found = look(run, loss)
        if found is not None:
            return found
    return None


def _fitting(run: Run) -> bool:
    """Whether recorded layers show steps so small that the swings are those of the batches."""
    moved = pace(run)
    return moved is not None and moved <= FITTING


def _thrown(run: Run, loss: Series) -> Symptom | None:
    """The loss was thrown far above its start, and never went far below it again."""
    peak = int(np.argmax(loss.y)) if guesses(run) and loss.y.max() > BURST * loss.last > 0 else thrown(loss)
    if not peak:
        return None
    where, start = float(loss.x[peak]), float(loss.y[0])
    return Symptom(
        f"training loss was thrown from {number(start)} up to {number(float(loss.y[peak]))} and has won little since ({number(loss.last)} at the end)",
        0.85,
        {"first": start, "peak": float(loss.y[peak]), "last": loss.last},
        series="train/loss",
        step=where,
        span=(where, float(loss.x[-1])),
    )


def _thrown_before(run: Run, loss: Series) -> Symptom | None:
    """The first value dwarfs all others, and the network has learned little since: it exploded before it was logged."""
    error = training_error(run)
    poor = error is not None and len(loss.y) >= unrest.FEW and error.end >= POOR
    if error is not None and poor and (thrown_unseen(loss) or _begins_thrown(run, loss)):
        return _first_value(run, loss, f", and training error has stayed at {percent(error.end)}")
    return _first_value(run, loss, "") if error is None and first_value_exploded(run) else None


def _first_value(run: Run, loss: Series, stays: str) -> Symptom:
    return Symptom(
        f"the first training loss, {number(float(loss.y[0]))}, is far above the second, {number(float(loss.y[1]))}{stays}: "
        f"the weights exploded during the first {run.axis}",
        0.8,
        {"first": float(loss.y[0]), "second": float(loss.y[1])},
        series="train/loss",
        step=float(loss.x[0]),
        span=(float(loss.x[0]), float(loss.x[-1])),
    )


def _begins_thrown(run: Run, loss: Series) -> bool:
    """Whether a cross-entropy begins above that of any guessing and falls at once: nothing that was not thrown is so wrong."""
    chance = chance_loss(run)
    if chance is None:
        return False
    return float(loss.y[0]) > max(WORSE * chance if classes(run) else GUESSING, 2 * float(loss.y[1]))


def _worse_than_guessing(run: Run, loss: Series) -> Symptom | None:
    """A cross-entropy that ends far above that of guessing: confident, and wrong, about the very examples it learns from."""
    chance, accuracy = chance_loss(run), run.series.get("train/accuracy")
    if chance is None or accuracy is None or len(loss.y) < FEW_WRONG or not len(accuracy.y):
        return None
    limit = WORSE * (chance if classes(run) is not None else GUESSING)
    if quantile(loss.y[len(loss.y) // 2 :], 0.25) < limit or _gets_right(run, accuracy):
        return None
    return Symptom(
        f"training loss ends at {number(loss.last)}, far above the {number(limit / WORSE)} that guessing gives: the weights were thrown",
        sureness(loss.last, limit, 3 * limit),
        {"last": loss.last, "guessing": limit / WORSE},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
    )


def _gets_right(run: Run, accuracy: Series) -> bool:
    """Whether the accuracy has risen well, or is 0: a loss so large is then a sum (CTC, reduction="sum"), without a level of guessing."""
    return classes(run) is None and (improvement(accuracy, higher=True) > RIGHT or accuracy.high <= 0)


def _forgotten(run: Run, loss: Series) -> Symptom | None:
    """The training accuracy ends far below what it had been: what was learned is lost, whatever the loss says."""
    error = training_error(run)
    if error is None or len(error.curve.y) < unrest.FEW:
        return None
    best, end = float(error.curve.smooth.min()), error.curve.level(0.7, 1.0)
    if end - best < max(FORGOTTEN, PART * (1 - best)):
        return None
    return Symptom(
        f"training error had come down to {percent(best)} and is {percent(end)} now: what was learned is lost",
        sureness(end - best, FORGOTTEN, 2 * FORGOTTEN),
        {"best_error": best, "train_error": end},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[int(0.7 * len(loss.x))]), float(loss.x[-1])),
    )


def _wandered(run: Run, loss: Series) -> Symptom | None:
    """The level itself climbed far above what had been reached, stayed up for a while, and came back."""
    climbs = [unrest.climb(series) for series in unrest.both(run, loss)]
    height = min(climb for climb, _ in climbs) / reach(run)
    climb, where = climbs[0]
    if height < unrest.CLIMB or climb < NOISES * loss.noise / unrest.averaged(loss) ** 0.5 or len(loss.y) < unrest.FEW:
        return None
    if comes_back(loss) or unrest.only_spikes(run, loss):
        return None
    came_back = " before it came down again" if loss.last - loss.best < 0.5 * climb else ""
    return Symptom(
        f"training loss climbed by {percent(climb / reach(run))} of all it has learned around step {step(where)}{came_back}",
        sureness(height, unrest.CLIMB, 0.6),
        {"climb": climb, "reach": reach(run), "last": loss.last},
        series="train/loss",
        step=where,
        span=(where, float(loss.x[-1])),
    )


def _causes(run: Run, *, thrown_up: bool) -> tuple[Cause, ...]:
    lr = run.series.get("lr")
    rate = f" ({number(lr.last)} at the end)" if lr is not None and len(lr.y) else ""
    wanders = f"the level itself wanders, and the rate{rate} has not been decayed"
    return (
        Cause(
            "learning rate too high",
            0.75,
            "steps that fit throw no weights so far" if thrown_up else wanders,
            "one run with a tenth of the learning rate, or decay it: the swings shrink with it",
        ),
        Cause(
            "batch too small", 0.25, "a noisy gradient swings at any rate", "one run with a batch four times as large"
        ),
    )


RULE = Rule(
    code="NN202",
    name="lr-too-high",
    severity=Severity.WARNING,
    title="the loss swings and does not settle",
    needs={"train/loss": 6},
    check=check,
    why="Steps larger than the valley is wide bounce between its walls: the loss gets stuck at a poor floor, and any step may throw it out.",
    how="Levels of sixtieths of the run swing by more than 16 % of the reach (30 % without a validation loss) in its second half, more than independent noise would explain; in a log of at most 40 epochs both losses stand 7 % of it above their best so far, on average (information under 30 % where the loss fell by less than a fifth). Or the loss was thrown to three times its start and won little after; or it begins far above guessing, or ten times the second reading, and the training error stays at 25 % or more; or a training error that had come down is 20 points higher at the end.",
    sources=(
        Reference(
            "CS231n: high rates 'decay the loss faster, but get stuck at worse values of loss'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Bengio, Practical Recommendations for Gradient-Based Training, 2012, section 3.1",
            "https://arxiv.org/abs/1206.5533",
        ),
    ),
    remedies=("lower-learning-rate", "decay-learning-rate", "larger-batch", "warm-up"),
    sick=(
        Run.drawn(train_loss="2.3 1.9 2.6 1.7 2.4 1.6 2.5 1.8 2.3 1.6 2.6 1.7 2.2 1.5"),
        Run.drawn(
            train_loss="52 0.92 0.8 0.74 0.72 0.71 0.7 0.7 0.7",
            train_accuracy="0.35 0.5 0.58 0.6 0.61 0.62 0.62 0.62 0.62",
        ),
        Run.drawn(
            train_loss="2.3 0.9 0.6 1.1 0.7 1.2 0.8 0.5 1.0 0.9 1.3 0.8",
            validation_loss="1.6 0.8 0.9 1.3 0.6 1.1 1.0 0.6 1.2 0.7 1.1 0.9",
        ),
        Run.drawn(
            train_loss="3.4 3.0 2.9 2.8 2.8 2.7 2.8 2.8",
            train_accuracy="0.41 0.44 0.3 0.24 0.16 0.13 0.15 0.14",
        ),
        Run.drawn(train_loss="2.29 6000 63000 2.1 2.5 33000 2.2 2.3 2.0 1.95"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 1.4 1.1 0.9 0.95 0.8 0.78 0.8 0.74 0.72 0.73 0.7"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 3.1 0.8 0.7"),
        Run.drawn(
            train_loss="2.3 1.2 0.9 0.8 3.1 0.9 0.8 0.72 0.68 0.65",
            validation_loss="2.1 1.2 1.0 0.9 2.6 1.0 0.9 0.85 0.83 0.82",
        ),
    ),
    yields_to=("nan-loss", "diverged", "sawtooth-epochs", "plateau-at-start"),
)

"""The run ended while it was still learning."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis import oscillation as unrest
from nndoctor.analysis.convergence import FALL, course, reach, steadier, stopped, sureness
from nndoctor.analysis.layers import is_trial
from nndoctor.analysis.unlogged_causes import starved, unseen_decay, unseen_warm_up
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

NOISES = 2.0
FEW = 10  # readings; where fewer promise little, as at the end of a fine-tuning, it is a remark
LITTLE = 0.06  # of a positive loss
SHORT = 30  # readings; so few without a validation loss are right two times in three
SMOOTH = 0.008  # of the reach, the noise under small steps: in the zoo, 100 of 101 such runs gain by a higher rate
SLOW_FIRST = ("raise-learning-rate", "learning-rate-range-test", "train-longer")
UNSURE = 6.0  # noises of the level by which an extrapolation may err: it reaches as far again three times


def check(run: Run) -> Iterator[Symptom]:
    """Extrapolate the steadier of the two losses; the other must not have stopped."""
    loss = steadier(run)
    scale = reach(run)
    way = course(run, loss)
    if way.late_fall < max(FALL * scale, NOISES * way.noise):
        return
    share = way.ahead / scale
    least = way.much_ahead + UNSURE * way.noise / scale
    if share < least or stopped(run, loss):
        return
    smooth = not way.decayed and unrest.jitter(run) < SMOOTH
    unsure = is_trial(run) or way.ended or (not smooth and _promises_little(run, loss, way.ahead))
    yield Symptom(
        f"the loss still falls at the end ({number(loss.last)}): four times the steps would bring it to about {number(loss.last - way.ahead)}, {percent(share)} of all it has learned",
        sureness(share, least, least + 0.4),
        {
            "last": loss.last,
            "expected_at_four_times": loss.last - way.ahead,
            "still_to_come": round(share, 3),
            "late_fall": way.late_fall,
        },
        series=loss.name,
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) * 3 // 4]), float(loss.x[-1])),
        severity=Severity.INFO if unsure else None,
        causes=_causes(run, smooth=smooth),
        remedies=SLOW_FIRST if smooth else (),
    )


def _promises_little(run: Run, loss: Series, ahead: float) -> bool:
    """Whether a few readings promise a small part of the loss, or there is no validation beside them to gain by it."""
    if len(loss.y) < FEW and loss.low > 0 and ahead < LITTLE * loss.last:
        return True
    return len(loss.y) <= SHORT and "validation/loss" not in run.series


def _causes(run: Run, *, smooth: bool) -> tuple[Cause, ...]:
    small = (
        "the losses fall without a tremor: large steps shake them"
        if smooth
        else "a larger step takes the same way in fewer steps"
    )
    return (
        *starved(run),
        Cause(
            "training too short",
            0.4 if smooth else 0.6,
            "the curve bends, and has not reached its floor",
            "go on with this run",
        ),
        Cause(
            "learning rate too low",
            0.6 if smooth else 0.4,
            small,
            "one run with three times the learning rate",
        ),
        Cause(
            "network too small",
            0.15,
            "a larger one comes further in the same steps",
            "one run four times as wide",
        ),
        *unseen_decay(run, 0.15),
        *(unseen_warm_up(run, 0.15) if smooth else ()),
    )


RULE = Rule(
    code="NN104",
    name="not-converged",
    severity=Severity.WARNING,
    title="the loss was still falling at the end",
    needs={"train/loss": 5},
    check=check,
    why="A run that stops while it learns says little about the model: bias and variance are those of the moment. More steps are the cheapest cure.",
    how="The last quarter falls by 3 % of the reach, out of the noise, and the curve's extrapolation (power laws and exponentials) to four times the steps gains 11 % or more (25 % where the rate was decayed to nothing), and six times the noise of its levels; so does the validation loss. A remark where the rate was decayed to nothing, as that run was meant to end there, where fewer than ten readings promise less than 6 % of the loss, and where at most thirty have no validation loss beside them. Where the log has the learning rate, the clock is its sum. Losses with a noise under 0.8 % of the reach are shaken by no large step: the rate is then ranked first.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: still improving at the end",
            "https://github.com/google-research/tuning_playbook",
        ),
        Reference("Domhan, Springenberg and Hutter, Extrapolation of Learning Curves, IJCAI 2015"),
    ),
    remedies=("train-longer", "raise-learning-rate", "learning-rate-range-test"),
    sick=(Run.drawn(train_loss="2.3 2.0 1.75 1.55 1.38 1.25 1.14 1.05 0.97 0.9"),),
    healthy=(Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.383 0.382 0.381 0.38"),),
    yields_to=(
        "memorization-staircase",
        "loss-and-metric-disagree",
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "lr-too-low",
        "warmup-unfinished",
        "adaptive-rate-starved",
        "overtraining",
    ),
)

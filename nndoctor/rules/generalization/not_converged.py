"""The run ended while it was still learning."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.start import begins_late, only_begun
from nndoctor.analysis.workload import Workload, counts_tokens, workload
from nndoctor.core.confidence import PLAUSIBLE
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import HEALTHY_FLAGGED, derived_finding, outcome
from nndoctor.prognosis.outlook import outlook

FALL_FIRST = (Workload.SUPERVISED, Workload.DIFFUSION)
"""Kinds of training whose loss falls first and then slows down, seen from a random start; others may learn at one pace."""

ENDS = (("quarter", (0.7, 0.8), (0.9, 1.0)), ("half", (0.5, 0.75), (0.75, 1.0)))
"""Parts of the run whose levels show that the loss still falls; wider ones where noise hides it."""

THIRDS = ((0.0, 0.2), (0.4, 0.6), (0.8, 1.0))
"""Shares of the run whose levels show whether the loss falls in a straight line."""

FROM_FIRST = 0.8
"""Share of the way from the first value to the middle that lies between the middles of the first two thirds."""

MIN_AS_FAST = 0.75
"""Fall of the second half as a share of that of the first: a loss that learns at a fitting rate falls first and then slows down."""

MIN_OF_NOISE = 10.0
"""Standard deviations of a value by which such a loss falls in all, so that the shape is no chance, in a log of `MIN_POINTS` values; of more values the levels are as much surer."""

MAX_FALL = 0.5
"""Share of its first level that it falls at most; one that has lost more has learned a good part, whatever its shape."""

MIN_POINTS = 12

MIN_STEPS = 500
"""Steps of a run in which a loss that learns has slowed down; any loss falls in a straight line at first."""

MIN_UNTRAINED = 0.4
"""First loss of a network that predicts unit noise, below which it was trained before: what a LoRA learns hardly shows in it."""

REMEDIES = ("train-longer", "raise-learning-rate", "learning-rate-range-test")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis."""
    loss = run.series["train/loss"]
    falls = next((says for says in (_falls(loss, *part) for part in ENDS) if says), None)
    if falls is None:
        return
    found = derived_finding(run, "not-converged", "steps*4", REMEDIES, lambda: falls + outcome(run, "steps*4"))
    found = found or _falls_straight(run, loss)
    if found is not None:
        yield found


def _falls(loss: Series, name: str, before: tuple[float, float], last: tuple[float, float]) -> str:
    """The clause that says that the loss falls from one part of the run to another; empty where it does not."""
    first, then = loss.level(*before), loss.level(*last)
    if first <= then:
        return ""
    return f"training loss still falls in the last {name}, from about {number(first)} to about {number(then)}"


def _shape_tells(run: Run, loss: Series) -> bool:
    """Whether a loss falls fastest first in such a run, and the log holds it from the beginning and for long enough; a prognosis knows more."""
    long = run.axis == "epoch" or loss.length >= MIN_STEPS
    if workload(run) is Workload.DIFFUSION and loss.first < MIN_UNTRAINED:
        return False
    if not long or workload(run) not in FALL_FIRST or counts_tokens(run) or not isinstance(outlook(run), str):
        return False
    return begins_late(run) is None and not only_begun(run)


def _falls_straight(run: Run, loss: Series) -> Symptom | None:
    """A loss that falls as fast at the end as at the start, and slowly, in a run without a prognosis."""
    if len(loss.y) < MIN_POINTS or loss.low <= 0 or not _shape_tells(run, loss):
        return None
    start, middle, end = (loss.level(*part) for part in THIRDS)
    certain = MIN_OF_NOISE * loss.noise * math.sqrt(MIN_POINTS / len(loss.y))
    if start - end < certain or loss.first - loss.last > MAX_FALL * loss.first:
        return None
    if middle - end < MIN_AS_FAST * max(start - middle, FROM_FIRST * (loss.first - middle)):
        return None
    return Symptom(
        f"training loss falls as fast at the end as at the start, from {number(loss.initial)} to {number(loss.final)} in all: at this pace it has only begun to learn",
        PLAUSIBLE,
        {"first": loss.initial, "middle": middle, "last": loss.final},
        series="train/loss",
        step=loss.last_step,
        span=loss.span,
        causes=STRAIGHT_CAUSES,
        remedies=("raise-learning-rate", "train-longer", "learning-rate-range-test"),
    )


STRAIGHT_CAUSES = ranked(
    Cause(
        "learning rate too low",
        0.6,
        "with small steps the loss falls in a straight line",
        "one run with 10 times the learning rate",
    ),
    Cause(
        "training has only begun",
        0.4,
        "a loss that does not slow down is far from its floor",
        "go on with this run for four times the steps",
    ),
)


RULE = Rule(
    code="NN104",
    name="not-converged",
    severity=Severity.WARNING,
    title="the loss was still falling at the end",
    needs={"train/loss": 4},
    check=check,
    why="A run that stops while the loss still falls says little about the model: its bias and variance are not final. More steps are the cheapest remedy.",
    how=f"The training loss falls in the last quarter, and the prognosis finds it likely that training four times longer improves both losses by a material part of the possible improvement; its threshold flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on. Where there is no prognosis, in supervised learning and diffusion from a random start, over at least {MIN_STEPS} steps where steps are logged: the loss falls in its second half at least {percent(MIN_AS_FAST)} as far as in its first, by {MIN_OF_NOISE:g} standard deviations in all ({MIN_OF_NOISE:g}√({MIN_POINTS}/n) of n values), and ends above {percent(1 - MAX_FALL)} of its first level.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: still improving at the end",
            "https://github.com/google-research/tuning_playbook",
        ),
        Reference("Domhan, Springenberg and Hutter, Extrapolation of Learning Curves, IJCAI 2015"),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(
            train_loss="1.906 1.774 1.713 1.668 1.635 1.606 1.582 1.557",
            validation_loss="1.832 1.762 1.711 1.673 1.64 1.611 1.583 1.556",
            train_accuracy="0.2823 0.326 0.337 0.3443 0.3417 0.3698 0.3849 0.4016",
            validation_accuracy="0.2767 0.2867 0.2967 0.29 0.2867 0.3433 0.36 0.3667",
        ),
    ),
    healthy=(
        Run.drawn(
            {"workload": "diffusion"},
            train_loss="1.0 0.6 0.42 0.36 0.33 0.31 0.3 0.29 0.285 0.28 0.278 0.276 0.275 0.274",
        ),
        Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.383 0.382 0.381 0.38"),
    ),
    suppressed_by=(
        "memorization-staircase",
        "loss-and-metric-disagree",
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "warmup-unfinished",
        "adaptive-rate-starved",
        "overtraining",
    ),
)

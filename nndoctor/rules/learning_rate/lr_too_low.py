"""The learning rate is too low: networks with curves like this one learn more at a higher one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nndoctor.analysis.unlogged_causes import starved, unseen_warm_up
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import HEALTHY_FLAGGED, course, derived_finding, outcome

UNLOGGED = 0.1  # weight of a cause that only the learning rate in the log could rule out
MAX_TINY = 1e-7
"""Highest learning rate at which a step changes few weights at all: float32 holds seven digits, and no published recipe trains below it."""
MIN_TINY_POINTS = 12  # values of the training loss that show that it stays where it was
ENDS = ((0.0, 0.3), (0.7, 1.0))  # shares of the run whose levels are compared
REMEDIES = ("raise-learning-rate", "learning-rate-range-test", "train-longer", "adam")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis; without one, see whether so low a rate moved the loss at all."""
    found = derived_finding(run, "lr-too-low", "lr*10", REMEDIES, lambda: f"{course(run)}{outcome(run, 'lr*10')}")
    if found is not None:
        unlogged = (*unseen_warm_up(run, UNLOGGED), *starved(run))
        yield replace(found, causes=(*found.causes, *unlogged))
    elif (tiny := _tiny(run)) is not None:
        yield tiny


def _tiny(run: Run) -> Symptom | None:
    """A rate next to zero all along, at which the training loss moved by less than its noise."""
    loss, lr = run.series["train/loss"], run.series_of("lr", 1)
    if lr is None or not 0 < lr.high <= MAX_TINY or len(loss.y) < MIN_TINY_POINTS:
        return None
    start, end = (loss.level(*part) for part in ENDS)
    if abs(start - end) > loss.noise:
        return None
    return Symptom(
        f"the learning rate is at most {number(lr.high)}, and training loss stays at about {number(end)}: the steps are too small to change it",
        SEVERAL_SIGNS,
        {"lr": lr.high, "start": start, "end": end},
        series="train/loss",
        step=loss.last_step,
        span=loss.span,
        remedies=REMEDIES[:2],
    )


RULE = Rule(
    code="NN201",
    name="lr-too-low",
    severity=Severity.WARNING,
    title="the learning rate is too low",
    needs={"train/loss": 4},
    check=check,
    why="With steps that are too small a run ends long before it has converged, and looks like a network that is too small for its task.",
    how=f"The prognosis compares the curve with retrained networks. The finding is reported where the probability that a learning rate ten or a hundred times as high gains at least a quarter of the possible improvement exceeds a threshold, which flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on, and where that gain is the expected one, too. Without a prognosis: the learning rate never exceeds {MAX_TINY:g}, and the levels of the training loss in the first and the last third of {MIN_TINY_POINTS} values or more differ by less than its noise.",
    sources=(
        Reference(
            "CS231n: 'with low learning rates the improvements will be linear'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference("Smith, Cyclical Learning Rates, 2017", "https://arxiv.org/abs/1506.01186"),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(
            train_loss="0.649 0.6362 0.6284 0.6221 0.6168 0.6121 0.6079 0.604 0.6004 0.5971 0.5939 0.591 0.5881 0.5855 0.5829",
            validation_loss="0.5733 0.5661 0.5606 0.5561 0.5522 0.5487 0.5455 0.5426 0.5399 0.5373 0.5349 0.5327 0.5305 0.5285 0.5265",
            lr="0.0001821*15",
        ),
        Run.drawn(train_loss="4.1 4.3 4 4.2 4.4 4.1 4 4.3 4.1 4.2 4 4.1 4.3 4.2 4.1", lr="1e-8..9e-8*15"),
    ),
    healthy=(
        Run.drawn(train_loss="4.1..2.3*15", lr="1e-8..9e-8*15"),
        Run.drawn(train_loss="2.3 1.4 0.9 0.7 0.6 0.55 0.53 0.52 0.515 0.512 0.511 0.51"),
        Run.drawn(
            train_loss="1.446 1.166 1.034 0.921 0.833 0.777 0.715 0.677 0.653 0.624 0.603 0.603 0.578 0.578",
            validation_loss="1.132 0.945 0.814 0.720 0.647 0.591 0.556 0.529 0.499 0.485 0.474 0.468 0.464 0.462",
            validation_accuracy="0.630 0.724 0.771 0.801 0.827 0.852 0.866 0.879 0.888 0.892 0.895 0.897 0.899 0.899",
            lr="0.004652 0.004295 0.003938 0.003580 0.003223 0.002866 0.002509 0.002152 0.001795 0.001437 0.001080 0.000723 0.000366 0.000009",
        ),
        Run.drawn(train_loss="1.9 1.82 1.79 1.77 1.765", validation_loss="1.84 1.8 1.79 1.785 1.784"),
    ),
    suppressed_by=(
        "memorization-staircase",
        "loss-and-metric-disagree",
        "impossible-loss",
        "nan-loss",
        "lr-too-high",
        "diverged",
        "plateau-at-start",
        "warmup-unfinished",
        "adaptive-rate-starved",
        "lr-decayed-too-early",
    ),
)

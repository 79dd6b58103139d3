"""The learning rate is too low: networks with curves like this one learn more at a higher one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nndoctor.analysis.unlogged_causes import starved, unseen_warm_up
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import HEALTHY_FLAGGED, course, derived_finding, outcome

UNLOGGED = 0.1  # weight of a cause that only the learning rate in the log could rule out
REMEDIES = ("raise-learning-rate", "learning-rate-range-test", "train-longer", "adam")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis."""
    found = derived_finding(run, "lr-too-low", "lr*10", REMEDIES, lambda: f"{course(run)}{outcome(run, 'lr*10')}")
    if found is not None:
        unlogged = (*unseen_warm_up(run, UNLOGGED), *starved(run))
        yield replace(found, causes=(*found.causes, *unlogged))


RULE = Rule(
    code="NN201",
    name="lr-too-low",
    severity=Severity.WARNING,
    title="the learning rate is too low",
    needs={"train/loss": 4},
    check=check,
    why="With steps that are too small a run ends long before it has converged, and looks like a network that is too small for its task.",
    how=f"The prognosis compares the curve with retrained networks. The finding is reported where the probability that a learning rate ten or a hundred times as high gains at least a quarter of the possible improvement exceeds a threshold, which flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on, and where that gain is the expected one, too.",
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
    ),
    healthy=(
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

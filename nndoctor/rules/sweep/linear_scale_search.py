"""A learning rate, or another setting that acts by its size, was searched on a linear scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.search import MAX_CONFIDENCE, drawn, of
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import Array

# Settings whose effect goes with their ratio.
RATIOS = frozenset(
    {"lr", "weight_decay", "l1", "l2", "eps", "min_lr", "max_lr", "actor_lr", "critic_lr", "lr_min", "lr_max"}
)
MIN_VALUES = 4  # different values
MIN_RANGE = 8.0  # largest over smallest value; over less the two scales are nearly the same
MARGIN = 0.15  # by which the values are closer to an even spacing on the linear scale than on the log scale
LEAST_CERTAIN = 0.6  # confidence, to which the unevenness on the log scale is added


def check(run: Run) -> Iterator[Symptom]:
    """Compare the values with an even spacing on either scale."""
    search = of(run)
    for parameter in search.parameters:
        values = np.array(parameter.distinct) if parameter.numeric else np.empty(0)
        values = values[values > 0]
        if parameter.name not in RATIOS or len(values) < MIN_VALUES or values[-1] < MIN_RANGE * values[0]:
            continue
        if _unevenness(values) + MARGIN > _unevenness(np.log(values)):
            continue
        upper = float((values > np.sqrt(values[0] * values[-1])).mean())
        yield Symptom(
            f"{parameter.name} was searched on a linear scale from {number(values[0])} to {number(values[-1])}: "
            f"{percent(upper)} of the values are in the upper half of the logarithmic range",
            min(MAX_CONFIDENCE, LEAST_CERTAIN + _unevenness(np.log(values))),
            {
                "setting": parameter.name,
                "lowest": float(values[0]),
                "highest": float(values[-1]),
                "values": len(values),
            },
        )


def _unevenness(values: Array) -> float:
    """The largest distance of sorted values, shape (n,), from an even spacing between the first and the last, 0 to 1."""
    even = np.linspace(0, 1, len(values))
    return float(np.abs((values - values[0]) / (values[-1] - values[0]) - even).max())


RULE = Rule(
    code="NN903",
    name="linear-scale-search",
    severity=Severity.WARNING,
    title="a learning rate was searched on a linear scale",
    needs={"fact:search": 1},
    check=check,
    why="Learning rates matter by their ratio: the change from 0.001 to 0.002 matters as much as from 0.1 to 0.2. Evenly spaced values put nearly all trials into the largest decade.",
    how=f"Learning rates, weight decay and penalties with at least {MIN_VALUES} values over a factor of {MIN_RANGE:g} or more, which are more evenly spaced than their logarithms.",
    sources=(
        Reference("CS231n notes, Neural Networks Part 3, Hyperparameter ranges", "https://cs231n.github.io/neural-networks-3/"),
        Reference("Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012", "https://www.jmlr.org/papers/v13/bergstra12a.html"),
    ),
    remedies=("search-on-log-scale",),
    sick=(drawn("0.9 0.8 0.7 0.6 0.5 0.6", lr="0.01 0.028 0.046 0.064 0.082 0.1"),),
    healthy=(
        drawn("0.9 0.8 0.7 0.6 0.5 0.6", lr="0.001 0.003 0.01 0.03 0.1 0.3"),
        drawn("0.9 0.8 0.7 0.6 0.5 0.6", dropout="0.05 0.14 0.23 0.32 0.41 0.5"),  # a share, not a size
    ),
    on_request=True,
)  # fmt: skip

"""The best trials of a search are at the edge of the range that was searched."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.search import Parameter, Search, drawn, of, sureness
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_VALUES = 3  # different values of a setting; between two there is no inside
OUTER_SHARE = 0.1  # share of the range at its edge that holds the best trial
OUTER_THIRD = 1 / 3  # share of the range at its edge that holds most of the best trials
MIN_NEAR = 2 / 3  # share of the best trials that are there
MIN_BEST = 3  # best trials: a quarter of all, and at least so many
MAX_CHANCE = 0.05  # probability that a setting without effect explains as much
# Longer training is better as a rule, so that its edge says nothing.
LENGTHS = frozenset({"epochs", "steps", "seed", "trial", "fold", "number"})


def check(run: Run, outer: float = OUTER_SHARE) -> Iterator[Symptom]:
    """Look at each numeric setting that has an effect."""
    search = of(run)
    for parameter in search.parameters:
        if not parameter.numeric or parameter.name in LENGTHS or len(parameter.distinct) < MIN_VALUES:
            continue
        chance = search.effects[parameter.name][1]
        side = _edge(search, parameter, outer)
        if side is None or chance > MAX_CHANCE:
            continue
        value = float(parameter.numbers[search.best])
        way, low, high = ("higher", *_range(parameter)) if side else ("lower", *_range(parameter))
        yield Symptom(
            f"the best {parameter.name}, {number(value)}, is at the {'upper' if side else 'lower'} edge of the "
            f"search range, {number(low)} to {number(high)}: try {way} values",
            sureness(chance),
            {"setting": parameter.name, "best": value, "lowest": low, "highest": high, "trials": len(search.scores)},
        )


def _edge(search: Search, parameter: Parameter, outer: float) -> bool | None:
    """Whether the best trials are at the upper (True) or the lower edge; None where they are inside, or at a bound."""
    places = parameter.places
    best = float(places[search.best])
    top = search.order[: max(MIN_BEST, len(search.scores) // 4)]
    for side in (True, False):
        place = best if side else 1 - best
        near = places[top] >= 1 - OUTER_THIRD if side else places[top] <= OUTER_THIRD
        if place >= 1 - outer and near.mean() >= MIN_NEAR:
            bound = parameter.numbers[search.best] == 0
            return None if bound else side
    return None


def _range(parameter: Parameter) -> tuple[float, float]:
    return parameter.distinct[0], parameter.distinct[-1]


RULE = Rule(
    code="NN901",
    name="best-at-edge-of-search",
    severity=Severity.WARNING,
    title="the best trials are at the edge of the search range",
    needs={"fact:search": 1},
    check=check,
    why="If the best trials are at the edge of the search range, the optimum is probably outside it and was never tried.",
    how=f"For a setting that explains the scores by more than chance (permutation test, {percent(MAX_CHANCE)}), the best trial is in the outer {percent(OUTER_SHARE)} of the range and {percent(MIN_NEAR)} of the best quarter of trials are in the outer {percent(OUTER_THIRD)}. Zero and the length of training do not count as edges.",
    sources=(
        Reference(
            "CS231n notes, Neural Networks Part 3, Hyperparameter optimization",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("widen-search",),
    sick=(
        drawn("1.9 1.8 1.4 1.3 0.8 0.9 0.5 0.45", lr="1e-5 1e-5 1e-4 1e-4 1e-3 1e-3 1e-2 1e-2"),
        drawn("0.3 0.33 0.5 0.52 0.9 0.8 1.2 1.4", weight_decay="1e-4 1e-4 1e-3 1e-3 1e-2 1e-2 1e-1 1e-1"),
    ),
    healthy=(
        drawn("1.9 1.8 0.5 0.45 0.8 0.9 1.3 1.4", lr="1e-5 1e-5 1e-4 1e-4 1e-3 1e-3 1e-2 1e-2"),
        drawn("0.3 0.33 0.5 0.52 0.9 0.8 1.2 1.4", dropout="0 0 0.2 0.2 0.4 0.4 0.6 0.6"),  # nothing is below zero
        drawn("0.51 0.5 0.52 0.49 0.51 0.5 0.52 0.47", lr="1e-5 1e-5 1e-4 1e-4 1e-3 1e-3 1e-2 1e-2"),  # by chance
    ),
    limits={"outer": OUTER_SHARE},
    on_request=True,
)

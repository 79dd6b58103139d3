"""All weights of a layer begin equal, so that its units can never differ."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.layers import WEIGHTED, Layers, first, learned
from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MAX_SPREAD = 0.01  # deviation of equal weights as a share of their size; rounding reaches 3e-4
MIN_SAME = 0.99  # share of the examples in which all units of a layer agree
SECOND_HALF = 0.5  # share of the run after which they still do
MIN_SAMPLES = 4  # samples after which a head or branch that began at zero has left it

CONSEQUENCE = {
    "equal": "its units stay copies of each other",
    "zero": "neither signal nor gradient passes, and its units stay equal",
}


def check(run: Run) -> Iterator[Symptom]:
    """Find layers whose weights begin equal, and hidden layers of zeros that stay so."""
    layers = Layers(run)
    equal = {p for p in layers.weighted if _equal(layers, p)}
    zero = {p for p in layers.weighted if p not in equal and _zero(layers, p)}
    found = [p for p in layers.paths if p in equal | zero]
    if found:
        yield _symptom(layers, found, "equal" if found[0] in equal else "zero")


def _symptom(layers: Layers, found: list[str], what: str) -> Symptom:
    path = found[0]
    others = f", and those of {plural(len(found) - 1, 'other layer')}" if len(found) > 1 else ""
    series = layers.series(path, "same_units") or layers.run.series[f"layer:{path}/weight_norm"]
    return Symptom(
        f"all weights of {layers.named(path)} start {what}{others}: {CONSEQUENCE[what]}",
        DIRECT,
        {"layers": len(found), "weights": what},
        series=series.name,
        step=series.first_step,
        span=series.span,
        layer=path,
    )


def _equal(layers: Layers, path: str) -> bool:
    """Whether a plain layer's weights are one value above zero; a learned scale that is a matrix may well be."""
    spread, norm = layers.series(path, "weight_spread"), layers.series(path, "weight_norm")
    kind = str(layers.run.fact(f"kinds:{path}") or "Linear").lower()
    plain = layers.role(path) != "weight" or "linear" in kind or "conv" in kind
    return plain and spread is not None and norm is not None and first(norm) > 0 and first(spread) < MAX_SPREAD


def _zero(layers: Layers, path: str) -> bool:
    """Whether a hidden layer began at zero and has not left it, or a network of several layers begins at zero."""
    norm = layers.series(path, "weight_norm")
    if norm is None or first(norm) > 0:
        return False
    if len(norm.y) < MIN_SAMPLES:
        return _most_begin_at_zero(layers)
    hidden = any(layers.role(p) in WEIGHTED for p in layers.after(path))
    if hidden and _stays(layers, path, norm):
        return True
    return not learned(layers.run) and _most_begin_at_zero(layers)


def _stays(layers: Layers, path: str, norm: Series) -> bool:
    """Whether the weights end at zero, or the units stay equal."""
    same = layers.series(path, "same_units")
    equal = same is not None and len(same.y) >= MIN_SAMPLES and same.level(SECOND_HALF, 1.0) >= MIN_SAME
    return norm.final == 0 or equal


def _most_begin_at_zero(layers: Layers) -> bool:
    norms = [s for p in layers.weighted if (s := layers.series(p, "weight_norm")) is not None]
    return len(norms) > 1 and sum(first(s) == 0 for s in norms) > len(norms) / 2


RULE = Rule(
    code="NN501",
    name="symmetric-initialization",
    severity=Severity.ERROR,
    title="initial weights are all zero or all equal",
    needs={"layer:*/weight_norm": 1},
    check=check,
    why="Units with equal weights compute the same output and get the same gradient forever: the layer acts as a single unit. Hidden layers of zeros do not even pass a gradient back.",
    how=f"The weights of a linear, convolutional, recurrent or attention layer differ by less than {percent(MAX_SPREAD)} of their size in the first sample, or are zero and stay zero. Branches and heads that start at zero and then learn are not reported.",
    sources=(
        Reference("CS231n: 'Pitfall: all zero initialization'", "https://cs231n.github.io/neural-networks-2/#init"),
        Reference("Goodfellow, Bengio and Courville, Deep Learning, section 8.4", "https://www.deeplearningbook.org"),
    ),
    remedies=("random-weights", "he-initialization"),
    sick=(
        Run.drawn(
            facts={"roles:fc1": "weight"},
            layers={"fc1/weight_norm": "3*5", "fc1/weight_spread": "1e-4 0.3 0.4 0.5 0.5"},
        ),
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:fc2": "weight"},
            layers={"fc1/weight_norm": "0*5", "fc2/weight_norm": "0*5"},
        ),
    ),
    healthy=(
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/weight_norm": "3*5", "fc1/weight_spread": "1*5"}),
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:head": "weight"},
            layers={"fc1/weight_norm": "3*5", "head/weight_norm": "0 0.1 0.2 0.3 0.4", "head/same_units": "1 0 0 0 0"},
        ),
    ),
)

"""The inputs of a layer have one sign in every unit."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import WEIGHTED, Layers, late
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_ONE_SIGN = 0.95  # share of a layer's units
DOUBTFUL = 0.9  # the same at which the confidence begins to grow


def check(run: Run) -> Iterator[Symptom]:
    """Find hidden sigmoids (positive always), and hidden weight layers whose units never change sign."""
    layers = Layers(run)
    found = [
        p
        for p in layers.paths
        if (s := layers.series(p, "one_sign")) is not None and late(s) >= MIN_ONE_SIGN and _matters(layers, p)
    ]
    if not found:
        return
    worst = found[0]
    series = run.series[f"layer:{worst}/one_sign"]
    others = f", and in {plural(len(found) - 1, 'other layer')}" if len(found) > 1 else ""
    sigmoid = layers.activation(worst) == "sigmoid"
    yield Symptom(
        f"{percent(late(series))} of the units of {layers.named(worst)} have the same sign for all examples{others}"
        + (": a sigmoid is always positive" if sigmoid else ": the layer hardly distinguishes the examples"),
        confidence_between(late(series), DOUBTFUL, 1.0),
        {"one_sign": round(late(series), 3), "layers": len(found)},
        series=series.name,
        step=series.first_step,
        span=series.span,
        layer=worst,
    )


def _matters(layers: Layers, path: str) -> bool:
    """A sigmoid or tanh before a layer with weights, or a weight layer before a ReLU or tanh."""
    behind = layers.after(path)
    kind = layers.activation(path)
    if kind:
        return kind != "relu" and bool(behind) and layers.role(behind[0]) in WEIGHTED
    return layers.role(path) == "weight" and bool(behind) and layers.activation(behind[0]) in ("relu", "tanh")


RULE = Rule(
    code="NN407",
    name="activations-not-zero-centred",
    severity=Severity.INFO,
    title="activations have one sign",
    needs={"layer:*/one_sign": 1},
    check=check,
    why="Where all inputs of a layer are positive, the gradients of a unit's weights all have the same sign, and the steps zigzag. Units before a ReLU that never change sign are linear or dead.",
    how=f"{percent(MIN_ONE_SIGN)} of the units of a hidden sigmoid, tanh or weight layer have the same sign for all sampled examples at the end of the run. This slows training rather than stopping it: information only.",
    sources=(
        Reference(
            "CS231n: 'sigmoid outputs are not zero-centered'",
            "https://cs231n.github.io/neural-networks-1/",
        ),
        Reference("LeCun et al., Efficient BackProp, 1998", "https://doi.org/10.1007/3-540-49430-8_2"),
    ),
    remedies=("tanh-or-relu", "normalize-inputs", "batch-normalization"),
    sick=(Run.drawn(facts={"roles:fc2": "weight"}, layers={"fc1.sigmoid/one_sign": "1*4", "fc2/one_sign": "0.3*4"}),),
    healthy=(
        Run.drawn(facts={"roles:fc2": "weight"}, layers={"fc1.tanh/one_sign": "0.1*4", "fc2/one_sign": "0.3*4"}),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/one_sign": "0.3*4", "fc1.sigmoid/one_sign": "1*4"}),
    ),
    suppressed_by=("nan-in-layer", "dead-relu", "symmetric-initialization"),
)

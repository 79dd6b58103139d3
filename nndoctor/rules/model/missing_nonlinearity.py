"""Two linear maps without a nonlinearity between them are one."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_LACKING = 0.5  # share of the places for a nonlinearity; more of them waste the depth


def check(run: Run) -> Iterator[Symptom]:
    """Count such pairs among the places between weight layers."""
    pairs = run.texts("linear_pairs")
    layers = int(run.number("weight_layers"))
    if not pairs:
        return
    first = pairs[0].rpartition(" -> ")[2]
    lacking = len(pairs) > MAX_LACKING * max(layers - 1, 1)
    text = f"there is no activation between layers {' and '.join(pairs[0].split(' -> '))}: they collapse into a single linear layer"
    more = f" (and {plural(len(pairs) - 1, 'more such pair')})" if len(pairs) > 1 else ""
    yield Symptom(
        text + more,
        MEASURED,
        {"pairs": len(pairs), "weight_layers": layers},
        layer=first,
        severity=Severity.WARNING if lacking else None,
    )


RULE = Rule(
    code="NN701",
    name="missing-nonlinearity",
    severity=Severity.INFO,
    title="consecutive linear layers without an activation",
    needs={"fact:linear_pairs": 1, "fact:weight_layers": 1},
    check=check,
    why="Two consecutive linear layers are equivalent to one: the second adds parameters but no capacity.",
    how=f"The output of a linear or convolutional layer is fed to another with only reshapes and dropout in between, and is not a bottleneck. A warning if more than {percent(MAX_LACKING)} of all such places lack an activation.",
    sources=(
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2",
            "https://www.deeplearningbook.org/contents/mlp.html",
        ),
    ),
    remedies=("add-nonlinearity",),
    sick=(Run.drawn({"linear_pairs": ("0 -> 1", "1 -> 2"), "weight_layers": 3}),),
    healthy=(Run.drawn({"linear_pairs": (), "weight_layers": 3}),),
)

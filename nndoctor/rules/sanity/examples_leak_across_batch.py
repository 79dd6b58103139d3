"""Examples of a batch influence each other."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_CHANGE = 1e-3  # share of the output's size; kernels for other batch sizes round differently


def check(run: Run) -> Iterator[Symptom]:
    """Replace other examples and look at the outputs of those that stay, in evaluation mode."""
    change = run.number("leak_change")
    if change > MAX_CHANGE:
        text = f"in evaluation mode, an example's output changes by {percent(change)} when other examples of its batch are replaced: a reshape or a wrong dimension mixes examples"
        yield Symptom(text, MEASURED, {"change": change}, place="model")
    rows = int(run.number("normalized_over_examples"))
    if rows:
        text = f"normalize(..., dim=0) divides each feature by its norm over the {rows} examples; for vectors of length 1 each example is divided by its own norm: dim=-1"
        yield Symptom(text, DIRECT, {"rows": rows}, place="step", severity=Severity.WARNING)


RULE = Rule(
    code="NN804",
    name="examples-leak-across-batch",
    severity=Severity.ERROR,
    title="an example's output depends on the others in its batch",
    needs={"fact:leak_change|fact:normalized_over_examples": 1},
    check=check,
    why="A view instead of a transpose, a softmax or a mean over dimension 0, or a recurrent layer without batch_first mixes examples, and the network still learns something. Batch normalization mixes them by design in training mode; in evaluation mode nothing should.",
    how=f"In evaluation mode an example's output changes by more than {percent(MAX_CHANGE)} when others of its batch are replaced; or vectors are normalized over the examples in place of the features.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("keep-batch-first",),
    sick=(Run.drawn({"leak_change": 0.4}), Run.drawn({"normalized_over_examples": 64})),
    healthy=(Run.drawn({"leak_change": 1e-7}),),
)

"""Batch normalization stands after an activation or after dropout."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import POSSIBLE, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Name the layers; after dropout it is a warning, for the two disagree in evaluation."""
    dropped, activated = run.texts("norm_after_dropout"), run.texts("norm_after_activation")
    if dropped:
        text = f"dropout comes right before batch normalization ({dropped[0]}): in evaluation mode the variance differs from the one it learned"
        yield Symptom(text, TYPICAL, {"layers": len(dropped)}, layer=dropped[0], severity=Severity.WARNING)
    elif activated:
        text = f"batch normalization comes after the activation ({activated[0]}); the usual order is layer, normalization, activation"
        yield Symptom(text, POSSIBLE, {"layers": len(activated)}, layer=activated[0])


RULE = Rule(
    code="NN704",
    name="normalization-misplaced",
    severity=Severity.INFO,
    title="normalization is in the wrong place",
    needs={"fact:norm_after_activation": 1},
    check=check,
    why="Batch normalization keeps the mean and variance of training. Dropout before it makes that variance larger than in evaluation. After a ReLU it normalizes values that are cut off at zero, which many networks tolerate.",
    how="In the graph, the input of a batch normalization comes directly from dropout or an activation.",
    sources=(
        Reference("Ioffe and Szegedy, Batch Normalization, 2015", "https://arxiv.org/abs/1502.03167"),
        Reference(
            "Li et al., Understanding the Disharmony between Dropout and Batch Normalization, 2019",
            "https://arxiv.org/abs/1801.05134",
        ),
    ),
    remedies=("order-of-layers",),
    sick=(Run.drawn({"norm_after_dropout": ("bn2",), "norm_after_activation": ()}),),
    healthy=(Run.drawn({"norm_after_dropout": (), "norm_after_activation": ()}),),
)

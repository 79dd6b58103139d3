"""The same batch costs far more in evaluation mode than in training mode."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

WORSE = 0.5  # of the loss in training mode (TheDeepChecker's limit)
FLOOR = 0.1  # of the first loss: below it ratios mean nothing


def check(run: Run) -> Iterator[Symptom]:
    """Compare the losses of one batch after the running statistics have settled, dropout off."""
    train, evaluation, first = (run.number(n) for n in ("loss_in_training", "loss_in_evaluation", "loss_at_start"))
    if evaluation - train > max(WORSE * abs(train), FLOOR * abs(first)):
        which = run.fact("mode_modules")
        names = ", ".join(map(str, which[:3])) if isinstance(which, tuple) and which else "the model's own code"
        text = f"the same batch costs {number(train)} in training mode and {number(evaluation)} in evaluation mode, dropout apart: {names} behaves differently"
        yield Symptom(text, 0.8, {"in_training": train, "in_evaluation": evaluation}, place="model")


RULE = Rule(
    code="NN806",
    name="train-eval-mismatch",
    severity=Severity.WARNING,
    title="training and evaluation mode disagree",
    needs={"fact:loss_in_training": 1, "fact:loss_in_evaluation": 1},
    check=check,
    why="What is deployed runs in evaluation mode. Batch normalization with tiny batches or with a momentum that never lets its running statistics settle behaves there as another network.",
    how="After the few steps, and after running statistics were given thirty batches to settle, the loss of the same batch is half as high again in evaluation mode, dropout off in both.",
    sources=(
        Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),
        Reference("Ioffe and Szegedy, Batch Normalization, 2015", "https://arxiv.org/abs/1502.03167"),
    ),
    remedies=("larger-batch", "group-normalization"),
    sick=(
        Run.drawn({"loss_in_training": 0.3, "loss_in_evaluation": 2.4, "loss_at_start": 2.3, "mode_modules": ("bn1",)}),
    ),
    healthy=(Run.drawn({"loss_in_training": 1.3, "loss_in_evaluation": 1.35, "loss_at_start": 2.3}),),
)

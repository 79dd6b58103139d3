"""The scores are squashed once by the model and once by the loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """Look at what stands before the fused loss in the graph."""
    loss, before = str(run.fact("loss_before")), str(run.fact("activation_before_loss") or "")
    wrong = {
        "cross-entropy": ("softmax", "sigmoid", "tanh", "hardtanh"),
        "binary cross-entropy with logits": ("sigmoid", "softmax", "tanh", "hardtanh"),
    }
    if before in wrong.get(loss, ()):
        own = "log-softmax" if loss == "cross-entropy" else "sigmoid"
        text = f"the model ends in {before}, and {loss} applies {own} again: scores that lie in a narrow range can never be sure"
        evidence = {
            "activation": before,
            "loss": loss,
            "first_loss": run.known("loss_initial"),
            "lowest_possible": run.known("loss_reachable"),
        }
        yield Symptom(text, 0.97, evidence, place="model")


RULE = Rule(
    code="NN702",
    name="softmax-before-cross-entropy",
    severity=Severity.ERROR,
    title="an activation stands before a loss that has one of its own",
    needs={"fact:loss_before": 1},
    check=check,
    why="Cross-entropy takes raw scores and applies log-softmax itself. After a softmax of the model's own, scores differ by at most one: for ten classes the loss can't fall below 1.46, and gradients are small.",
    how="In the graph of the loss, softmax, sigmoid or tanh stands before the loss's own log-softmax, or before the sigmoid of binary cross-entropy with logits.",
    sources=(
        Reference(
            "PyTorch documentation, CrossEntropyLoss",
            "https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
        ),
        Reference("Schoop et al., UMLAUT, CHI 2021"),
    ),
    remedies=("drop-last-activation",),
    sick=(Run.drawn({"loss_before": "cross-entropy", "activation_before_loss": "softmax"}),),
    healthy=(
        Run.drawn({"loss_before": "cross-entropy", "activation_before_loss": ""}),
        Run.drawn({"loss_before": "binary cross-entropy", "activation_before_loss": "sigmoid"}),
    ),
)

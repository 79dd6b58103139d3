"""The model draws random numbers in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """An error where dropout stays on, a warning for noise, a remark for samples that are meant."""
    moved = run.number("evaluation_change")
    if not moved:
        return
    head = f"in evaluation mode, two calls on the same batch give outputs that differ by {percent(moved)} of their size"
    dropout, draws = _first(run, "evaluation_dropout"), _first(run, "evaluation_draws")
    if dropout is not None:
        text = f"{head}: dropout stays on in {dropout}; pass training=self.training to functional dropout, or use nn.Dropout"
        yield Symptom(text, DIRECT, {"change": moved}, place="model", severity=Severity.ERROR)
    elif draws is not None and run.fact("evaluation_samples"):
        text = f"{head}: {draws} draws random numbers, as models that sample do"
        yield Symptom(text, MEASURED, {"change": moved}, place="model", severity=Severity.INFO)
    elif draws is not None:
        text = f"{head}: {draws} adds random numbers in both modes; predictions get better if it does so only in training (if self.training)"
        yield Symptom(text, MEASURED, {"change": moved}, place="model")


def _first(run: Run, name: str) -> str | None:
    found = run.fact(name)
    return str(found[0]) if isinstance(found, tuple) and found else None


RULE = Rule(
    code="NN813",
    name="random-in-evaluation",
    severity=Severity.WARNING,
    title="evaluation mode gives different results from call to call",
    needs={"fact:evaluation_change": 1},
    check=check,
    why="Dropout and noise regularize training. In evaluation mode they make predictions random and validation losses higher than they are. torch.nn.functional.dropout drops values unless it is told that the model is not training.",
    how="In evaluation mode, the model is called twice on the same batch with different random numbers. An error if a dropout function is active there, a warning if other random numbers reach predictions that the loss compares with targets, a remark if the model learns the scale of the noise (as a variational autoencoder does), or has no targets.",
    sources=(
        Reference(
            "PyTorch documentation, torch.nn.functional.dropout",
            "https://pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html",
        ),
        Reference("Srivastava et al., Dropout, JMLR 2014", "https://jmlr.org/papers/v15/srivastava14a.html"),
    ),
    remedies=("follow-the-mode",),
    sick=(
        Run.drawn({"evaluation_change": 0.3, "evaluation_dropout": ("encoder",)}),
        Run.drawn({"evaluation_change": 0.3, "evaluation_draws": ("head",), "evaluation_samples": False}),
    ),
    healthy=(Run.drawn({"evaluation_change": 0.0}),),
)

"""Adagrad's growing sum of squared gradients has made the steps too small to learn."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import course, derived_finding

REMEDIES = ("adam", "rmsprop", "raise-learning-rate")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis of a run with Adagrad."""
    if "adagrad" not in str(run.fact("optimizer")).lower():
        return
    for finding in ("adaptive-rate-starved", "lr-too-low", "not-converged"):
        found = derived_finding(
            run, finding, "lr*10", REMEDIES, lambda: f"with Adagrad, {course(run)}, as its steps keep shrinking"
        )
        if found is not None:
            yield found
            return


RULE = Rule(
    code="NN206",
    name="adaptive-rate-starved",
    severity=Severity.WARNING,
    title="Adagrad's steps have become too small",
    needs={"train/loss": 5, "fact:optimizer": 1},
    check=check,
    why="Adagrad divides by the root of all squared gradients so far, a sum that only grows: 'the step size becomes too small to learn'.",
    how="The log names Adagrad, and the prognosis finds that larger or more steps would help.",
    sources=(
        Reference(
            "Duchi, Hazan and Singer, 2011; CS231n on Adagrad: 'the monotonic learning rate usually proves too aggressive and stops learning too early'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(
            {"optimizer": "Adagrad"},
            train_loss="3.745 3.653 3.583 3.525 3.475 3.43 3.39 3.353 3.319 3.287 3.257 3.229 3.202 3.176 3.152 3.128",
            validation_loss="3.622 3.535 3.47 3.416 3.368 3.327 3.289 3.254 3.222 3.192 3.164 3.137 3.112 3.088 3.064 3.042",
            lr="0.0016*16",
        ),
    ),
    healthy=(
        Run.drawn({"optimizer": "Adagrad"}, train_loss="2.3 1.2 0.6 0.4 0.32 0.3 0.29 0.29 0.29 0.29"),
        Run.drawn({"optimizer": "Adam"}, train_loss="2.3 2.1 2.0 1.93 1.88 1.84 1.80 1.77 1.745 1.72"),
    ),
    suppressed_by=("nan-loss", "diverged", "plateau-at-start"),
)

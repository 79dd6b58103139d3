"""The run ended while it was still learning."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import HEALTHY_FLAGGED, derived_finding, outcome

BEFORE_LAST_QUARTER = (0.7, 0.8)
"""Shares of the run between which the loss is that before the last quarter."""

REMEDIES = ("train-longer", "raise-learning-rate", "learning-rate-range-test")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis."""
    loss = run.series["train/loss"]
    before = loss.level(*BEFORE_LAST_QUARTER)
    if before <= loss.last:
        return
    falls = f"training loss still falls in the last quarter, from a median of {number(before)} to one of {number(loss.last)}"
    found = derived_finding(run, "not-converged", "steps*4", REMEDIES, lambda: falls + outcome(run, "steps*4"))
    if found is not None:
        yield found


RULE = Rule(
    code="NN104",
    name="not-converged",
    severity=Severity.WARNING,
    title="the loss was still falling at the end",
    needs={"train/loss": 4},
    check=check,
    why="A run that stops while the loss still falls says little about the model: its bias and variance are not final. More steps are the cheapest remedy.",
    how=f"The training loss falls in the last quarter, and the prognosis finds it likely that training four times longer improves both losses by a material part of the possible improvement; its threshold flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: still improving at the end",
            "https://github.com/google-research/tuning_playbook",
        ),
        Reference("Domhan, Springenberg and Hutter, Extrapolation of Learning Curves, IJCAI 2015"),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(
            train_loss="1.906 1.774 1.713 1.668 1.635 1.606 1.582 1.557",
            validation_loss="1.832 1.762 1.711 1.673 1.64 1.611 1.583 1.556",
            train_accuracy="0.2823 0.326 0.337 0.3443 0.3417 0.3698 0.3849 0.4016",
            validation_accuracy="0.2767 0.2867 0.2967 0.29 0.2867 0.3433 0.36 0.3667",
        ),
    ),
    healthy=(Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.383 0.382 0.381 0.38"),),
    suppressed_by=(
        "memorization-staircase",
        "loss-and-metric-disagree",
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "warmup-unfinished",
        "adaptive-rate-starved",
        "overtraining",
    ),
)

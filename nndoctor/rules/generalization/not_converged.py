"""The run ended while it was still learning."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import learned, outcome

REMEDIES = ("train-longer", "raise-learning-rate", "learning-rate-range-test")


def check(run: Run) -> Iterator[Symptom]:
    """Ask the prognosis."""
    loss = run.series["train/loss"]
    before = loss.level(0.7, 0.8)
    if before <= loss.last:
        return
    falls = f"training loss still falls in the last quarter, from {number(before)} to {number(loss.last)}"
    found = learned(run, "not-converged", "steps*4", REMEDIES, lambda: falls + outcome(run, "steps*4"))
    if found is not None:
        yield found


RULE = Rule(
    code="NN104",
    name="not-converged",
    severity=Severity.WARNING,
    title="the loss was still falling at the end",
    needs={"train/loss": 4},
    check=check,
    why="A run that stops while it learns says little about the model: bias and variance are those of the moment. More steps are the cheapest cure.",
    how="The training loss falls in the last quarter, and the prognosis finds it likely that four times the steps improve both losses by 12 % of what there is to learn or more; its limit flags at most 1 % of healthy runs of workloads it has never seen.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023: still improving at the end",
            "https://github.com/google-research/tuning_playbook",
        ),
        Reference("Domhan, Springenberg and Hutter, Extrapolation of Learning Curves, IJCAI 2015"),
    ),
    remedies=REMEDIES,
    sick=(Run.drawn(train_loss="2.3 2.0 1.75 1.55 1.38 1.25 1.14 1.05 0.97 0.9"),),
    healthy=(Run.drawn(train_loss="2.3 1.2 0.7 0.5 0.42 0.4 0.39 0.385 0.383 0.382 0.381 0.38"),),
    yields_to=(
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

"""Adagrad's growing sum of squared gradients has made the steps too small to learn."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import course, reach, stopped, sureness
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import ending, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

FALL = 0.03  # of the reach, over the last quarter


def check(run: Run) -> Iterator[Symptom]:
    """A run with Adagrad whose loss creeps on, slower and slower, with much still to come."""
    if "adagrad" not in str(run.fact("optimizer")).lower():
        return
    loss = run.series["train/loss"]
    way = course(run, loss)
    share = way.ahead / reach(run)
    if share < way.much_ahead or way.late_fall < max(FALL * reach(run), 2 * way.noise) or stopped(run, loss):
        return
    yield Symptom(
        f"with Adagrad the training loss creeps ({ending(loss)}): four times the steps would gain {percent(share)} more, as its steps keep shrinking",
        sureness(share, way.much_ahead, 0.5),
        {"still_to_come": round(share, 3), "last": loss.last},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
    )


RULE = Rule(
    code="NN206",
    name="adaptive-rate-starved",
    severity=Severity.WARNING,
    title="Adagrad's steps have shrunk to nothing",
    needs={"train/loss": 8, "fact:optimizer": 1},
    check=check,
    why="Adagrad divides by the root of all squared gradients so far, a sum that only grows: 'the step size becomes too small to learn'.",
    how="The log names Adagrad, the loss still falls, and its course would gain 12 % of its reach in four times the steps.",
    sources=(
        Reference(
            "Duchi, Hazan and Singer, 2011; CS231n on Adagrad: 'the monotonic learning rate usually proves too aggressive and stops learning too early'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("adam", "rmsprop", "raise-learning-rate"),
    sick=(Run.drawn({"optimizer": "Adagrad"}, train_loss="2.3 2.1 2.0 1.93 1.88 1.84 1.80 1.77 1.745 1.72 1.70 1.68"),),
    healthy=(
        Run.drawn({"optimizer": "Adagrad"}, train_loss="2.3 1.2 0.6 0.4 0.32 0.3 0.29 0.29 0.29 0.29"),
        Run.drawn({"optimizer": "Adam"}, train_loss="2.3 2.1 2.0 1.93 1.88 1.84 1.80 1.77 1.745 1.72"),
    ),
    yields_to=("nan-loss", "diverged", "plateau-at-start"),
)

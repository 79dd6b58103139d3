"""The learning rate stayed at its peak while the loss only fluctuates."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import course, reach, roughness
from nndoctor.core.confidence import POSSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_JITTER = 0.02  # share of the reach
MIN_RATE = 0.9  # share of its peak that a rate which never decayed keeps
SECOND_HALF = 0.5  # share of the run after which the jitter is measured


def check(run: Run) -> Iterator[Symptom]:
    """A constant rate, a level that no longer falls, and noise that a smaller rate would remove."""
    loss, lr = run.series["train/loss"], run.series["lr"]
    if lr.low < MIN_RATE * lr.high:
        return
    rough = roughness(loss, SECOND_HALF)
    jitter = rough / reach(run)
    if jitter < MIN_JITTER or course(run, loss).late_fall > rough:
        return
    yield Symptom(
        f"the learning rate stayed at {number(lr.final)} while training loss stopped falling and fluctuates ({number(loss.final)} at the end, {number(loss.low)} at best)",
        POSSIBLE,
        {"lr": lr.final, "jitter": round(jitter, 4)},
        series="train/loss",
        step=loss.last_step,
        span=(float(loss.x[len(loss.x) // 2]), loss.last_step),
    )


RULE = Rule(
    code="NN204",
    name="lr-never-decayed",
    severity=Severity.INFO,
    title="the learning rate was never decayed",
    needs={"train/loss": 12, "lr": 2},
    check=check,
    why="A constant learning rate keeps the weights oscillating around the minimum; a smaller one at the end usually lowers the loss a little further. A constant learning rate is not a fault in itself.",
    how=f"The learning rate never fell below {percent(MIN_RATE)} of its peak, the loss in the second half fluctuates by {percent(MIN_JITTER)} of its total decrease, and fell by less than that in the last quarter.",
    sources=(Reference("CS231n, Annealing the learning rate", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("decay-learning-rate",),
    sick=(Run.drawn(train_loss="2.3 1.2 0.9 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8", lr="0.1*14"),),
    healthy=(
        Run.drawn(train_loss="2.3..0.4*14", lr="0.1*14"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.7 0.7", lr="0.1*12 0.01*2"),
    ),
    suppressed_by=("nan-loss", "diverged", "lr-too-high", "plateau-at-start"),
)

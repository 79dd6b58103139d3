"""The learning rate stayed at its peak while the loss only fluctuates."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import course, reach, roughness
from nndoctor.core.confidence import POSSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

JITTER = 0.02  # of the reach


def check(run: Run) -> Iterator[Symptom]:
    """A constant rate, a level that falls no more, and noise that a smaller rate would take away."""
    loss, lr = run.series["train/loss"], run.series["lr"]
    if lr.low < 0.9 * lr.high:
        return
    rough = roughness(loss, 0.5)
    jitter = rough / reach(run)
    if jitter < JITTER or course(run, loss).late_fall > rough:
        return
    yield Symptom(
        f"the learning rate stayed at {number(lr.final)} while training loss stopped falling and fluctuates ({number(loss.final)} at the end, {number(loss.low)} at best)",
        POSSIBLE,
        {"lr": lr.final, "jitter": round(jitter, 4)},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[len(loss.x) // 2]), float(loss.x[-1])),
    )


RULE = Rule(
    code="NN204",
    name="lr-never-decayed",
    severity=Severity.INFO,
    title="the learning rate was never decayed",
    needs={"train/loss": 12, "lr": 2},
    check=check,
    why="A constant learning rate keeps the weights oscillating around the minimum; a smaller one at the end usually lowers the loss a little further. A constant learning rate is not a fault in itself.",
    how=f"The learning rate never fell below 90% of its peak, the loss in the second half fluctuates by {percent(JITTER)} of its total decrease, and fell by less than that in the last quarter.",
    sources=(Reference("CS231n, Annealing the learning rate", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("decay-learning-rate",),
    sick=(Run.drawn(train_loss="2.3 1.2 0.9 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8", lr="0.1*14"),),
    healthy=(
        Run.drawn(train_loss="2.3..0.4*14", lr="0.1*14"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.85 0.8 0.7 0.7", lr="0.1*12 0.01*2"),
    ),
    suppressed_by=("nan-loss", "diverged", "lr-too-high", "plateau-at-start"),
)

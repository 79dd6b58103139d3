"""The gradient norm bursts while the loss suffers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import reach, sureness
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import background

TIMES = 10.0  # above the run's median norm: the spike limit of most tools, and of the tuning playbook's plots
EARLY = 0.05  # the first steps have large gradients in healthy runs


def check(run: Run) -> Iterator[Symptom]:
    """Compare the largest norms after the start with the median; the loss must rise with them to matter."""
    norm, loss = run.series["grad_norm"], run.series["train/loss"]
    late = norm.x >= norm.x[0] + EARLY * (norm.x[-1] - norm.x[0])
    y = norm.y[late]
    at = int(np.argmax(y)) if len(y) else 0
    usual = max(float(np.median(norm.y)), float(background(norm.y)[late][at]) if len(y) else 0.0)
    if not len(y) or usual <= 0 or y.max() < TIMES * usual:
        return
    where = float(norm.x[late][at])
    window = (loss.x >= where) & (loss.x <= where + 0.05 * (loss.x[-1] - loss.x[0]))
    before = loss.y[loss.x < where][-10:]
    hurt = bool(window.any() and len(before)) and float(loss.y[window].max() - np.median(before)) > 0.15 * reach(run)
    yield Symptom(
        f"the gradient norm reaches {number(float(y.max()))} at step {step(where)}, {y.max() / usual:.0f} times what is usual"
        + (", and the loss jumps with it" if hurt else "; the loss does not suffer"),
        sureness(float(y.max()) / usual, TIMES, 100.0),
        {"largest": float(y.max()), "usual": usual, "step": where},
        series="grad_norm",
        step=where,
        span=(where, where),
        severity=None if hurt else Severity.INFO,
    )


RULE = Rule(
    code="NN306",
    name="gradient-norm-explodes",
    severity=Severity.WARNING,
    title="the gradient norm bursts",
    needs={"grad_norm": 10, "train/loss": 10},
    check=check,
    why="One step along an exploding gradient can undo thousands of good ones. Recurrent and deep plain networks are prone to it.",
    how="A norm over ten times the run's median, and that of its neighbours, after the first 5 % of the run; a warning when the loss jumps by 15 % of its reach with it, information otherwise.",
    sources=(
        Reference(
            "Pascanu, Mikolov and Bengio, On the difficulty of training RNNs, 2013", "https://arxiv.org/abs/1211.5063"
        ),
    ),
    remedies=("clip-gradients", "lower-learning-rate", "warm-up"),
    sick=(Run.drawn(grad_norm="1*10 1.1*10 60 1*10", train_loss="2.3..1*20 2.5 1.2..0.9*10"),),
    healthy=(Run.drawn(grad_norm="30 2 1*28", train_loss="2.3..0.8*30"),),
    yields_to=("nan-loss", "diverged", "lr-too-high", "dead-relu"),
)

"""The gradient norm bursts while the loss suffers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.analysis.epochs import all_at_borders
from nndoctor.analysis.spikes import BEYOND_A_BATCH, Jump, jumps, periodic
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import factor, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import background, median

MIN_FACTOR = 10.0  # times the run's median norm: the spike limit of most tools, and of the tuning playbook's plots
FIRST_STEPS = 0.05  # share of the run in which healthy runs have large gradients
CERTAIN = 100.0  # times the usual norm from which there is no doubt
EXTREME = 1000.0  # times the usual norm which the last value of a log has: whether the loss recovers is not known
MIN_POINTS = 8
MIN_JUMP = 0.15  # share of the reach by which the loss jumps with the norm
SPREADS = 5.0  # standard deviations of the loss before by which it does
NEARBY = 0.05  # share of the run after the norm in which it does


def check(run: Run) -> Iterator[Symptom]:
    """Compare the largest norms after the start with the median; the loss must rise with them to matter."""
    norm, loss = run.series["grad_norm"], run.series["train/loss"]
    late = norm.x >= norm.step_at(FIRST_STEPS)
    usual = np.maximum(median(norm.y), background(norm.y))
    high = np.flatnonzero(late & (norm.y >= MIN_FACTOR * usual))
    if not len(high) or median(norm.y) <= 0:
        return
    at = int(high[np.argmax(norm.y[high])])
    where, largest = float(norm.x[at]), float(norm.y[at])
    with_it = _jumps_with(run, loss, where)
    if _at_borders(run, norm, high) and not any(e.beyond_a_batch(reach(run)) for e in with_it):
        return
    hurt = bool(with_it)
    unknown = not hurt and where == norm.last_step and largest > EXTREME * float(usual[at])
    after = "; the log ends there" if unknown else "; training loss was not affected"
    times = factor(largest, float(usual[at]))
    yield Symptom(
        f"the gradient norm reached {number(largest)} at {run.place(where)}"
        + (f", {times} its usual size" if times else f" (usually {number(float(usual[at]))})")
        + (", and training loss jumped with it" if hurt else after),
        confidence_between(largest / float(usual[at]), MIN_FACTOR, CERTAIN),
        {"largest": largest, "usual": float(usual[at]), "step": where, "times_seen": len(high)},
        series="grad_norm",
        step=where,
        span=(where, where),
        severity=None if hurt or unknown else Severity.INFO,
    )


def _at_borders(run: Run, norm: Series, high: NDArray[np.int64]) -> bool:
    """Whether the large norms come at the epochs' ends, or at equal distances: a short last batch has a noisy gradient."""
    return all_at_borders(run, norm, high) or periodic(norm.x[high], median(np.diff(norm.x)))


def _jumps_with(run: Run, loss: Series, where: float) -> list[Jump]:
    """The jumps of the loss within a twentieth of the run after a step."""
    seen = jumps(loss, MIN_JUMP * reach(run))
    end = where + NEARBY * loss.length
    return [e for e in seen.events if where <= seen.x[e.top] <= end and e.height > SPREADS * e.noise]


RULE = Rule(
    code="NN306",
    name="gradient-norm-explodes",
    severity=Severity.WARNING,
    title="the gradient norm explodes",
    needs={"grad_norm": MIN_POINTS, "train/loss": MIN_POINTS},
    check=check,
    why="A single step along an exploding gradient can undo thousands of good ones. Recurrent networks and deep networks without normalization are prone to it.",
    how=f"A norm over {MIN_FACTOR:g} times the run's median and that of its neighbours after the first {percent(FIRST_STEPS)} of the run, unless all of them come at the ends of epochs or at equal distances (short last batches) and the loss jumps with them by no more than {BEYOND_A_BATCH:g} times its total decrease. A warning if the loss jumps by {percent(MIN_JUMP)} of its total decrease within {percent(NEARBY)} of the run after it, or if the last norm of the log is {EXTREME:g} times the median; information otherwise.",
    sources=(
        Reference(
            "Pascanu, Mikolov and Bengio, On the difficulty of training RNNs, 2013", "https://arxiv.org/abs/1211.5063"
        ),
    ),
    remedies=("clip-gradients", "lower-learning-rate", "warm-up"),
    sick=(Run.drawn(grad_norm="1*10 1.1*10 60 1*10", train_loss="2.3..1*20 2.5 1.2..0.9*10"),),
    healthy=(Run.drawn(grad_norm="30 2 1*28", train_loss="2.3..0.8*30"),),
    suppressed_by=("nan-loss", "diverged", "lr-too-high", "dead-relu"),
)

"""The causes of a loss, or of value estimates, that rise for good."""

from __future__ import annotations

from itertools import pairwise

from nndoctor.analysis.convergence import roughness
from nndoctor.analysis.learning_rate import lr_share, rate_jump
from nndoctor.analysis.unlogged_causes import not_reset, resets_gradients
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY

MAX_CALM = 1.1  # times the first loss that a loss which rose smoothly ends at
MAX_JITTER = 0.03  # share of the rise that a smooth one has as noise
MIN_GROWTH = 1.3  # times, from one fifth of the run to the next
FIFTHS, MIN_PILED = 5, 20  # parts of the run that grow one after the other, and values that show it
EARLY_BEST = 0.2  # share of the run before which the best value of such a loss comes
SECOND_HALF = 0.5  # share of the run after which the jitter is measured
BEFORE_TURN, AFTER_TURN = 0.05, 0.1  # shares of the run around the best value in which the learning rate is looked at
NEAR_PEAK = 0.5  # share of its peak at which that learning rate is high
NOT_RESET = 0.5  # weight of the cause that gradients are not reset, where the loss piles up

OF_VALUES = (
    Cause(
        "learning rate too high",
        0.4,
        "each step overshoots, and the next target is computed from the result",
        "one run with a tenth of the learning rate",
    ),
    Cause(
        "target network updated too fast",
        0.35,
        "without a slow target network, errors reinforce themselves",
        "one run with a target network updated ten times as slowly",
    ),
    Cause(
        "rewards or discount too large",
        0.25,
        "values are sums of rewards over about 1 / (1 - discount) steps",
        "one run with rewards divided by their standard deviation",
    ),
)
"""The causes of value estimates that grow without bound."""

OF_TREES = (
    Cause(
        "class weights counted twice, or an objective that is not the metric",
        0.5,
        "the objective falls while the metric that is logged rises",
        "one run without scale_pos_weight, is_unbalance or sample weights",
    ),
    Cause(
        "learning rate too high",
        0.3,
        "trees that overshoot make each round worse",
        "one run with a tenth of the learning rate",
    ),
)
"""The causes of a rise in boosting."""


def divergence_causes(run: Run, loss: Series) -> tuple[Cause, ...]:
    """What may have raised a loss of at least one finite value, the likeliest first."""
    if workload(run) is Workload.BOOSTING:
        return OF_TREES
    turn = loss.share_of_run(loss.best_step)
    lr = lr_share(run, max(turn - BEFORE_TURN, 0.0), min(turn + AFTER_TURN, 1.0))
    jump = rate_jump(run, loss)
    because = jump or "a loss that climbs and stays high points to steps too large for the local curvature"
    if not jump and lr is not None and lr > NEAR_PEAK:
        because += "; the learning rate was near its peak when the loss turned"
    shrunk = (
        Cause(
            "regularization too strong",
            0.5,
            "the loss climbed smoothly and then stayed constant, as it does when weight decay drives all weights to zero",
            "one run without weight decay",
        ),
    )
    return (
        Cause("learning rate too high", 0.8, because, "one run with a tenth of the learning rate"),
        *((not_reset(NOT_RESET),) if piles_up(run, loss) else ()),
        *(shrunk if _calm(loss) else ()),
        Cause(
            "a bad batch or a change of data",
            0.2,
            "a single large gradient can ruin the weights",
            "look at the batches before the rise"
            if "grad_norm" in run.series
            else "log the gradient norm, or clip it at 1",
        ),
    )


def piles_up(run: Run, loss: Series) -> bool:
    """Whether the loss grows from its start on, fifth by fifth: a rate that is too high makes it jump at once. Not in a framework's own loop."""
    if resets_gradients(run):
        return False
    levels = [loss.level(k / FIFTHS, (k + 1) / FIFTHS) - loss.best for k in range(FIFTHS)]
    grows = all(after > MIN_GROWTH * max(before, TINY) for before, after in pairwise(levels[1:]))
    return len(loss.y) >= MIN_PILED and loss.share_of_run(loss.best_step) < EARLY_BEST and grows


def _calm(loss: Series) -> bool:
    """Whether a loss that ends no higher than it began rose smoothly to its last value."""
    return loss.last < MAX_CALM * loss.first and roughness(loss, SECOND_HALF) < MAX_JITTER * (loss.last - loss.best)

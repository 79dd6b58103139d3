"""The causes of a loss that does not move, which look alike in a log."""

from __future__ import annotations

from nndoctor.analysis import plateau as still
from nndoctor.analysis.unlogged_causes import unseen_warm_up
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause
from nndoctor.core.run import Run
from nndoctor.core.series import Series

THROWN_BEFORE = Cause(
    "learning rate too high",
    0.15,
    "a first step that is too large can kill the ReLUs before anything is logged",
    "one short run with a tenth of the learning rate",
)


BOOSTED = (
    Cause(
        "features unrelated to the labels",
        0.5,
        "if no split helps, the loss stays the same in every round",
        "print twenty rows of features and labels: are they in the same order?",
    ),
    Cause(
        "learning rate too low",
        0.3,
        "with steps near zero the predictions do not change",
        "one run with a learning rate of 0.1",
    ),
    Cause(
        "trees that cannot grow",
        0.2,
        "min_child_weight, min_data_in_leaf or gamma may forbid every split",
        "one run with the library's defaults",
    ),
)


def stuck_causes(run: Run, loss: Series) -> tuple[Cause, ...]:
    """What may hold a loss where it is, the likeliest first; the loss must have a finite value."""
    if workload(run) is Workload.BOOSTING:
        return BOOSTED
    peak = loss.high
    burst = (
        peak - loss.last > 0.05 * abs(loss.last) + 10 * loss.noise and loss.y[0] < peak
    ) or loss.first > 1.2 * loss.last
    exact = still.exact(loss)
    return (
        Cause(
            "learning rate too high" if burst else "learning rate too low",
            0.5 if burst else 0.3,
            "the loss jumped before it became constant, as when one step kills the ReLUs"
            if burst
            else "a learning rate near zero gives a loss that barely changes",
            "two short runs, with 10 times and a tenth of the learning rate",
        ),
        Cause(
            "bad initialization or dead units",
            0.3,
            "all-zero, too small or too large weights pass no gradient; so do dead ReLUs and saturated sigmoids",
            "nndoctor sanity model.py, or the recorder's layer statistics",
        ),
        Cause(
            "weights not trained",
            0.45 if exact else 0.2,
            "the loss is the same to the last digit"
            if exact
            else "frozen layers, a detached loss or parameters missing from the optimizer look like this",
            "compare one weight before and after a step",
        ),
        Cause(
            "labels unrelated to the inputs, or a network that is too small",
            0.15,
            "with shuffled labels, or a linear network on a nonlinear task, the loss stays at chance level",
            "overfit twenty examples: it must reach zero loss",
        ),
        *unseen_warm_up(run, 0.1),
        *(() if burst else (THROWN_BEFORE,)),
    )

"""Why the weights of a network, or the answers of boosted trees, do not change."""

from __future__ import annotations

from nndoctor.analysis.learning_rate import zero_rate_cause
from nndoctor.core.finding import Cause, ranked
from nndoctor.core.run import Run

STOPPED = (
    Cause(
        "gradients not finite",
        0.6,
        "loss scalers skip every step whose gradient is NaN or infinite",
        "log the gradient norm and the loss scale",
    ),
    Cause(
        "optimizer stopped stepping",
        0.25,
        "a condition, a closed scheduler or a detached graph can end the updates",
        "compare one weight before and after a step",
    ),
    Cause(
        "the same evaluation logged again",
        0.15,
        "a cached result repeats to the last digit",
        "evaluate the first and the last checkpoint by hand",
    ),
)
CONSTANT = (
    Cause(
        "saturated units",
        0.45,
        "after a step that is far too large all units are at their limit, and no gradient is left",
        "print the outputs of one batch before the last activation",
    ),
    Cause(
        "optimizer stopped stepping",
        0.35,
        "statistics of normalization layers change an evaluation although no weight does",
        "compare one weight before and after a step",
    ),
    Cause("the same evaluation logged again", 0.2, "a stale variable repeats", "print the loss of each batch"),
)
SATURATED_CAUSES = (
    Cause(
        "discriminator too certain",
        0.6,
        "a sigmoid at 0 or 1 gives a clamped loss without a gradient",
        "print the discriminator's answers for real and generated samples",
    ),
    Cause(
        "optimizer never steps",
        0.4,
        "without its own step nothing changes",
        "compare one of its weights before and after a step",
    ),
)
NEVER_SEEN = (
    Cause(
        "another copy of the network is evaluated",
        0.6,
        "a running average that is never updated, or a copy made before training, gives the same result every time",
        "compare one weight of the evaluated network with the trained one",
    ),
    Cause(
        "the same evaluation logged again",
        0.4,
        "a cached result or a stale variable repeats to the last digit",
        "evaluate the first and the last checkpoint by hand",
    ),
)
FLOAT_FLOOR, ROUNDING = 87.3365, 0.01  # -ln of the smallest float32, and by how much means over batches differ
NO_PROBABILITY = (
    Cause(
        "learning rate too high",
        0.6,
        "87.336 is the loss of a probability that is zero in float32, as after steps that are far too large",
        "one run with a hundredth of the learning rate",
    ),
    Cause(
        "saturated units",
        0.3,
        "the outputs are at their limits, or NaN",
        "print the outputs of one batch before the last activation",
    ),
)


def no_growth_causes() -> tuple[Cause, ...]:
    """Why further trees do not change a boosted model."""
    return (
        Cause(
            "trees that cannot grow",
            0.6,
            "a least number of examples or least gain for each leaf that no split reaches leaves trees of one leaf",
            "look for warnings such as 'no further splits with positive gain'",
        ),
        Cause(
            "features unrelated to the labels", 0.25, "no split lowers the error", "count the leaves of the last trees"
        ),
        Cause(
            "learning rate zero, or far too low",
            0.15,
            "each tree counts next to nothing",
            "one run with ten times the learning rate",
        ),
    )


def no_update_causes(run: Run) -> tuple[Cause, ...]:
    """The causes, the likeliest first; a learning rate of zero in the log is the only one."""
    if (zero := zero_rate_cause(run)) is not None:
        return (zero,)
    loss = run.series_of("train/loss")
    if loss is not None and abs(loss.final - FLOAT_FLOOR) < ROUNDING:
        return NO_PROBABILITY
    return ranked(
        Cause(
            "weights not trained",
            0.6,
            "parameters that are missing from the optimizer, frozen, or cut off by detach() are not updated",
            "compare one weight before and after a step",
        ),
        Cause(
            "optimizer never steps",
            0.25,
            "without optimizer.step() nothing changes",
            "look for optimizer.step() in the loop",
        ),
        Cause(
            "learning rate zero, or far too low",
            0.15,
            "updates that are smaller than the rounding of the weights are lost",
            "log the learning rate of every parameter group",
        ),
    )

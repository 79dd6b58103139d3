"""The causes of a run that ends no better than random guessing."""

from __future__ import annotations

from nndoctor.analysis.guessing import Guessing
from nndoctor.analysis.level import dwarfs_second
from nndoctor.analysis.stuck_causes import stuck_causes
from nndoctor.core.finding import Cause, ranked
from nndoctor.core.run import Run
from nndoctor.core.series import Series

GAN_CAUSES = ranked(
    Cause(
        "the discriminator learns too slowly",
        0.5,
        "a discriminator that cannot distinguish the two gives the generator no gradient",
        "one run with a higher learning rate for the discriminator",
    ),
    Cause(
        "real and generated samples mixed up",
        0.3,
        "with swapped or identical labels there is nothing to learn",
        "train the discriminator alone against a frozen generator: it must win",
    ),
    Cause(
        "a generator that is that good",
        0.2,
        "at the optimum of a GAN no discriminator can do better",
        "look at the samples, and log a score of them (FID)",
    ),
)
TEXT_CAUSES = ranked(
    Cause(
        "learning rate too high",
        0.5,
        "after so many steps a language model is this poor only where its steps undo each other",
        "one run with a tenth of the learning rate, and a warmup",
    ),
    Cause(
        "labels shifted or masked wrongly",
        0.3,
        "targets that are not the next tokens cannot be predicted",
        "decode the inputs and the targets of one batch, side by side",
    ),
)
TOO_HIGH_CAUSES = ranked(
    Cause(
        "learning rate too high",
        0.5,
        "the first value is far above the rest: the first steps were so large that the network no longer learns",
        "one run with a tenth of the learning rate",
    ),
    Cause(
        "inputs not normalized",
        0.45,
        "raw pixels (0 to 255) and unscaled features make the first loss huge, and then the units die",
        "print the mean and the standard deviation of a batch of inputs",
    ),
    Cause(
        "weights too large at the start",
        0.15,
        "large initial weights give a huge first loss",
        "one run with the framework's default initialization",
    ),
)


def guessing_causes(run: Run, found: Guessing, loss: Series | None) -> tuple[Cause, ...]:
    """The causes by the evidence that a run guesses; () where nothing in the log tells them apart."""
    if found.evidence == "gan":
        return GAN_CAUSES
    if loss is None:
        return ()
    if found.evidence == "frequency":
        return TEXT_CAUSES
    if dwarfs_second(loss):
        return TOO_HIGH_CAUSES
    return stuck_causes(run, loss)

"""The changes that the prognosis estimates, and the loss that each is expected to improve."""

from __future__ import annotations

from dataclasses import dataclass

HELPS = 0.1  # the gain above which a change helps
MAX_TIE = 0.05  # a change that gains no less than the best one by more than this is as good a choice


@dataclass(frozen=True, slots=True)
class Change:
    """A single change of a training experiment, in `words`; `split` is the loss on which its gain is measured.

    `remedies` are the names of the remedies that carry it out.
    """

    name: str
    words: str
    split: str
    remedies: tuple[str, ...]


CHANGES = (
    Change("lr*10", "a higher learning rate", "train", ("raise-learning-rate", "learning-rate-range-test")),
    Change("lr/10", "a lower learning rate", "train", ("lower-learning-rate", "decay-learning-rate")),
    Change("steps*4", "training 4× longer", "validation", ("train-longer",)),
    Change("wider", "a wider network", "train", ("larger-network",)),
    Change("more-data", "more training data", "validation", ("more-data", "augmentation")),
    Change("weight-decay", "weight decay", "validation", ("weight-decay",)),
    Change("dropout", "dropout", "validation", ("dropout",)),
    Change("less-regularization", "less regularization", "validation", ("less-regularization",)),
    Change("constant-schedule", "a constant learning rate", "validation", ("decay-later",)),
    Change("stop-early", "stopping at the best validation loss", "validation", ("early-stopping",)),
)
NAMES = tuple(change.name for change in CHANGES)
BY_NAME = {change.name: change for change in CHANGES}

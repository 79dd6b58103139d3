"""Whether the first remedy helps: the zoo has tried it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import Share, share

TRAIN, VALIDATION = 0, 1
MATERIAL = 0.02  # of the distance from the best constant predictor to the best loss of any retraining

# Each remedy with the interventions that carry it out, and the loss that it promises to improve.
TRIED: dict[str, tuple[tuple[str, ...], int]] = {
    "lower-learning-rate": (("lr_d10", "lr_d100"), TRAIN),
    "raise-learning-rate": (("lr_x10", "lr_x100"), TRAIN),
    "decay-later": (("constant_schedule",), TRAIN),
    "shorten-warm-up": (("constant_schedule",), TRAIN),
    "rmsprop": (("rmsprop",), TRAIN),
    "zero-gradients": (("reset_gradients",), TRAIN),
    "larger-network": (("wider", "hidden_layers"), TRAIN),
    "less-regularization": (("no_regularization",), TRAIN),
    "he-initialization": (("default_init",), TRAIN),
    "check-labels": (("clean_labels",), TRAIN),
    "train-longer": (("steps_x4",), VALIDATION),
    "more-data": (("data_x4",), VALIDATION),
    "weight-decay": (("weight_decay", "weight_decay_strong"), VALIDATION),
    "dropout": (("dropout",), VALIDATION),
    "early-stopping": (("early_stopping",), VALIDATION),
}


@dataclass(frozen=True, slots=True)
class Efficacy:
    """A remedy, and how often it helped where it was the first one named and was tried."""

    remedy: str
    helped: Share


def outcome(run: Judged) -> tuple[str, bool] | None:
    """The first remedy of the primary finding and whether it helped; None where it was not tried."""
    if run.primary is None or not run.primary.remedies:
        return None
    first = run.primary.remedies[0].name
    changes, metric = TRIED.get(first, ((), TRAIN))
    if first == "train-longer" and run.primary.series == "train/loss":
        metric = TRAIN  # the message says which loss it would bring down, and how far
    if first == "larger-network" and run.line["settings"]["activation"] == "identity":
        changes = (*changes, "relu")  # the nonlinearity that the remedy asks for
    gains = [run.line["gains"][c][metric] for c in changes if c in run.line["gains"]]
    if gains:
        return first, max(gains) > MATERIAL
    return (first, False) if first == "zero-gradients" else None  # they are reset already


def efficacy(runs: Sequence[Judged]) -> list[Efficacy]:
    """All remedies together under "all", then each."""
    outcomes = [o for o in map(outcome, runs) if o is not None]
    names = sorted({name for name, _ in outcomes})
    return [
        Efficacy("all", share([helped for _, helped in outcomes])),
        *(Efficacy(name, share([helped for n, helped in outcomes if n == name])) for name in names),
    ]

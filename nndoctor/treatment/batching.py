"""Changes of how the training examples are put into batches: their number, and their order."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch.utils.data import SequentialSampler

from nndoctor.experiment.experiment import Experiment
from nndoctor.treatment.subject import rebatchable, remade


def rebatched(factor: float) -> Callable[[Experiment], None]:
    """A change of the batch size by a factor."""

    def apply(experiment: Experiment) -> None:
        examples = experiment.train_data.examples or 1
        loader = rebatchable(experiment.train_data)
        usual = (loader.batch_size if loader is not None else None) or 1
        experiment.train_data = remade(
            experiment.train_data, size=max(1, min(math.ceil(usual * factor), max(examples, 1)))
        )

    return apply


def _why_fixed(experiment: Experiment) -> str:
    return "" if rebatchable(experiment.train_data) else "train_data has fixed batches"


def why_no_smaller(experiment: Experiment) -> str:
    """Why the batches cannot be smaller, if so."""
    loader = rebatchable(experiment.train_data)
    return _why_fixed(experiment) or ("the batches hold one example" if loader and loader.batch_size == 1 else "")


def why_no_larger(experiment: Experiment) -> str:
    """Why the batches cannot be larger, if so."""
    loader = rebatchable(experiment.train_data)
    whole = loader is not None and (loader.batch_size or 1) >= (experiment.train_data.examples or 1)
    return _why_fixed(experiment) or ("a batch holds all examples" if whole else "")


def shuffled(experiment: Experiment) -> None:
    """Draw the training examples in another order in every epoch."""
    experiment.train_data = remade(experiment.train_data, shuffle=True)


def why_no_shuffling(experiment: Experiment) -> str:
    """Why shuffling changes nothing, if so."""
    loader = rebatchable(experiment.train_data)
    ordered = loader is not None and isinstance(loader.sampler, SequentialSampler)
    return _why_fixed(experiment) or ("" if ordered else "the training data are shuffled")

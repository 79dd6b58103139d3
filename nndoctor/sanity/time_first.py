"""Batches whose second dimension counts the examples, as (time, examples): handed to the probes with the examples first.

So sequences come in torch's RNNs and nn.Transformer without batch_first, padded by pad_sequence as it is by default.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from torch import Tensor, nn
from torch.utils.data import default_collate

from nndoctor.experiment.data import Batches
from nndoctor.experiment.experiment import Experiment
from nndoctor.sanity.batches import Batch, mapped, tensors

LOOKED_AT = 3  # batches
FEWEST = 2  # tensors of a batch whose lengths differ


def batch_first(found: Experiment) -> tuple[Experiment, bool]:
    """The experiment with the examples first, and whether that changed it: the user's step is still given what it expects.

    A step that draws its own sequences hands them over as its layers want them, which is not changed.
    """
    step, train_step = found.step, found.train_step
    loader = found.train_data.loader
    collated = loader is None or loader.collate_fn is not default_collate
    own = step is not None or train_step is not None
    drawn = found.loop is not None and loader is None
    first = list(islice(iter(found.train_data), LOOKED_AT)) if collated and (own or drawn) else []
    if not own or not _time_first(first):
        return found, bool(first) and not any(map(tensors, first)) and _wants_time_first(found.model)
    validation = found.validation_data
    changed = dataclasses.replace(
        found,
        train_data=_exchanged(found.train_data),
        validation_data=None if validation is None else _exchanged(validation),
        step=None if step is None else _given_back(step),
        train_step=None if train_step is None else _given_back(train_step),
    )
    return changed, True


def _wants_time_first(model: nn.Module) -> bool:
    return any(getattr(module, "batch_first", None) is False for module in model.modules())


def exchanged(batch: Batch) -> Batch:
    """The batch with the first two dimensions of each tensor exchanged."""
    return mapped(batch, lambda t: t.transpose(0, 1).contiguous() if t.ndim > 1 else t)


def _time_first(batches: list[Any]) -> bool:
    """Whether in every batch two tensors differ in their first dimension, and all have the same second one; vectors count examples."""
    return bool(batches) and all(map(_counts_second, batches))


def _counts_second(batch: Batch) -> bool:
    given = tensors(batch)
    sequences = [t for t in given if t.ndim > 1]
    counts = {t.shape[1] for t in sequences} | {len(t) for t in given if t.ndim == 1}
    return len(sequences) >= FEWEST and len(counts) == 1 and len({len(t) for t in sequences}) > 1


def _exchanged(data: Batches) -> Batches:
    def source() -> Iterator[Any]:
        return (exchanged(batch) for batch in data)

    return dataclasses.replace(data, source=source)


def _given_back(step: Callable[..., Any]) -> Callable[..., Any]:
    """The user's step, called with the batch as their data give it."""

    @functools.wraps(step)
    def called(model: Any, batch: Batch, *more: Any) -> Any:  # noqa: ANN401 - whatever the user's step takes and gives
        return step(model, exchanged(batch), *more)

    return called


def of_examples(tensor: Tensor, *, time_first: bool) -> Tensor:
    """A tensor that the model takes or gives, with the examples first."""
    return tensor.transpose(0, 1) if time_first and tensor.ndim > 1 else tensor

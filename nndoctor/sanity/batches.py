"""Batches of any form: their tensors, how many examples they hold, parts of them, several joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nndoctor.experiment.steps import TARGETS
from nndoctor.sanity.ragged import ends_at, longest

Batch = Any  # a tensor, or tensors in tuples, lists and mappings, as the user's data give them


def mapped(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The same structure with every tensor changed; numpy arrays become tensors."""
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, np.ndarray) and batch.dtype != object:
        return change(torch.from_numpy(np.ascontiguousarray(batch)))
    if isinstance(batch, Mapping):
        return _like(batch, {key: mapped(value, change) for key, value in batch.items()})
    if isinstance(batch, (list, tuple)):
        return _like(batch, [mapped(one, change) for one in batch])
    return batch


def _like(batch: Batch, items: Any) -> Batch:  # noqa: ANN401 - a dict or a list
    """Items in a container of the batch's own kind; in a plain dict where that kind cannot be made of one."""
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*items)
    try:
        return type(batch)(items)
    except TypeError:
        return items


def copied(batch: Batch) -> Batch:
    """A batch of one's own, as a DataLoader gives it: user code takes labels out of dicts, and masks tokens in place."""
    return mapped(batch, lambda t: t.detach().clone().requires_grad_(t.requires_grad))


def tensors(batch: Batch) -> list[Tensor]:
    """All tensors in a batch, in order."""
    found: list[Tensor] = []

    def note(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    mapped(batch, note)
    return found


def size(batch: Batch) -> int:
    """How many examples it holds: the first dimension of its first tensor that has one; 0 where none has."""
    return next((len(t) for t in tensors(batch) if t.ndim), 0)


def alike(batch: Batch) -> bool:
    """Whether every tensor with dimensions has the examples first, so that parts of the batch can be taken."""
    n = size(batch)
    whole = [t for t in tensors(batch) if t.ndim]
    return n > 0 and all(len(t) == n for t in whole) and _only_tensors(batch)


def part(batch: Batch, rows: Tensor | slice) -> Batch:
    """Some examples of a batch that is `alike`, as a loader would give them.

    Sequences that come by falling length, as for packing, stay in that order; padding beyond the longest is cut off.
    """
    if isinstance(rows, slice):
        return _cut(batch, mapped(batch, lambda t: t[rows] if t.ndim else t))
    lengths = next((t for t in tensors(batch) if _falls(t)), None)
    found = _cut(batch, mapped(batch, lambda t: t[rows.to(t.device)] if t.ndim else t))
    return found if lengths is None else _sorted(found, lengths[rows.to(lengths.device)])


def _cut(whole: Batch, some: Batch) -> Batch:
    """Some examples of a batch without the padding that only the longer ones left behind need."""
    given = tensors(whole)
    known = longest(given)
    left = tensors(some)
    if known is None or not len(left[known[0]]):
        return some
    place, before = known
    now, padded = int(left[place].max()), iter([ends_at(t, given[place], before) for t in given])
    return mapped(some, lambda t: t[:, :now] if next(padded) else t)


def _falls(tensor: Tensor) -> bool:
    """Whether a whole number of each example falls from the first to the last."""
    whole = tensor.ndim == 1 and not tensor.is_floating_point() and tensor.dtype is not torch.bool
    return whole and bool((tensor[1:] <= tensor[:-1]).all()) and bool((tensor[1:] < tensor[:-1]).any())


def concatenated(parts: Sequence[Tensor]) -> Tensor | None:
    """Tensors end to end, a number as it is; None where they differ in more than the number of examples."""
    if parts[0].ndim == 0:
        return parts[0]
    return torch.cat(list(parts)) if all(t.shape[1:] == parts[0].shape[1:] for t in parts) else None


def joined(batches: Sequence[Batch], join: Callable[[Sequence[Tensor]], Tensor | None] = concatenated) -> Batch | None:
    """Several batches of the same structure as one, each of its tensors joined; None where they do not fit together."""
    columns = [tensors(b) for b in batches]
    if not columns or any(len(c) != len(columns[0]) for c in columns):
        return None
    rows: list[Tensor] = []
    for column in zip(*columns, strict=True):
        one = join(column)
        if one is None:
            return None
        rows.append(one)
    left = iter(rows)
    whole = mapped(batches[0], lambda _: next(left))
    fall = next((k for k, column in enumerate(zip(*columns, strict=True)) if all(map(_falls, column))), None)
    return whole if fall is None else _sorted(whole, rows[fall])


def _sorted(batch: Batch, lengths: Tensor) -> Batch:
    """A batch that is `alike`, the longest sequences first, as a step wants them that packs them."""
    order = lengths.argsort(descending=True, stable=True)
    return mapped(batch, lambda t: t[order.to(t.device)] if t.ndim else t)


def split(batch: Batch) -> tuple[tuple[Any, ...], dict[str, Any], Batch | None]:
    """What the model takes by place, what by name, and the target (None where there is none)."""
    if isinstance(batch, Mapping):
        name = next((k for k in TARGETS if k in batch), None)
        return (), dict(batch), None if name is None else batch[name]
    if isinstance(batch, (list, tuple)):
        if len(batch) <= 1:
            return tuple(batch), {}, None
        inputs = batch[0] if len(batch) == 2 and isinstance(batch[0], (list, tuple)) else batch[:-1]
        return tuple(inputs), {}, batch[-1]
    return (batch,), {}, None


def rebuilt(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with its inputs changed and its target as it was."""
    if isinstance(batch, Mapping):
        items = {k: v if k in TARGETS or "mask" in str(k) else mapped(v, change) for k, v in batch.items()}
        return _like(batch, items)
    if isinstance(batch, (list, tuple)) and len(batch) > 1:
        return _like(batch, [*(mapped(one, change) for one in batch[:-1]), batch[-1]])
    return mapped(batch, change)


def all_inputs(batch: Batch) -> list[Tensor]:
    """The tensors that the model takes, without masks."""
    places, names, _ = split(batch)
    named = [v for k, v in names.items() if k not in TARGETS and "mask" not in str(k)]
    return tensors([*places, *named])


def first_input(batch: Batch) -> Tensor | None:
    """The first tensor that the model takes."""
    return next(iter(all_inputs(batch)), None)


def target_of(batch: Batch) -> Tensor | None:
    """The target where it is a single tensor."""
    target = split(batch)[2]
    found = [] if target is None else tensors(target)
    return found[0] if len(found) == 1 else None


def target_rolled(batch: Batch) -> Batch:
    """The batch with every example's target taken from its neighbour."""
    return target_changed(batch, torch.arange(size(batch)).roll(1))


def target_raised(batch: Batch) -> Batch:
    """The batch with targets greater by 1."""
    return _with_target(batch, lambda target: target + 1 if target.dtype is not torch.bool else ~target)


def target_changed(batch: Batch, rows: Tensor) -> Batch:
    """The batch with the targets of other examples, by their rows."""
    return _with_target(batch, lambda target: target[rows.to(target.device)] if target.ndim else target)


def _with_target(batch: Batch, taken: Callable[[Tensor], Tensor]) -> Batch:
    if isinstance(batch, Mapping):
        items = {k: mapped(v, taken) if k in TARGETS else v for k, v in batch.items()}
        return _like(batch, items)
    return _like(batch, [*batch[:-1], mapped(batch[-1], taken)])


def same_targets(batch: Batch) -> bool:
    """Whether all examples have one target, which tells nothing of whether it is used."""
    target = target_of(batch)
    return target is None or target.ndim == 0 or bool((target == target[:1]).all())


def _only_tensors(batch: Batch) -> bool:
    if isinstance(batch, Mapping):
        return all(_only_tensors(v) for v in batch.values())
    if isinstance(batch, (list, tuple)):
        return all(_only_tensors(v) for v in batch)
    return isinstance(batch, (Tensor, np.ndarray))

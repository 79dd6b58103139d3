"""Whatever a user calls data, as batches that can be gone through again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from nndoctor.core.errors import UsageError
from nndoctor.core.formatting import type_of

BATCH = 32

Batch = object  # a pair of tensors, a dict of tensors, or whatever the user's step takes


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches that can be gone through again: `source` gives an iterator each time.

    `examples`, `number` (of batches), `dataset` and `loader` are set where they are known.
    """

    source: Callable[[], Iterator[Batch]]
    summary: str
    examples: int | None = None
    number: int | None = None
    dataset: object = None
    loader: DataLoader[object] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self.source()


class BatchList(list[Any]):
    """Batches, of which each may be a single tensor; a plain list of tensors holds the parts of examples."""


def batches(name: str, given: object, *, shuffle: bool, size: int = BATCH) -> Batches:
    """Batches from a DataLoader, a Dataset, a pair of tensors, a function that gives any of these, or an iterable.

    Raises UsageError for anything else, and for an iterator that can be read only once.
    """
    if isinstance(given, DataLoader):
        return _loader(given, f"{name}: a DataLoader, batches of {given.batch_size}")
    examples = _examples(name, given)
    if examples is not None:
        dataset, what = examples
        mixed = shuffle and not isinstance(dataset, IterableDataset)
        loader: DataLoader[object] = DataLoader(dataset, batch_size=size, shuffle=mixed)
        return _loader(loader, f"{name}: {what}, in batches of {size}{', shuffled' if mixed else ''}")
    if callable(given):
        made = given()
        if isinstance(made, Iterator):
            return Batches(lambda: iter(given()), f"{name}: a generator function")
        return batches(name, made, shuffle=shuffle, size=size)
    return _iterated(name, given)


def _iterated(name: str, given: object) -> Batches:
    """The batches that an iterable gives. Raises UsageError for anything else, and for an iterator."""
    if isinstance(given, Iterator):
        raise UsageError(
            f"{name} is an iterator, which ends after one epoch; give a function that makes it: def {name}()"
        )
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes, Mapping, Tensor)):
        number = len(given) if isinstance(given, Sized) else None
        return Batches(lambda: iter(given), f"{name}: {_kind(given)}, gone through as batches", number=number)
    raise UsageError(
        f"{name} is {type_of(given)}; expected a DataLoader, a Dataset, a pair of tensors, or a function that gives one"
    )


def _kind(given: object) -> str:
    return "list" if isinstance(given, list) else type(given).__name__


def _examples(name: str, given: object) -> tuple[Any, str] | None:
    """A dataset and what it is, where single examples are given; None where they are batches already, or made by a call.

    Raises UsageError for tensors of different lengths.
    """
    if isinstance(given, Dataset):
        return given, "a Dataset"
    if _is_hub_dataset(given):
        return given, "a datasets.Dataset"
    if isinstance(given, BatchList) or not isinstance(given, (tuple, list)) or not given:
        return None
    if not all(isinstance(part, Tensor) for part in given):
        return None
    if len({len(part) for part in given}) != 1:
        raise UsageError(f"{name} holds tensors of different lengths: {', '.join(str(len(p)) for p in given)}")
    return TensorDataset(*given), f"{len(given)} tensors"


STAND_IN_EXAMPLES = 256


def stand_in(shape: tuple[int, ...], classes: int | None, seed: int) -> TensorDataset:
    """Made-up data for a model that came without any: normal inputs of a shape, labels drawn evenly (or normal targets)."""
    source = torch.Generator().manual_seed(seed)
    inputs = torch.randn(STAND_IN_EXAMPLES, *shape, generator=source)
    if classes is None:
        return TensorDataset(inputs, torch.randn(STAND_IN_EXAMPLES, 1, generator=source))
    return TensorDataset(inputs, torch.randint(classes, (STAND_IN_EXAMPLES,), generator=source))


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch, its tensors on a device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: moved(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        parts: Any = [moved(value, device) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def _is_hub_dataset(given: object) -> bool:
    """Whether it is a Dataset of Hugging Face's, which goes through single rows."""
    return type(given).__module__.split(".")[0] == "datasets" and hasattr(given, "__getitem__")


def _loader(loader: DataLoader[object], summary: str) -> Batches:
    dataset = loader.dataset
    examples = len(dataset) if isinstance(dataset, Sized) else None
    number = len(loader) if examples is not None else None
    return Batches(lambda: iter(loader), summary, examples, number, dataset, loader)


def as_bytes(tensor: Tensor) -> list[bytes]:
    """Each example's values as bytes, by which equal ones are known."""
    flat = tensor.detach().flatten(1).cpu() if tensor.ndim > 1 else tensor.detach()[:, None].cpu()
    flat = flat.float() if flat.dtype is torch.bfloat16 else flat  # which numpy does not know
    return [row.tobytes() for row in flat.numpy()]

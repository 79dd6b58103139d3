"""The user's file, loaded again for each training: the same data each time, everything else drawn from another seed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
)

from nndoctor.experiment.data import Batches, batches
from nndoctor.experiment.experiment import Experiment, ExperimentOptions, experiment
from nndoctor.experiment.model_file import package_name

HELD_OUT = 0.2  # share of the training data that a file without validation data is measured on
MIN_HELD_OUT = 40  # examples from which on a part is held out

Loader = DataLoader[object]


@dataclass(frozen=True, slots=True)
class _First:
    """What all trainings of a file share: its data, and the module whose classes those data are of."""

    changed: int
    module: ModuleType | None
    train_data: Batches
    validation_data: Batches | None
    held_out: bool


_known: dict[str, _First] = {}


@contextmanager
def shifted_seeds(seed: int) -> Iterator[None]:
    """Seeds that a file sets itself are shifted, so that its repeats differ; pairs with one seed stay alike."""
    torch_seed, numpy_seed, python_seed = torch.manual_seed, np.random.seed, random.seed
    with (
        patch.object(torch, "manual_seed", lambda value: torch_seed(int(value) + seed)),
        patch.object(np.random, "seed", lambda value=None: numpy_seed(None if value is None else int(value) + seed)),
        patch.object(random, "seed", lambda value=None: python_seed(value + seed if isinstance(value, int) else value)),
    ):
        yield


def loaded(path: str, seed: int) -> Experiment:
    """The file with its seeds shifted, on the data of its first loading. Raises ModelFileError for what does not work."""
    first = _first(path)
    subject = _run(path, seed)
    if first.module is not None:
        sys.modules[first.module.__name__] = first.module  # workers of a loader unpickle the data's classes from it
    subject.train_data, subject.validation_data = first.train_data, first.validation_data
    for data in (first.train_data, first.validation_data):
        _reseed(data, seed)
    return subject


def holds_out(path: str) -> bool:
    """Whether a part of the training data replaces validation data that the file lacks."""
    return _first(path).held_out


def _run(path: str, seed: int) -> Experiment:
    with shifted_seeds(seed):
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002 - user code draws from the global generator
        return experiment(path, ExperimentOptions(seed=0))


def _first(path: str) -> _First:
    file = Path(path).resolve()
    changed = file.stat().st_mtime_ns if file.is_file() else 0
    known = _known.get(str(file))
    if known is None or known.changed != changed:
        subject = _run(path, 0)
        train, validation = subject.train_data, subject.validation_data
        held_out = validation is None and _can_hold_out(subject)
        if held_out:
            train, validation = _split(train)
        module = sys.modules.get(package_name(file)[0])
        known = _known[str(file)] = _First(
            changed, module, quick(train), None if validation is None else quick(validation), held_out
        )
    return known


def rebatchable(data: Batches) -> Loader | None:
    """The DataLoader behind the data, where it can be made again with another batch size or other examples."""
    loader = data.loader
    if loader is None or isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        return None
    return loader if data.examples else None


def remade(
    data: Batches, *, size: int | None = None, dataset: Dataset[object] | None = None, shuffle: bool | None = None
) -> Batches:
    """The data with another batch size, with other examples or shuffled; everything else stays. Raises TypeError."""
    loader = rebatchable(data)
    if loader is None:
        raise TypeError("the data are not a DataLoader")
    ordered = isinstance(loader.sampler, SequentialSampler)
    own: Sampler[Any] | None = None
    if not isinstance(loader.sampler, (SequentialSampler, torch.utils.data.RandomSampler)) and dataset is None:
        own = loader.sampler  # type: ignore[assignment]  # any iterable of places
    mixed = None if own is not None else (not ordered if shuffle is None else shuffle)
    made: Loader = DataLoader(
        loader.dataset if dataset is None else dataset,
        size or loader.batch_size,
        shuffle=mixed,
        sampler=own,
        collate_fn=loader.collate_fn,
        drop_last=loader.drop_last and dataset is None,
    )
    return quick(batches("train_data", made, shuffle=True))


def quick(data: Batches) -> Batches:
    """The same batches, cut from tensors at once where the loader would pick and stack them one by one."""
    loader = data.loader
    if loader is None or loader.num_workers or loader.batch_sampler is None or loader.pin_memory:
        return data
    tensors = _tensors(loader.dataset)
    if tensors is None or loader.collate_fn is not default_collate:
        return data
    sampler = loader.batch_sampler

    def source() -> Iterator[object]:
        for chosen in sampler:
            places = torch.as_tensor(chosen)
            yield [tensor[places] for tensor in tensors]

    return replace(data, source=source)


def _tensors(dataset: Dataset[object]) -> tuple[torch.Tensor, ...] | None:
    """The tensors that a dataset, or a subset of one, is made of."""
    if type(dataset) is TensorDataset:
        return dataset.tensors
    held = _tensors(dataset.dataset) if type(dataset) is Subset else None
    return None if held is None else tuple(tensor[torch.as_tensor(dataset.indices)] for tensor in held)  # type: ignore[attr-defined]  # a Subset's


def _can_hold_out(subject: Experiment) -> bool:
    return rebatchable(subject.train_data) is not None and (subject.train_data.examples or 0) >= MIN_HELD_OUT


def _split(train: Batches) -> tuple[Batches, Batches]:
    dataset: Any = train.loader.dataset if train.loader is not None else None
    count = len(dataset) if isinstance(dataset, Sized) else 0
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()
    kept = count - round(HELD_OUT * count)
    held_out = remade(train, dataset=Subset(dataset, sorted(order[kept:])), shuffle=False)
    return remade(train, dataset=Subset(dataset, sorted(order[:kept]))), held_out


def _reseed(data: Batches | None, seed: int) -> None:
    """Generators that a loader holds begin again, so that a training does not depend on those before it."""
    loader = data.loader if data is not None else None
    if loader is None:
        return
    for held in (loader, loader.sampler):
        generator = getattr(held, "generator", None)
        if isinstance(generator, torch.Generator):
            generator.manual_seed(seed)

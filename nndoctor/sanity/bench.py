"""The bench on which a subject lies: its batches, its clock, and what the probes have measured so far."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nndoctor.core.run import FactValue
from nndoctor.core.series import Series
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.steps import IGNORED, TrainStep
from nndoctor.sanity.batches import Batch, alike, joined, part, size, target_of, tensors
from nndoctor.sanity.failures import is_machine, unusable
from nndoctor.sanity.methods import LastPart, OwnMethod
from nndoctor.sanity.optimizers import advance, fresh, unwrapped
from nndoctor.sanity.ragged import padded
from nndoctor.sanity.schedules import Schedules
from nndoctor.sanity.state import Snapshot, seed
from nndoctor.sanity.subject import Subject
from nndoctor.sanity.user_step import Strangers, loop_of, watched

T = TypeVar("T")
MAX_EXAMPLES = 2048  # looked at in data
MAX_BATCHES = 64
MAX_BYTES = 256 << 20
DATA_SHARE = 0.1  # of the budget that reading data may take
RATE = 1e-3  # of Adam, where the user gave no optimizer


class Clock:
    """The budget in seconds, and what is left of it. What is `reserved` for later does not count as left."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.reserved = 0.0
        self._began = time.perf_counter()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    @property
    def left(self) -> float:
        """Seconds left; below zero when the budget is overdrawn."""
        return self.budget - self.spent - self.reserved


@dataclass(slots=True)
class Bench:
    """What probes share. They add to `facts` and `series`; what does not fit into the budget joins `unchecked`."""

    subject: Subject
    clock: Clock
    seeds: int
    snapshot: Snapshot
    facts: dict[str, FactValue] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    sample: Batch | None = None
    data: Batch | None = None
    """The sample, or where batches are of different lengths all of them padded: what data show without the model."""
    validation: Batch | None = None
    pictures: bool = False
    step_time: float = 0.0
    load_time: float = 0.0
    steps: int = 0
    bare: float = 0.0
    strangers: Strangers = field(default_factory=dict)
    groups: list[dict[str, Any]] = field(default_factory=list)
    schedules: Schedules = field(default_factory=Schedules)
    method: OwnMethod | LastPart | None = None
    labelled: bool = True
    divisible: bool = True
    ignored: int = IGNORED

    @property
    def model(self) -> nn.Module:
        """The user's model itself: probes change it, `fresh_start` puts it back."""
        return self.subject.model

    @property
    def batch(self) -> Batch:
        """The first training batch."""
        return self.batches[0]

    def target(self, batch: Batch | None) -> Tensor | None:
        """The target of a batch where it is a single tensor, and one that the loss depends on."""
        return target_of(batch) if self.labelled and batch is not None else None

    def alike(self, batch: Batch) -> bool:
        """Whether parts of a batch can be taken: the examples come first, and the model takes fewer of them."""
        return self.divisible and alike(batch)

    def fresh_start(self, number: int = 0) -> None:
        """The weights as the user's file made them, and random numbers that depend on `number` only."""
        self.snapshot.weights()
        for optimizer, kept in self.strangers.values():
            optimizer.load_state_dict(copy.deepcopy(kept))
        self.schedules.begin()
        if (loop := loop_of(self.subject.train_step)) is not None:
            loop.begin()
        self._settings_as_given()
        seed(20_240_501 + number)

    def _settings_as_given(self) -> None:
        """Put back rate and momentum of the file's optimizer, which a schedule within its step has changed."""
        if self.subject.optimizer is None:
            return
        groups = unwrapped(self.subject.optimizer).param_groups
        self.groups = self.groups or [{k: v for k, v in group.items() if k != "params"} for group in groups]
        for group, given in zip(groups, self.groups, strict=False):
            group.update(given)

    def optimizer(self, *, factor: float = 1.0, decay: bool = True) -> torch.optim.Optimizer:
        """A fresh optimizer as the user configured it, or the stand-in."""
        own = self.subject.optimizer
        if own is None:
            return torch.optim.Adam(self.model.parameters(), lr=RATE * factor)
        return fresh(own, self.model, factor=factor, decay=decay)

    def train(self, batch: Batch, optimizer: torch.optim.Optimizer, *, clip: float | None = None) -> float:
        """One training step as the user takes it: their train_step, else zero_grad, backward, step. Gives its loss.

        NaN where the loss has no gradient, and no step is taken. `clip` is the largest norm of the gradients, for
        steps that are not the user's own.
        """
        own = self.subject.train_step
        with self.timed():
            if own is not None:
                return self._watched(own, batch, optimizer)
            optimizer = unwrapped(optimizer)  # one that accumulates would skip steps that are not the user's
            optimizer.zero_grad()
            loss = self.backward(batch, clip)
            if not loss.requires_grad:
                return math.nan
            advance(optimizer, lambda: self.backward(batch, clip))
        return number(loss)

    def backward(self, batch: Batch, clip: float | None = None) -> Tensor:
        """The loss, its gradients taken, and clipped as the file's Trainer does it, or further."""
        loss = self.subject.run(batch).loss
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
            clips = [norm for norm in (clip, self.subject.plan.clip) if norm is not None]
            if clips:
                norm = nn.utils.clip_grad_norm_(self.model.parameters(), min(clips))
                if "norm_before_clipping" not in self.facts:
                    self.fact("norm_before_clipping", float(norm))
        return loss

    def tried(self, batch: Batch, optimizer: torch.optim.Optimizer, *, clip: float | None = None) -> float:
        """As `train`, for trials: infinity where a step fails on what a diverged training hands to it."""
        return unless_it_fails(lambda: self.train(batch, optimizer, clip=clip), math.inf)

    def trained(self, steps: int, batches: Sequence[Batch] = ()) -> bool:
        """Take steps from the weights as they are with a fresh optimizer, on all batches or on these; whether each loss was finite."""
        batches = batches or self.batches
        optimizer = self.optimizer()
        self.model.train()
        return all(math.isfinite(self.tried(batches[k % len(batches)], optimizer)) for k in range(steps))

    def _watched(self, own: TrainStep, batch: Batch, optimizer: torch.optim.Optimizer) -> float:
        try:
            return watched(own, self.model, batch, optimizer, self.strangers).loss
        except ModelFileError:
            raise
        except Exception as error:
            if is_machine(error):
                raise
            raise unusable("train_step fails", error, self.subject.path) from error

    def observe(self, hooks: Iterable[RemovableHandle]) -> None:
        """One pass of the batch without gradients, under hooks that are taken away after it."""
        try:
            with torch.no_grad():
                self.subject.run(self.batch)
        finally:
            for hook in hooks:
                hook.remove()

    def fact(self, name: str, value: FactValue | None) -> None:
        """Note a fact; None and a NaN in a number's place are not noted."""
        if value is not None and not (isinstance(value, float) and math.isnan(value)):
            self.facts[name] = value

    def number(self, name: str) -> float:
        """A fact that is a number; 0 where it is not known."""
        found = self.facts.get(name)
        return float(found) if isinstance(found, (int, float)) else 0.0

    def fits(self, what: str, steps: float) -> bool:
        """Whether about so many steps still fit into the budget; else it is listed as not checked."""
        if self.clock.left > 0 and steps * self.step_time <= self.clock.left:
            return True
        if what not in self.unchecked:
            self.unchecked.append(what)
        return False

    @contextmanager
    def timed(self, steps: int = 1) -> Iterator[None]:
        """Count training steps, and the time that they take by themselves."""
        began = time.perf_counter()
        yield
        self.bare += time.perf_counter() - began
        self.steps += steps


def gather(bench: Bench) -> None:
    """Read the first batches of training and validation data."""
    began = time.perf_counter()
    limit = DATA_SHARE * bench.clock.budget
    bench.batches = _different(_first(bench.subject.batches(), limit))
    bench.load_time = (time.perf_counter() - began) / max(len(bench.batches), 1)
    bench.sample = _together(bench.batches)
    bench.data = bench.sample
    if len(bench.batches) > 1 and bench.sample is bench.batches[0] and all(map(alike, bench.batches)):
        together = joined(bench.batches, padded)
        bench.data = bench.sample if together is None else together
    if bench.subject.validation is not None:
        moved = bench.subject.read("validation_data", bench.subject.validation)
        bench.validation = _together(_first(moved, limit))


def _first(batches: Iterable[Batch], seconds: float) -> list[Batch]:
    began, found, examples, volume = time.perf_counter(), [], 0, 0
    for batch in batches:
        found.append(batch)
        examples += size(batch)
        volume += sum(t.numel() * t.element_size() for t in tensors(batch))
        late = time.perf_counter() - began > seconds
        if examples >= MAX_EXAMPLES or len(found) >= MAX_BATCHES or volume > MAX_BYTES or late:
            break
    return found


def _different(batches: list[Batch]) -> list[Batch]:
    """The batches without those that are one and the same once more, as a list that repeats all the data."""
    found: dict[tuple[object, ...], Batch] = {}
    for k, batch in enumerate(batches):
        found.setdefault(tuple((t.data_ptr(), t.shape) for t in tensors(batch)) or (k,), batch)
    return list(found.values())


def _together(batches: list[Batch]) -> Batch | None:
    same = [b for b in batches if alike(b)]
    whole = joined(same) if same and len(same) == len(batches) else None
    if whole is None:
        return batches[0] if batches and alike(batches[0]) else None
    return part(whole, slice(0, MAX_EXAMPLES))


def unless_it_fails(act: Callable[[], T], otherwise: T) -> T:
    """What the user's code gives, or `otherwise` where it raises an error; the machine's errors pass on.

    For code that worked before training: distributions, assignments and decompositions raise an error for NaN.
    """
    try:
        return act()
    except Exception as error:
        if is_machine(error):
            raise
        return otherwise


def number(value: Tensor) -> float:
    """A tensor of one number as a float."""
    return float(value.detach())

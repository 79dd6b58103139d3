"""The user's own train_step: watched while it runs, and asked for its loss without letting it train."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from nndoctor.experiment.backward import Reached, backward_replaced
from nndoctor.experiment.own_code import OwnCode
from nndoctor.experiment.steps import TrainStep, loss_in
from nndoctor.sanity.batches import copied
from nndoctor.sanity.optimizers import unwrapped

# Optimizers of the user's own, by id, with their state before their first step here.
Strangers = dict[int, tuple[torch.optim.Optimizer, dict[str, Any]]]
CALLS = 3  # watched calls that show how often a step goes back, and what it returns
SHORT = 10_000  # entries of a list that a step may fill
SAME = 1e-3  # relative difference of two ratios that are the same


@dataclass(slots=True)
class Watched:
    """What one call of a train_step did: the losses that it went back from, the optimizers that stepped, its result.

    `gradients` are the ids of the parameters whose gradient was not zero when their optimizer stepped; `climbs` says
    whether the weights were moved by hand between two passes, as SAM moves them uphill and back.
    """

    backward: list[Tensor] = field(default_factory=list)
    optimizers: list[torch.optim.Optimizer] = field(default_factory=list)
    gradients: set[int] = field(default_factory=set)
    returned: float | None = None
    climbs: bool = False

    @property
    def loss(self) -> float:
        """The loss of the step: what it returned, else the sum of what it went back from."""
        if self.returned is not None:
            return self.returned
        return sum(float(t.detach()) for t in self.backward) if self.backward else math.nan


@dataclass(frozen=True, slots=True)
class Habits:
    """How a train_step works: backward passes a call, whether all its steps are the given optimizer's, and its scale.

    `scale` is what the loss is multiplied by before its backward pass (a loss scale, 1 / accumulation steps, or -1
    where the step maximizes what it returns); 1 where the returned value shows no such ratio.
    """

    passes: int
    alone: bool
    scale: float
    climbs: bool = False

    @property
    def has_loss(self) -> bool:
        """Whether the step has one loss; not that of a GAN, whose two losses pull against each other."""
        return self.passes == 1 or (self.passes > 1 and self.alone)

    @property
    def asked(self) -> int:
        """The passes whose losses add up to that of the step: of one that climbs the first, at the weights as they are."""
        return 1 if self.climbs else self.passes


VANISHED = 0.01  # of its highest value: a rate at which a schedule has ended the training


@dataclass(slots=True)
class OwnStep:
    """A train_step that is given batches of its own, and what its schedule makes of the rate of the file's optimizer.

    `vanished` is the number of calls after which the rate stayed below a hundredth of its highest value; 0 where it does not.
    """

    step: TrainStep
    optimizer: torch.optim.Optimizer | None
    calls: int = 0
    highest: float = 0.0
    vanished: int = 0

    def begin(self) -> None:
        """Count from here on."""
        self.calls, self.highest, self.vanished = 0, 0.0, 0

    def __call__(self, model: nn.Module, batch: object, optimizer: torch.optim.Optimizer) -> object:
        """One call of the user's step."""
        found = self.step(model, copied(batch), optimizer)
        self.calls += 1  # not where it is only asked for its loss
        if self.optimizer is not None:
            rate = max(float(group["lr"]) for group in self.optimizer.param_groups)
            self.highest = max(self.highest, rate)
            low = rate < VANISHED * self.highest
            self.vanished = (self.vanished or self.calls) if low else 0
        return found


def loop_of(step: object) -> OwnCode | None:
    """The training loop of the file, where it stands for a step."""
    code = getattr(step, "step", None)
    return code if isinstance(code, OwnCode) and code.loop else None


def watched(  # noqa: PLR0913 - a step's own three, and what is noted of it
    step: TrainStep,
    model: nn.Module,
    batch: object,
    optimizer: torch.optim.Optimizer,
    strangers: Strangers,
    *,
    weights: bool = False,
) -> Watched:
    """Take one step and note what it did, of the weights where asked for; optimizers that were never seen before join the strangers."""
    seen = Watched()
    before: list[tuple[int, float]] = []

    def note(given: torch.optim.Optimizer, *_: object) -> None:
        seen.optimizers.append(given)
        if given is not unwrapped(optimizer) and id(given) not in strangers:
            strangers[id(given)] = given, copy.deepcopy(given.state_dict())
        seen.gradients |= {
            id(p)
            for group in given.param_groups
            for p in group["params"]
            if p.grad is not None and any_gradient(p.grad)
        }

    def go_back(loss: Tensor, go: Callable[[], object]) -> None:
        seen.backward.append(loss)
        if weights:
            now = len(seen.optimizers), sum(float(p.detach().double().sum()) for p in model.parameters())
            seen.climbs |= any(steps == now[0] and total != now[1] for steps, total in before)
            before.append(now)
        go()

    handle = register_optimizer_step_pre_hook(note)
    try:
        with backward_replaced(go_back):
            seen.returned = _number(step(model, batch, optimizer))
    finally:
        handle.remove()
    return seen


def habits(calls: list[Watched], optimizer: torch.optim.Optimizer) -> Habits:
    """What several watched calls have in common."""
    counts = {len(call.backward) for call in calls}
    alone = all(given is unwrapped(optimizer) for call in calls for given in call.optimizers)
    climbs = all(call.climbs for call in calls)
    return Habits(min(counts) if len(counts) == 1 else 0, alone, _scale(calls, 1 if climbs else None), climbs)


def _scale(calls: list[Watched], passes: int | None) -> float:
    """What the returned losses were multiplied by before the first passes, or all of them; 1 where that differs from call to call."""
    lost = [sum(float(t.detach()) for t in call.backward[:passes]) for call in calls]
    ratios = [total / c.returned for total, c in zip(lost, calls, strict=True) if c.backward and c.returned]
    steady = len(ratios) == len(calls) and all(abs(r - ratios[0]) <= SAME * abs(ratios[0]) for r in ratios)
    return ratios[0] if steady and ratios[0] and math.isfinite(ratios[0]) else 1.0


def asked(step: TrainStep, known: Habits, optimizer: torch.optim.Optimizer) -> Callable[[nn.Module, Any], Tensor]:
    """The loss of a train_step as a function of model and batch: the step ends where its last backward() would begin."""

    def loss(model: nn.Module, batch: Any) -> Tensor:  # noqa: ANN401
        found: list[Tensor] = []

        def stop(given: Tensor, _: Callable[[], object]) -> None:
            found.append(given)
            if len(found) == known.asked:
                raise Reached

        try:
            with backward_replaced(stop), modes_kept(model), lists_kept(step, model):
                step(model, batch, optimizer)
        except Reached:
            pass
        return torch.stack([t.reshape(()) for t in found]).sum() / known.scale

    return loss


@contextmanager
def lists_kept(step: TrainStep, model: nn.Module) -> Iterator[None]:
    """Lists of the model and short ones of the step's file are as before at the end: a step that is stopped does not empty its own.

    So an episode's log-probabilities are collected until the step after it.
    """
    own = getattr(step, "step", step)
    variables = getattr(inspect.unwrap(own), "__globals__", {})
    kept = [
        (each, list(each))
        for names in (variables, *map(vars, model.modules()))
        for each in names.values()
        if type(each) is list and len(each) <= SHORT
    ]
    try:
        yield
    finally:
        for each, before in kept:
            each[:] = before


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """Within, `model.train()` gives the modes that were at the beginning.

    A step that says so each time would otherwise undo the evaluation mode, or the dropout switched off, of a probe.
    """
    modes = [(m, m.training) for m in model.modules()]
    plain = model.train

    def train(mode: bool = True) -> nn.Module:
        if not mode:
            return plain(mode)
        for module, training in modes:
            module.training = training
        return model

    vars(model)["train"] = train  # a wrapper may hand what is set on it to the model within
    try:
        yield
    finally:
        vars(model).pop("train")


def any_gradient(gradient: Tensor) -> bool:
    """Whether a gradient is anything but zeros, in whatever form."""
    return bool((gradient.coalesce().values() if gradient.is_sparse else gradient).any())


def _number(value: object) -> float | None:
    """What a step returned as a number; None where it is none."""
    found = loss_in(value)
    if isinstance(found, Tensor):
        return float(found.detach()) if found.numel() == 1 else None
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None

"""A step or a training loop as users write it, as a train_step: called with what its parameters are named after, and ended after one batch."""

from __future__ import annotations

import dis
import functools
import inspect
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.experiment.by_hand import ByHand
from nndoctor.experiment.cut_batches import CUT, cut_from
from nndoctor.experiment.file_text import LEAVES_TRACES, MAKES_OPTIMIZER, SCRIPT, required, script_of, text_of
from nndoctor.experiment.generators import follow_seed
from nndoctor.experiment.iterations import BEGUN, STEPS, carries_state, counted, numbers
from nndoctor.experiment.model_file import own_arguments, silent
from nndoctor.experiment.names import LOSSES, MODELS, OPTIMIZERS
from nndoctor.experiment.one_batch import Course, NextBatch, OneBatch

ROLES = {
    "model": (*MODELS, "module", "m"),
    "optimizer": OPTIMIZERS,
    "loss": (*LOSSES[1:], "loss"),
    "device": ("device",),
    "engine": ("engine",),
    "epoch": ("epoch",),
    "epochs": ("epochs", "num_epochs", "n_epochs", "max_epochs"),
    "loader": ("train_loader", "trainloader", "train_dataloader", "train_dl", "loader", "dataloader", "data_loader", "train_iter"),
}  # fmt: skip
"""The names of parameters of which it is known what they are."""
ROLE_OF = {name: role for role, names in ROLES.items() for name in names}
LOOPS = ("train", "train_epoch", "train_one_epoch", "train_loop", "training_loop", "train_model", "fit", "main")
SAMPLER = "get_batch"  # a function that draws a batch, where there is no loader
GOES_BACK = re.compile(r"\.backward\(")
Variables = MutableMapping[str, Any]


@dataclass
class OwnCode:
    """A function of the user's as a train_step: `loader` and `optimizer` are the file's, for which those at hand stand while it runs.

    `loop` says that it goes through a loader; a step is given the batch, or its parts. What it prints is dropped. Numbers
    among the file's variables, and the loop's iteration, go on from call to call until `begin`. `idle_epoch` is the number of
    batches of an epoch without a step, where there was one; `fixed` are arguments that a script gives to its step beside the batch.
    """

    function: Callable[..., Any]
    loader: object
    optimizer: object
    loop: bool
    taken: int = 0
    counts: dict[str, float] = field(default_factory=dict)
    idle_epoch: int = 0
    fixed: Mapping[str, object] = field(default_factory=dict)

    def begin(self) -> None:
        """Count from the start again."""
        self.taken, self.counts = 0, {}

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The function, for those who look at its file."""
        return self.function

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "the script" if self.function.__name__ == SCRIPT else f"{self.function.__name__}()"

    @functools.cached_property
    def variables(self) -> Variables:
        """The names of the user's file."""
        found: Variables = getattr(inspect.unwrap(self.function), "__globals__", {})
        return found

    @property
    def path(self) -> str:
        """Its file."""
        return str(self.variables.get("__file__", ""))

    @property
    def parts(self) -> list[str]:
        """The parameters that are given a batch, or its parts."""
        others = (n for n in required(self.function) if n not in ROLE_OF and n not in self.fixed)
        return [n for n in others if not _is_setting(self.variables.get(n))]

    @property
    def makes_parts(self) -> bool:
        """Whether it assigns to the file's model, loader or optimizer."""
        kept = [value for name in self.assigned if (value := self.variables.get(name)) is not None]
        return any(isinstance(value, (nn.Module, torch.optim.Optimizer)) or value is self.loader for value in kept)

    @functools.cached_property
    def assigned(self) -> tuple[str, ...]:
        """The names of its file to which it assigns."""
        code = inspect.unwrap(self.function).__code__
        return tuple(i.argval for i in dis.get_instructions(code) if i.opname == "STORE_GLOBAL")

    @functools.cached_property
    def should_step(self) -> bool:
        """Whether steps of an optimizer stand in its text."""
        return bool(STEPS.search(text_of(self.function)))

    @functools.cached_property
    def carries_state(self) -> bool:
        """Whether its steps belong together, as those on parts of a sequence."""
        return self.loop and carries_state(text_of(self.function, depth=0))

    def __call__(self, model: nn.Module, batch: object, optimizer: torch.optim.Optimizer | None) -> object:
        """Run it on one batch; what a step returns, of a loop the sum of the losses that it went back from, unscaled.

        A loop without a loader is left at the first backward() after steps of all its optimizers. One that adds up
        gradients goes through its batch until it steps.
        """
        course = self._course(optimizer if isinstance(optimizer, ByHand) else None)
        one = OneBatch(self.loader, batch, lambda: self.should_step and not course.stepped)
        stands = self._with_stand_ins(one, optimizer, course)
        found, scale = None, self._scale()
        try:
            with ExitStack() as stack:
                for each in (*stands, course.followed(), silent(), own_arguments(self.path)):
                    stack.enter_context(each)
                with suppress(NextBatch):
                    found = self.function(**self._arguments(model, batch, optimizer, one))
                if one.whole and not course.stepped:
                    self.idle_epoch = len(course.losses)
                if course.stepped:
                    self.taken, self.counts = self.taken + 1, numbers(self.variables, self.assigned)
        except SystemExit as error:
            raise UsageError(f"{self.name} ends the program") from error
        if self.loop and not course.losses and self.taken:  # it has come to its end
            self.begin()
            return self(model, batch, optimizer)
        if not self.loop:
            return found
        return None if course.loss is None else course.loss / scale

    def _scale(self) -> float:
        """What losses are multiplied by before they go back, by a scaler of gradients for half precision; 1 without one."""
        every = (value for holder in (self.variables, *self._others()) for value in holder.values())
        scalers = [value for value in every if isinstance(value, torch.amp.GradScaler) and value.is_enabled()]
        return float(scalers[0].get_scale()) if len(scalers) == 1 else 1.0

    def _course(self, by_hand: ByHand | None) -> Course:
        if not self.loop or self.loader is not None:
            return Course(self.name, math.inf, by_hand)
        optimizers = {id(v) for v in self.variables.values() if isinstance(v, torch.optim.Optimizer)}
        return Course(self.name, max(1, len(optimizers)), by_hand)

    def _with_stand_ins(
        self, one: OneBatch, optimizer: torch.optim.Optimizer | None, course: Course
    ) -> list[AbstractContextManager[None]]:
        """Within these, others stand for the file's loader and optimizer, and for those of the object whose method it is."""
        holders = [self.variables, *self._others()]
        follow_seed([value for holder in holders for value in holder.values()])
        own_data = isinstance(one.batch, tuple) and not one.batch  # nothing is given to code that draws its own
        drawn = callable(self.variables.get(SAMPLER)) and not own_data
        draws = {SAMPLER: lambda *_, **__: one.batch} if drawn else {}
        kept = {name: self.variables[name] for name in self.assigned if name in self.variables} | self.counts
        if CUT in self.variables:
            kept |= cut_from(one.batch)
        if BEGUN in self.variables:
            kept[BEGUN] = lambda given: course.rest(given, self.taken)
        given = [
            self._stand_ins(holder, one, optimizer) | {name: draw for name, draw in draws.items() if name in holder}
            for holder in holders
        ]
        return [replaced(holders[0], kept | given[0]), *map(replaced, holders[1:], given[1:])]

    def _others(self) -> Iterator[Variables]:
        """The names of the object whose method it is, and of the file where a loop has variables of its own."""
        own, module = self.variables.get("self"), sys.modules.get(str(self.variables.get("__name__")))
        if hasattr(own, "__dict__"):
            yield own.__dict__
        if module is not None and vars(module) is not self.variables:
            yield vars(module)

    def _stand_ins(
        self, holder: Variables, one: OneBatch, optimizer: torch.optim.Optimizer | None
    ) -> dict[str, object]:
        """What stands for loader and optimizer, by their names."""
        found: dict[str, object] = {}
        for name, value in holder.items():
            if value is self.optimizer and value is not None:
                found[name] = optimizer
            elif self.loader is None:
                continue
            elif value is self.loader:
                found[name] = one
            elif type(value) is dict and any(each is self.loader for each in value.values()):
                found[name] = {key: one if each is self.loader else each for key, each in value.items()}
        return found

    def _arguments(
        self, model: nn.Module, batch: object, optimizer: torch.optim.Optimizer | None, one: OneBatch
    ) -> dict[str, object]:
        """Arguments by the names of the parameters. Raises UsageError where they are not those of a step on such a batch."""
        roles: dict[str, object] = {"model": model, "optimizer": optimizer, "device": _device(model)}
        roles |= dict([("loss", loss) for name in ROLES["loss"] if callable(loss := self.variables.get(name))][:1])
        roles |= {"epoch": 0, "epochs": 1, "loader": one} if self.loop else {"engine": self._engine()}
        given = inspect.signature(self.function).parameters
        fixed = {name: optimizer if value is self.optimizer else value for name, value in self.fixed.items()}
        found = fixed | {name: roles[role] for name in given if (role := ROLE_OF.get(name, "")) in roles}
        others = [name for name in required(self.function) if name not in found]
        settings = {name: self.variables[name] for name in others if _is_setting(self.variables.get(name))}
        return found | settings | self._parts([name for name in others if name not in settings], batch)

    def _engine(self) -> object:
        """The engine of Ignite in the file that runs the step; None without one."""
        every = [value for value in self.variables.values() if type(value).__module__.startswith("ignite.engine")]
        runs = [(one, getattr(one, "_process_function", None)) for one in every]
        return next((one for one, run in runs if getattr(run, "__name__", "") == self.function.__name__), None)

    def _parts(self, names: list[str], batch: Any) -> dict[str, object]:  # noqa: ANN401
        """The batch as one argument, or its parts as several."""
        if isinstance(batch, Mapping) and names and all(name in batch for name in names):
            return {name: batch[name] for name in names}
        several = list(batch) if isinstance(batch, (tuple, list)) else [batch]
        parts = [batch] if names == ["batch"] or len(names) == 1 < len(several) else several
        if names and len(parts) != len(names):
            kinds = ", ".join(names)
            raise UsageError(
                f"{self.name} takes ({kinds}), and a batch has {len(parts)} parts; expected (model, batch, optimizer)"
            )
        return dict(zip(names, parts, strict=False))


def own_loop(names: Mapping[str, object], loader: object, optimizer: object) -> OwnCode | None:
    """The training loop of a file that goes through this loader, or with one optimizer makes or draws its data; None where it has none."""
    if loader is None and optimizer is None:
        return None
    for function in (*map(names.get, LOOPS), script_of(names)):
        if not inspect.isfunction(function):
            continue
        text = text_of(function)
        code = OwnCode(function if loader is not None else counted(function), loader, optimizer, loop=True)
        if (
            GOES_BACK.search(text)
            and not LEAVES_TRACES.search(text)
            and not MAKES_OPTIMIZER.search(text)  # or it could not be begun again for each batch
            and _is_known(code)
            and not code.makes_parts
        ):
            return code
    return None


def own_step(function: Callable[..., Any], optimizer: object, fixed: Mapping[str, object] | None = None) -> OwnCode:
    """A step that takes other arguments than those of the contract, or none; `fixed` are those that are always the same."""
    return OwnCode(function, None, optimizer, loop=False, fixed=fixed or {})


def goes_back(function: object) -> bool:
    """Whether a function of the user's takes a whole step, with its backward pass."""
    return inspect.isfunction(function) and bool(GOES_BACK.search(text_of(function)))


def _is_known(code: OwnCode) -> bool:
    return all(name in ROLE_OF or _is_setting(code.variables.get(name)) for name in required(code.function))


def _is_setting(value: object) -> bool:
    """Whether a variable may be what a parameter of the same name is given: a device, a loss, a scheduler, but no data."""
    of_tensors = isinstance(value, Mapping) and any(isinstance(each, Tensor) for each in value.values())
    return value is not None and not of_tensors and not isinstance(value, (Tensor, list, tuple))


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


@contextmanager
def replaced(variables: Variables, given: Mapping[str, object]) -> Iterator[None]:
    """Within, some names of a file stand for other things."""
    before = {name: variables[name] for name in given}
    variables.update(given)
    try:
        yield
    finally:
        variables.update(before)

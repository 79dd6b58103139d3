"""The step of a file, or the loop that stands for one, whatever it takes and wherever its data come from."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping

from torch import Tensor, nn
from torch.utils.data import DataLoader

from nndoctor.core.formatting import type_of
from nndoctor.experiment.captured import Captured
from nndoctor.experiment.cut_batches import CUT
from nndoctor.experiment.file_text import data_for
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.own_code import ROLE_OF, OwnCode, goes_back, own_loop, own_step
from nndoctor.experiment.recorded import calls_of, cut_by
from nndoctor.experiment.several_optimizers import optimizers_in, with_first
from nndoctor.experiment.steps import TrainStep
from nndoctor.experiment.taken import gives_data
from nndoctor.experiment.usual_names import as_train_step
from nndoctor.experiment.weights import Weights

STEPS = {"step", "train_step"}
MODEL_AND_BATCH = 2  # arguments
CALLS = 32  # of a step that is given no data, as an epoch


def train_step_in(path: str, parts: dict[str, object]) -> tuple[TrainStep | None, object]:
    """The train_step as the contract has it, and its optimizer: of several, which it is given all, the first.

    A `step` that goes back by itself is one, too; a `loss` that takes model and batch is a `step`.
    """
    if not STEPS & parts.keys() and _takes_model(parts.get("loss")):
        parts["step"] = parts.pop("loss")
    if "train_step" not in parts and goes_back(parts.get("step")):
        parts["train_step"] = parts.pop("step")
    given, optimizer = a_function(path, "train_step", parts.get("train_step")), parts.get("optimizer")
    if given is None:
        return None, optimizer
    several = optimizers_in(optimizer)
    first = several[0] if several else optimizer
    found = as_train_step(given, first)
    return with_first(found, optimizer) if several and found is given else found, first


def _takes_model(loss: object) -> bool:
    names = list(inspect.signature(loss).parameters) if inspect.isfunction(loss) else []
    return len(names) == MODEL_AND_BATCH and ROLE_OF.get(names[0]) == "model"


def loop_in(
    names: Mapping[str, object], parts: dict[str, object], script: Captured | None, *, drawn: bool
) -> OwnCode | None:
    """The file's training loop where it has no step, or one that it alone has data for; adds batches of nothing for what makes its own data."""
    given = parts.get("train_data") if gives_data(parts.get("train_data")) else None
    loop = _of_script(script, parts, given, drawn=drawn)
    if loop is None and given is None and (draw := _drawn(parts.get("train_step"))) is not None:
        parts["train_data"] = draw
        return None
    if loop is None and (not STEPS & parts.keys() or (given is None and "train_step" in parts)):
        loop = own_loop(names, None if drawn else given, parts["optimizer"])
    if loop is not None and not gives_data(parts.get("train_data")):
        parts["train_data"] = [()] * CALLS
    return loop


def needs_loop(model: nn.Module, parts: Mapping[str, object]) -> bool:
    """Whether only the loop of a file gives a loss: there is no other, or weights without a module have no outputs to take it of."""
    return "loss" not in parts or (isinstance(model, Weights) and model.function is None)


def _of_script(script: Captured | None, parts: dict[str, object], data: object, *, drawn: bool) -> OwnCode | None:
    """The step or the loop with which a script trains, and what it goes through as train_data."""
    if script is None or script.loop is None:
        return None
    step = _script_step(script, parts) if data is None and not drawn else None
    if step is not None:
        parts["train_data"] = functools.partial(calls_of, script.loop, step)
        return step
    cuts = CUT in getattr(script.loop, "__globals__", {}) and not isinstance(data, DataLoader)
    if script.loader is None and data is not None and not drawn and "loss" in parts and not cuts:
        return None  # it is not known to go through the data
    loop = OwnCode(script.loop, script.loader, parts["optimizer"], loop=True)
    if script.loader is not None:
        parts["train_data"] = script.loader
    elif not drawn:
        parts["train_data"] = functools.partial(cut_by, loop) if CUT in loop.variables else None
    return loop


def _script_step(script: Captured, parts: Mapping[str, object]) -> OwnCode | None:
    """The function with which the script takes its steps, unless the file names another one."""
    own = parts.get("train_step")
    if (
        script.step is None
        or script.loader is not None
        or (own is not None and getattr(own, "__wrapped__", own) is not script.step)
    ):
        return None
    step = own_step(script.step, parts["optimizer"], script.fixed)
    return step if step.parts else None


def _drawn(step: object) -> Callable[[], object] | None:
    """The batches that the file draws for its step, or an epoch of nothing for one that takes nothing."""
    return data_for(step, CALLS, ROLE_OF) if inspect.isfunction(step) else None


def a_function(path: str, name: str, value: object) -> Callable[..., Tensor] | None:
    """A part of the file that is called, or None. Raises ModelFileError for a class, and for what cannot be called."""
    if value is None:
        return None
    if inspect.isclass(value):
        raise ModelFileError(f"{path}: {name} is a class; make one of it: `{name} = {value.__name__}()`")
    if not callable(value):
        raise ModelFileError(f"{path}: {name} is {type_of(value)}; expected a function of output and target")
    return value

"""What a file may do while it is loaded: train a teacher or warm an optimizer up, but not the model that it is about."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from nndoctor.experiment.backward import backward_replaced
from nndoctor.experiment.by_hand import is_by_hand
from nndoctor.experiment.file_text import MAKES_OPTIMIZER, assigned_in, frames_of, text_with, tree_of
from nndoctor.experiment.fits import Fit, fits_replaced
from nndoctor.experiment.names import MODELS
from nndoctor.experiment.stages import SECONDS

STEPS = 3  # of an optimizer: a warm-up of its state; more is a training
MOST = 0.8  # of a model's trainable parameters: an optimizer that holds them trains that model


class Trains(BaseException):
    """Raised inside a file that trains while it is loaded; no `except Exception` of it holds it up.

    `parts` is what it hands to a framework that trains, with its other variables.
    """

    def __init__(self, parts: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self.parts = parts


@contextmanager
def no_training(module: ModuleType) -> Iterator[None]:
    """Within, and at its end, raise Trains where the module trains its model, or trains anything for long.

    A first stage is no such training: its optimizer is none of the module's, and another one is, for what comes after it.
    A script whose models have other names, or are made in a function, trains them with its last optimizer.
    """
    steps, began = 0, time.perf_counter()
    seen: list[Optimizer] = []

    def count(optimizer: Optimizer, *_: object) -> None:
        nonlocal steps
        steps += 1
        if optimizer not in seen:
            seen.append(optimizer)
        late = time.perf_counter() - began > SECONDS
        if steps > STEPS and (late or (_held(module, seen) and _is_of_model(module, seen)) or _is_last(module)):
            raise Trains

    def fit(call: Fit) -> object:
        if _has_other(module, call):
            return call.go()
        raise Trains({**vars(module), **call.parts()})

    handle = register_optimizer_step_post_hook(count)
    try:
        with fits_replaced(fit), _no_steps_by_hand(str(module.__file__)):
            yield
    finally:
        handle.remove()
    if steps > STEPS and _is_of_model(module, seen):  # a function that returned the model trained it
        later = [each for each in vars(module).values() if isinstance(each, Optimizer)]
        if _held(module, seen) or not later:
            raise Trains


@contextmanager
def _no_steps_by_hand(path: str) -> Iterator[None]:
    """Within, raise Trains where a loop of a file changes its weights itself."""
    passes = 0

    def go_back(_: Tensor, go: Callable[[], object]) -> None:
        nonlocal passes
        passes += 1
        if passes > STEPS and is_by_hand(frames_of(path)):
            raise Trains
        go()

    with backward_replaced(go_back):
        yield


def _held(module: ModuleType, optimizers: list[Optimizer]) -> bool:
    """Whether one of the optimizers is a variable of the module."""
    return any(value is each for value in vars(module).values() for each in optimizers)


def _is_last(module: ModuleType) -> bool:
    """Whether a module that names no model makes no other optimizer after the statement that runs, nor in what is called there."""
    if assigned_in(tree_of(str(module.__file__))) & set(MODELS):
        return False
    return not any(MAKES_OPTIMIZER.search(text_with(each, vars(module))) for each in _later(module))


def _later(module: ModuleType) -> list[ast.stmt]:
    """The statements of a module after the one that runs."""
    path = str(module.__file__)
    line = next((frame.f_lineno for frame in reversed(frames_of(path))), 0)
    return [each for each in tree_of(path).body if each.lineno > line]


def _has_other(module: ModuleType, call: Fit) -> bool:
    """Whether a module calls the same method of something else, which is not there yet, after the statement that runs: then this is a first stage.

    Fits without a number of epochs are those of scikit-learn.
    """
    for each in (node for statement in _later(module) for node in ast.walk(statement) if isinstance(node, ast.Call)):
        owner = each.func.value if isinstance(each.func, ast.Attribute) and each.func.attr == call.method else None
        new = isinstance(owner, ast.Name) and owner.id not in vars(module)
        if new and (call.method != "fit" or "epochs" in ast.unparse(each)):
            return True
    return False


def _is_of_model(module: ModuleType, optimizers: list[Optimizer]) -> bool:
    """Whether the optimizers hold most of the parameters of the file's model that are to be trained; a frozen backbone is none of them."""
    model = next((found for name in MODELS if isinstance(found := vars(module).get(name), nn.Module)), None)
    if model is None:
        return False
    held = {id(p) for each in optimizers for group in each.param_groups for p in group["params"]}
    own = [id(p) in held for p in model.parameters() if p.requires_grad]
    return bool(own) and sum(own) >= MOST * len(own)

"""Scripts that make everything while they run: they run up to their first backward pass, and their variables are taken there."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from nndoctor.experiment.backward import Reached, backward_replaced
from nndoctor.experiment.by_hand import ByHand, HandWatch
from nndoctor.experiment.by_type import loader_beside
from nndoctor.experiment.closures import LOOPS, around, opened
from nndoctor.experiment.cut_batches import CUTS, cuts
from nndoctor.experiment.data import Batches
from nndoctor.experiment.evaluations import Parts, evaluations, held_out_of
from nndoctor.experiment.file_text import (
    LEAVES_TRACES,
    as_function,
    frames_of,
    required,
    script_of,
    text_of,
    variables_of,
)
from nndoctor.experiment.fits import Fit, fits_replaced
from nndoctor.experiment.iterations import FROM_START, goes_on
from nndoctor.experiment.leftovers import forget_graphs
from nndoctor.experiment.lengths import planned_steps
from nndoctor.experiment.loss_call import loss_called
from nndoctor.experiment.model_file import own_arguments, silent
from nndoctor.experiment.modes import Places, training_calls, wrong_mode
from nndoctor.experiment.names import LOSSES
from nndoctor.experiment.own_code import own_step
from nndoctor.experiment.recorded import CALLS
from nndoctor.experiment.schedule_steps import scheduled_rates
from nndoctor.experiment.stages import SECONDS, is_first_stage
from nndoctor.experiment.weights import leaves_of, weights_in

MAIN = ("main", "train", "run")
FIXED = (nn.Module, torch.optim.Optimizer)
DEPTH = 4  # of the calls of functions whose text is looked at


@dataclass(frozen=True, slots=True)
class Captured:
    """The variables of a script where it begins to train, and its loop as a function of them, with the loader that it goes through.

    `reached` is what its first loss goes back to; empty where a framework trains. `step` is the function that takes the step on a batch that it is given,
    `fixed` the arguments beside it, as models and optimizers. `evaluations` are the batches of each statement after the
    loop that calls the model, `planned` the number of steps that its loops count,
    `wrong_mode` a line that evaluates in training mode, or after which it trains in evaluation mode,
    `rates` those of the planned steps where a line around the loop advances a schedule.
    """

    names: Mapping[str, object]
    loop: FunctionType | None = None
    loader: object = None
    reached: tuple[Tensor, ...] = ()
    step: FunctionType | None = None
    fixed: Mapping[str, object] = field(default_factory=dict)
    evaluations: list[list[Parts]] = field(default_factory=list)
    planned: int | None = None
    wrong_mode: tuple[str, int] | None = None
    rates: tuple[float, ...] = ()

    def trains(self, model: nn.Module) -> bool:
        """Whether the script trains this model first, and not another one, as a teacher."""
        if not self.reached:
            return True  # a loss without a graph trains nothing, which is told later
        return any(p is one for p in model.parameters() if p.requires_grad for one in self.reached)

    def held_out(self, train: Batches) -> object:
        """What the script evaluates, beside what it trains on; None where it is not known."""
        if self.evaluations:
            return held_out_of(self.evaluations, train, CALLS)
        return None if self.loop is None else loader_beside(self.names, self.loader, text_of(self.loop))


def captured(path: str, names: Mapping[str, Any]) -> Captured | None:
    """Run the script of a file, or its main function, up to its first backward pass; None where it comes to none, or would leave traces elsewhere."""
    run = script_of(names) or next((f for name in MAIN if isinstance(f := names.get(name), FunctionType)), None)
    return None if run is None or LEAVES_TRACES.search(text_of(run, depth=DEPTH)) else reached(path, run)


def reached(path: str, run: Callable[[], object]) -> Captured | None:
    """What a function of a file comes to; None where it ends, or fails, before it trains. A first stage, as pretraining, is run.

    A script without an optimizer runs up to its second pass, which shows what it does to its weights itself.
    """
    found, hand = list[Captured](), HandWatch()
    began = time.perf_counter()

    def stop(loss: Tensor, go: Callable[[], object]) -> None:
        frames = frames_of(path)
        if time.perf_counter() - began < SECONDS and is_first_stage(frames):
            go()
        elif not hand.begins(frames, loss, go):
            found.append(_at(frames, loss, calls, hand.optimizer(frames, loss)))
            raise Reached

    def fit(call: Fit) -> None:
        found.append(Captured(call.parts()))
        raise Reached

    with (
        suppress(Reached, Exception, SystemExit),  # a script that does not run is refused for what it lacks
        own_arguments(path),
        silent(),
        training_calls(path) as calls,
        backward_replaced(stop),
        fits_replaced(fit),
    ):
        run()
    if found:
        forget_graphs(found[0].names.values())
    return found[0] if found else None


def _at(frames: list[FrameType], loss: Tensor, calls: Places, by_hand: ByHand | None) -> Captured:
    """What a script has made where it goes back from its first loss, and the loop in which its frames are."""
    names, leaves = _names(frames), tuple(leaves_of(loss))
    if by_hand is not None:
        names["optimizer"] = by_hand
    found = _loop(frames)
    if found is None:
        names = opened(names)
        return Captured({**_called(frames[0], names), **names} if frames else names, reached=leaves)
    node, frame, loader = found
    variables = opened({**names, **variables_of(frame), **FROM_START})
    names |= {name: variables[name] for name, value in names.items() if isinstance(value, FunctionType)}
    outer = frames[frames.index(frame) :]
    planned = planned_steps(node, frames, loader)
    rates = scheduled_rates(node, outer, loader, planned)
    if not any(callable(names.get(name)) for name in LOSSES) and (own := loss_called(node, variables, loss)):
        names["loss"] = own
    if (own_weights := weights_in(node, names, leaves)) is not None:
        made = dict.fromkeys(("model", own_weights[1] or "model"), own_weights[0])
        names, variables = {**names, **made}, {**variables, **made}
    seen = list[list[Parts]]()
    if loader is None:
        if cuts(node, variables):
            variables |= CUTS
            seen = evaluations(node, outer)
        if "epoch" not in ast.unparse(node).partition(":")[0]:
            goes_on(node)
    loop = as_function([node], frame.f_code.co_filename, variables)
    return Captured(
        names,
        loop,
        loader,
        leaves,
        *_step_in(frames[: frames.index(frame)], names),
        seen,
        planned,
        wrong_mode(node, frames, frame, calls),
        rates,
    )


def _loop(frames: list[FrameType]) -> tuple[ast.For | ast.While, FrameType, DataLoader[object] | None] | None:
    """The innermost loop that goes through a loader; else the innermost in which an optimizer steps, or any; None where a framework calls a step of the file."""
    loops = [(node, frame) for frame in frames for node in around(frame, LOOPS)]
    through = ((node, frame, found) for node, frame in loops for found in _loaders(node, variables_of(frame)))
    stepping = sorted(loops, key=lambda loop: ".step(" not in ast.unparse(loop[0]))
    return next(through, (*stepping[0], None) if stepping else None)


def _names(frames: list[FrameType]) -> dict[str, object]:
    """The variables of all frames of a file, those of the outermost function first; then of objects that run, and of the file."""
    names: dict[str, object] = {}
    for frame in reversed(frames):
        if frame.f_code.co_name != "<module>":
            names = {**frame.f_locals, **names}
    for frame in frames:
        own = frame.f_locals.get("self")
        if own is not None and not isinstance(own, nn.Module):
            hidden = {f"self_{n}": v for n, v in vars(own).items() if n in names and isinstance(v, FIXED)}
            names = {**hidden, **vars(own), **names}
    return {**frames[0].f_globals, **names} if frames else names


def _called(frame: FrameType, names: Mapping[str, object]) -> dict[str, object]:
    """The step of a file that a framework calls with a batch: its innermost function."""
    step = _function_of(frame, names)
    return {} if step is None or not own_step(step, None).parts else {"train_step": step}


def _step_in(frames: list[FrameType], names: Mapping[str, object]) -> tuple[FunctionType | None, Mapping[str, object]]:
    """The function that a loop calls with tensors, the outermost one of these frames, and its other arguments."""
    for frame in reversed(frames):
        found = _function_of(frame, names)
        taken = {} if found is None else {name: frame.f_locals.get(name) for name in required(found)}
        if any(isinstance(value, Tensor) for value in taken.values()):
            return found, {name: value for name, value in taken.items() if isinstance(value, FIXED)}
    return None, {}


def _function_of(frame: FrameType, names: Mapping[str, object]) -> FunctionType | None:
    place = frame.f_code.co_filename, frame.f_code.co_name, frame.f_code.co_firstlineno
    functions = [f for f in names.values() if isinstance(f, FunctionType)]
    codes = [(f, f.__code__) for f in functions]
    return next((f for f, c in codes if (c.co_filename, c.co_name, c.co_firstlineno) == place), None)


def _loaders(node: ast.For | ast.While, env: Mapping[str, Any]) -> Iterator[DataLoader[object]]:
    """The loaders that a loop goes through, or a loop or a comprehension within it."""
    inner = [n for n in ast.walk(node) if isinstance(n, (ast.For, ast.comprehension))]
    for one in (part for each in inner for part in ast.walk(each.iter)):
        if isinstance(one, (ast.Name, ast.Attribute, ast.Subscript)):
            try:
                value = eval(compile(ast.Expression(one), "<loop>", "eval"), dict(env))  # noqa: S307 - a variable of the user's own file
            except Exception:  # noqa: BLE001, S112 - a part of an expression need not have a value
                continue
            if isinstance(value, DataLoader):
                yield value

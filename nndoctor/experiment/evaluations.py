"""Held-out batches of a script that evaluates its model in its own code: what comes after its training loop runs once, and what the model is given is noted."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeGuard, TypeVar

import torch
from torch import Tensor, nn

from nndoctor.experiment.backward import Reached
from nndoctor.experiment.by_type import models_in
from nndoctor.experiment.closures import around, later, opened
from nndoctor.experiment.cut_batches import parts_at
from nndoctor.experiment.data import Batch, as_bytes
from nndoctor.experiment.file_text import as_function, frames_of, text_with, variables_of
from nndoctor.experiment.state import unchanged

CALLS = 64
ACTS = re.compile(r"save|write|dump|open\(|to_csv|mkdir|unlink|remove|rmtree|show\(|\.fit\(|\.backward\(")
"""What writes, shows or trains."""
Parts = tuple[Tensor, ...]
T = TypeVar("T")


def evaluations(loop: ast.For | ast.While, frames: Sequence[FrameType]) -> list[list[Parts]]:
    """What each statement after a training loop gives to the model, with the targets; `frames` from that of the loop outwards.

    Statements that write, show or train are left out.
    """
    return [batches for batches in map(_noted, statements_after(loop, frames)) if batches]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a file, with the variables that it has."""

    node: ast.stmt
    path: str
    variables: dict[str, Any]


def statements_after(loop: ast.For | ast.While, frames: Sequence[FrameType]) -> Iterator[Statement]:
    """The statements after a loop that call a model and neither write nor train; `frames` from that of the loop outwards."""
    for frame in frames:
        variables = opened(variables_of(frame))
        models = models_in(variables)
        for node in later(frame, loops=True):
            own = frame is frames[0] and node.lineno <= (loop.end_lineno or 0)
            text = "" if own else text_with(node, variables)
            if any(name in text for name in models) and not ACTS.search(text):
                yield Statement(node, frame.f_code.co_filename, variables)


def held_out_of(groups: Iterable[list[Parts]], training: Iterable[Batch], most: int) -> list[Parts] | None:
    """The first of the evaluations whose examples are not those of the training, of which at most so many batches are known; None without one."""
    known, form, number = set[bytes](), None, 0
    for batch in training:
        if not _is_parts(batch):
            return None
        known.update(as_bytes(batch[0]))
        form, number = form or _form(batch), number + 1
    for group in groups:
        shared = [sum(one in known for one in as_bytes(batch[0])) / len(batch[0]) for batch in group]
        rest = [batch for batch, share in zip(group, shared, strict=True) if share < 1 and _form(batch) == form]
        if rest and (number < most or not any(shared)):
            return rest
    return None


def _noted(statement: Statement) -> list[Parts]:
    """What the models among its variables are given while a statement runs."""
    calls: list[list[Parts]] = []

    def note(_: nn.Module) -> None:
        calls.append(list(_given(frames_of(statement.path), statement.node)))
        if len(calls) >= CALLS:
            raise Reached

    run_noting(statement, note, lambda: None)
    return [parts for call in calls for parts in call]


def run_noting(statement: Statement, note: Callable[[nn.Module], None], end: Callable[[], T]) -> T | None:
    """Run a statement, and note each call of a model among its variables; what `end` gives where it comes to its end. Models stay as they are."""
    models = list(models_in(statement.variables).values())

    def called(model: nn.Module, _: object) -> None:
        if any(model is one for one in models):
            note(model)

    with suppress(Exception, Reached, SystemExit), ExitStack() as stack:
        stack.callback(nn.modules.module.register_module_forward_pre_hook(called).remove)
        for model in models:
            stack.enter_context(unchanged(model))
        stack.enter_context(torch.no_grad())
        as_function([statement.node], statement.path, {**_unknown(statement), **statement.variables})()
        return end()
    return None


def _unknown(statement: Statement) -> dict[str, float]:
    """Zeros for what a statement reads and the loop has not made yet, as the mean loss that it prints beside an accuracy."""
    read = {n.id for n in ast.walk(statement.node) if isinstance(n, ast.Name)}
    return dict.fromkeys(read - statement.variables.keys() - vars(builtins).keys(), 0.0)


def _given(frames: list[FrameType], statement: ast.stmt) -> Iterator[Parts]:
    """The parts of the batch for which a model is called in the innermost of these frames, where they are known; it runs within a `statement`."""
    if not frames:
        return
    inner = next(iter(around(frames[0], (ast.For, ast.While, ast.FunctionDef))), None)
    block = _alone(statement) if inner is None or _holds(inner, statement) else inner
    parts = parts_at(block, variables_of(frames[0]))
    if parts:
        yield parts


def _holds(block: ast.stmt, statement: ast.stmt) -> bool:
    """Whether a statement stands within a block of the same file."""
    return block.lineno < statement.lineno <= (block.end_lineno or 0)


def _alone(statement: ast.stmt) -> ast.FunctionDef:
    """A statement as the only one of a function."""
    empty = ast.arguments([], [], None, [], [], None, [])
    return ast.copy_location(ast.FunctionDef("alone", empty, [statement], []), statement)


def _is_parts(batch: object) -> TypeGuard[Sequence[Tensor]]:
    return isinstance(batch, (tuple, list)) and bool(batch) and all(isinstance(part, Tensor) for part in batch)


def _form(batch: Sequence[Tensor]) -> list[tuple[int, torch.dtype]]:
    return [(part.dim(), part.dtype) for part in batch]

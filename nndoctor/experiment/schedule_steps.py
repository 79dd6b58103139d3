"""How often a script advances its schedule, and the learning rates that its training has by that."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import FrameType
from typing import Any

from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from nndoctor.experiment.closures import LOOPS, around
from nndoctor.experiment.cut_batches import value_of
from nndoctor.experiment.file_text import variables_of
from nndoctor.experiment.lengths import batches_of
from nndoctor.experiment.rates import MOST_STEPS, rates_ahead


@dataclass(frozen=True, slots=True)
class _Advance:
    """A line that advances a schedule, after every so many batches."""

    scheduler: LRScheduler
    every: int


def scheduled_rates(
    loop: ast.For | ast.While, frames: Sequence[FrameType], loader: object, planned: int | None
) -> tuple[float, ...]:
    """The learning rate of each of the planned steps of a training loop in the first of these frames, as its only schedule has it.

    Empty where no line around the loop advances one, or several do, or it is not known how often.
    """
    found = [one for frame in frames for one in _advances(loop, frame, loader)]
    if len(found) != 1 or not planned:
        return ()
    [one] = found
    steps = min(planned, MOST_STEPS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a schedule that is advanced before its optimizer steps
            rates = rates_ahead(one.scheduler, steps // one.every)
    except (ValueError, IndexError, ZeroDivisionError):  # a schedule past its end, or one of the user's own making
        return ()
    return tuple(rate for rate in rates for _ in range(one.every))[:steps]


def _advances(loop: ast.For | ast.While, frame: FrameType, loader: object) -> Iterator[_Advance]:
    """The lines in the loops around a frame that advance a schedule."""
    variables, loops = variables_of(frame), around(frame, LOOPS)
    own = {node.lineno for node in loops}
    for call, above in _calls(loops[-1], []) if loops else ():
        scheduler = value_of(call.func.value, variables) if isinstance(call.func, ast.Attribute) else None
        lines = [node.lineno for node in above if isinstance(node, LOOPS)]
        if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau) or not own >= set(lines):
            continue
        every = (1 if loop.lineno in lines else batches_of(loop, frame, loader) or 0) * _interval(above, variables)
        if every > 0:
            yield _Advance(scheduler, every)


def _calls(node: ast.AST, above: list[ast.AST]) -> Iterator[tuple[ast.Call, list[ast.AST]]]:
    """The calls of a method `step` within, each with what it stands in."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "step":
            yield each, [*above, node]
        yield from _calls(each, [*above, node])


def _interval(above: Sequence[ast.AST], variables: Mapping[str, Any]) -> int:
    """Every how many times of a loop the innermost block runs that asks for a remainder, as `if step % 100 == 0` does; 0 for one that does not run."""
    every = 1
    for node, inner in pairwise(above):
        if isinstance(node, ast.If):
            every *= _times(node, inner, variables)
    return every


def _times(node: ast.If, inner: ast.AST, variables: Mapping[str, Any]) -> int:
    left = node.test.left if isinstance(node.test, ast.Compare) else None
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mod):
        given = value_of(left.right, variables)
        return given if isinstance(given, int) else 0
    met = value_of(node.test, variables)
    return 1 if met is None or bool(met) is (inner in node.body) else 0

"""The modes in which a script evaluates its model, and in which it trains after that."""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from unittest import mock

from torch import nn

from nndoctor.experiment.backward import Reached
from nndoctor.experiment.by_type import models_in
from nndoctor.experiment.closures import LOOPS, around, later
from nndoctor.experiment.evaluations import CALLS, Statement, run_noting, statements_after
from nndoctor.experiment.file_text import text_with, variables_of
from nndoctor.experiment.state import differs_in_training

EVALUATES = re.compile(r"eval|valid|test|acc|score|metric|correct|\bval(_|\b)|_val\b", re.IGNORECASE)
LEAVES_TRAINING = re.compile(r"[\w.]+\.(eval\(\)|train\(False\))")  # a whole statement
TRAINING = re.compile(r"\.train\(|\.training\b")
DEPTH = 12  # frames between a line of a file and a module that it puts into training mode
SECONDS = 2.0  # that an evaluation may take
Places = set[tuple[CodeType, int]]


@contextmanager
def training_calls(path: str) -> Iterator[Places]:
    """Within, the lines of a file are noted that put a module into training mode."""
    found: Places = set()
    plain, files = nn.Module.train, {path, str(Path(path).resolve())}

    def train(self: nn.Module, mode: bool = True) -> nn.Module:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - no public name gives the frame of a caller
        for _ in range(DEPTH):  # a model's own method may stand between, and the modules around a part
            if frame is None or frame.f_code.co_filename in files:
                break
            frame = frame.f_back
        if mode and frame is not None and frame.f_code.co_filename in files:
            found.add((frame.f_code, frame.f_lineno))
        return plain(self, mode)

    with mock.patch.object(nn.Module, "train", train):
        yield found


def wrong_mode(
    loop: ast.For | ast.While, frames: list[FrameType], frame: FrameType, calls: Places
) -> tuple[str, int] | None:
    """The first statement that evaluates a model in training mode, or after which a script trains in evaluation mode: which of both, and its line.

    `frame` is that of the loop, `calls` are the lines that put a module into training mode.
    """
    outer = frames[frames.index(frame) :]
    for statement in statements_after(loop, outer):
        text = ast.unparse(statement.node)
        if not EVALUATES.search(text) or "train" in text.lower():
            continue
        before, after = _modes(statement)
        if before and ".eval()" not in _others(outer, statement.node):
            return "evaluated in training mode", statement.node.lineno
        alone = LEAVES_TRAINING.fullmatch(text) and _differs(statement)
        left = (alone or (before is False and after is False)) and _goes_on(statement.node, frames, calls)
        if left and not TRAINING.search(_others(outer, statement.node)):
            return "trained in evaluation mode", statement.node.lineno
    return None


def _differs(statement: Statement) -> bool:
    """Whether a model among its variables has layers that differ in training."""
    return any(
        differs_in_training(part) for model in models_in(statement.variables).values() for part in model.modules()
    )


def _others(frames: Sequence[FrameType], statement: ast.stmt) -> str:
    """The text of what else comes after a loop, and of what it calls: a line of its own may change the mode."""
    rest = ((node, variables_of(frame)) for frame in frames for node in later(frame, loops=True))
    place = statement.lineno, statement.col_offset
    return "\n".join(text_with(n, variables) for n, variables in rest if (n.lineno, n.col_offset) != place)


def _modes(statement: Statement) -> tuple[bool | None, bool | None]:
    """Whether layers that differ in training are in that mode where a statement calls a model first, and after it; None where that is not known."""
    seen: list[bool] = []
    models: list[nn.Module] = []
    began = time.perf_counter()

    def note(model: nn.Module) -> None:
        seen.append(any(part.training and differs_in_training(part) for part in model.modules()))
        models.append(model)
        late = len(seen) >= CALLS or time.perf_counter() - began > SECONDS
        if seen[0] or late or not any(map(differs_in_training, model.modules())):
            raise Reached

    after: Any = run_noting(statement, note, lambda: models[0].training if models else None)
    return (seen[0] if seen else None), after


def _goes_on(statement: ast.stmt, frames: Sequence[FrameType], calls: Places) -> bool:
    """Whether the loop around a statement trains on without a line that puts a module into training mode."""
    for k, frame in enumerate(frames):
        for loop in around(frame, LOOPS):
            if not loop.lineno <= statement.lineno <= (loop.end_lineno or 0):
                continue
            inner = {one.f_code for one in frames[:k]}
            lines = range(loop.lineno, (loop.end_lineno or 0) + 1)
            return not any(code in inner or (code is frame.f_code and line in lines) for code, line in calls)
    return False

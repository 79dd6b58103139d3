"""Scripts that train in stages: whether another training, of another function, comes after the one that runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import FrameType, FunctionType
from typing import Any

from nndoctor.experiment.closures import definition_at
from nndoctor.experiment.file_text import text_of, tree_of

SECONDS = 20.0  # that the training of another model than the file's own may take
TRAINS = re.compile(r"\.backward\(.*\.step\(|\.fit\(.*epochs|trainer\w*\.(fit|train)\(", re.DOTALL)
EVALUATES = re.compile(
    r"eval|probe|test|valid|attack", re.IGNORECASE
)  # in the name of what may train, but no model of its own
COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>")  # which have frames of their own
DEPTH = 2  # of the calls of functions whose text is looked at


def is_first_stage(frames: list[FrameType]) -> bool:
    """Whether a training that runs in these frames of a file, the innermost first, comes before another one."""
    frames = [frame for frame in frames if frame.f_code.co_name not in COMPREHENSIONS]
    for inner, frame in pairwise(frames):
        running = inner.f_code.co_name
        variables = {**frame.f_globals, **frame.f_locals}
        for statement in _later(frame):
            called = {ast.unparse(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
            itself = ".backward(" in ast.unparse(statement)
            evaluates = not itself and any(map(EVALUATES.search, called))
            if running not in called and not evaluates and TRAINS.search(_text(statement, called, variables)):
                return True
    return False


def _text(statement: ast.stmt, called: set[str], variables: Mapping[str, Any]) -> str:
    functions = (variables.get(name) for name in sorted(called))
    inner = (text_of(one, depth=DEPTH) for one in functions if isinstance(one, FunctionType))
    return "\n".join([ast.unparse(statement), *inner])


def _later(frame: FrameType) -> Iterator[ast.stmt]:
    """The statements that come after the one that runs in a frame; none of a loop that it is in."""
    own = definition_at(frame.f_code)
    block = tree_of(frame.f_code.co_filename).body if own is None else own.body
    while block:
        now = next((k for k, n in enumerate(block) if n.lineno <= frame.f_lineno <= (n.end_lineno or 0)), len(block))
        yield from block[now + 1 :]
        inner = block[now] if now < len(block) else None
        block = inner.body if isinstance(inner, (ast.If, ast.With, ast.Try)) else []

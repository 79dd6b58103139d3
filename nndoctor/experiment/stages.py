"""Scripts that train in stages: whether another training, of another function, comes after the one that runs."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from types import FrameType

from nndoctor.experiment.closures import around, later
from nndoctor.experiment.file_text import called_in, text_with, variables_of

SECONDS = 20.0  # that the training of another model than the file's own may take
BY_FRAMEWORK = r"\.fit\(.*epochs|trainer\w*\.(fit|train)\("
TRAINS = re.compile(rf"\.backward\(.*\.step\(|{BY_FRAMEWORK}", re.DOTALL)
EVALUATES = re.compile(
    r"eval|probe|test|valid|attack", re.IGNORECASE
)  # in the name of what may train, but no model of its own
RATE_TEST = re.compile(
    r"lr_?find|find_?(lr|rate)|(lr|rate)_?(range_?)?test|range_?test|rate_?find|\bfinder", re.IGNORECASE
)
COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>")  # which have frames of their own


def is_first_stage(frames: list[FrameType]) -> bool:
    """Whether a training that runs in these frames of a file, the innermost first, comes before another one."""
    frames = [frame for frame in frames if frame.f_code.co_name not in COMPREHENSIONS]
    if frames and any(re.search(BY_FRAMEWORK, ast.unparse(statement)) for statement in later(frames[0])):
        return True  # a loop of its own comes before the training by a framework
    for inner, frame in pairwise(frames):
        running = inner.f_code.co_name
        variables = variables_of(frame)
        if _is_rate_test(frame):
            return True
        for statement in later(frame):
            called = called_in(statement)
            itself = ".backward(" in ast.unparse(statement)
            evaluates = not itself and any(map(EVALUATES.search, called))
            if running not in called and not evaluates and TRAINS.search(text_with(statement, variables)):
                return True
    return False


def _is_rate_test(frame: FrameType) -> bool:
    """Whether what runs here looks for a learning rate, and the training comes after it, also by the same method."""
    now: ast.stmt = around(frame, (ast.stmt,))[0]
    if isinstance(now, (ast.FunctionDef, ast.For, ast.While)) or not RATE_TEST.search(ast.unparse(now)):
        return False
    variables, same = variables_of(frame), called_in(now)
    rest = list(later(frame))
    return any(same & called_in(one) or TRAINS.search(text_with(one, variables)) for one in rest)

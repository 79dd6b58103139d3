"""Scripts that train in stages: whether another training, of another function, comes after the one that runs."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from types import FrameType

from nndoctor.experiment.closures import later
from nndoctor.experiment.file_text import text_with, variables_of

SECONDS = 20.0  # that the training of another model than the file's own may take
TRAINS = re.compile(r"\.backward\(.*\.step\(|\.fit\(.*epochs|trainer\w*\.(fit|train)\(", re.DOTALL)
EVALUATES = re.compile(
    r"eval|probe|test|valid|attack", re.IGNORECASE
)  # in the name of what may train, but no model of its own
COMPREHENSIONS = ("<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>")  # which have frames of their own


def is_first_stage(frames: list[FrameType]) -> bool:
    """Whether a training that runs in these frames of a file, the innermost first, comes before another one."""
    frames = [frame for frame in frames if frame.f_code.co_name not in COMPREHENSIONS]
    for inner, frame in pairwise(frames):
        running = inner.f_code.co_name
        variables = variables_of(frame)
        for statement in later(frame):
            called = {ast.unparse(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}
            itself = ".backward(" in ast.unparse(statement)
            evaluates = not itself and any(map(EVALUATES.search, called))
            if running not in called and not evaluates and TRAINS.search(text_with(statement, variables)):
                return True
    return False

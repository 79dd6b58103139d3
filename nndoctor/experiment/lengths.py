"""How long a script trains: the steps that its loops count."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sized
from types import FrameType

from nndoctor.experiment.closures import LOOPS, around
from nndoctor.experiment.cut_batches import value_of
from nndoctor.experiment.file_text import variables_of

EPOCHS = ("epochs", "EPOCHS", "num_epochs", "NUM_EPOCHS", "n_epochs", "N_EPOCHS", "max_epochs", "MAX_EPOCHS")
EPOCH = re.compile(r"ep\b|epoch|\be\b")  # how the name of what counts them begins


def named_epochs(names: Mapping[str, object]) -> int | None:
    """The number of epochs that a file names, under one of the usual names."""
    given = next((names[name] for name in EPOCHS if name in names), None)
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 1 else None


def planned_steps(loop: ast.For | ast.While, frames: list[FrameType], loader: object) -> int | None:
    """The steps of a loop, times those of the loops over epochs around it; None where one of them counts nothing."""
    loops = [(node, frame) for frame in frames for node in around(frame, LOOPS)]
    counting = [(n, f) for n, f in loops if _counts_epochs(n) or (loader is None and n.lineno == loop.lineno)]
    numbers = [_times(node, frame) for node, frame in counting]
    if loader is not None:
        numbers.append(_length(loader))
    total = 1
    for number in numbers:
        if number is None:
            return None
        total *= number
    return total if numbers else None


def batches_of(loop: ast.For | ast.While, frame: FrameType, loader: object) -> int | None:
    """How many batches a training loop goes through each time that it runs; None where that cannot be told."""
    return _times(loop, frame) if loader is None else _length(loader)


def _counts_epochs(node: ast.For | ast.While) -> bool:
    return isinstance(node, ast.For) and EPOCH.match(ast.unparse(node.target)) is not None


def _times(node: ast.For | ast.While, frame: FrameType) -> int | None:
    """How often a loop runs; None where that cannot be told before it has."""
    found = value_of(node.iter, variables_of(frame)) if isinstance(node, ast.For) else None
    return _length(found)


def _length(value: object) -> int | None:
    try:
        return len(value) if isinstance(value, Sized) else None
    except TypeError:  # a loader of data without a length
        return None

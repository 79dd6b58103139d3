"""The batches of a script without a loader: its loop runs, and where it calls its step, or its model, they are only noted."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from nndoctor.experiment.backward import Reached
from nndoctor.experiment.cut_batches import CUT
from nndoctor.experiment.data import BatchList
from nndoctor.experiment.file_text import text_of
from nndoctor.experiment.model_file import own_arguments, silent
from nndoctor.experiment.own_code import OwnCode, replaced

CALLS = 64


def calls_of(loop: Callable[[], object], step: OwnCode) -> list[object]:
    """The batches of the first calls; those before an error of what the loop does with the results."""
    found = BatchList()
    signature, result = inspect.signature(step.function), _result(step)
    variables: dict[str, Any] = getattr(loop, "__globals__", {})

    def note(*places: Any, **names: Any) -> object:  # noqa: ANN401 - whatever the step takes
        given = signature.bind(*places, **names).arguments
        parts = tuple(given[name] for name in step.parts)
        found.append(parts if len(parts) > 1 else parts[0])
        if len(found) >= CALLS:
            raise Reached
        return result

    names = {name: note for name, value in variables.items() if value is step.function}
    with suppress(Reached, Exception), silent(), own_arguments(step.path), replaced(variables, names):
        loop()
    return found


def cut_by(loop: OwnCode) -> list[object]:
    """The batches of the first iterations of a loop that cuts its own; one where all are the same."""
    found: list[tuple[Tensor, ...]] = []

    def note(*parts: Tensor) -> None:
        again = bool(found) and all(one is other for one, other in zip(parts, found[-1], strict=True))
        if not again:
            found.append(parts)
        if again or len(found) >= CALLS:
            raise Reached

    function = FunctionType(loop.function.__code__, {**loop.variables, CUT: note})
    with suppress(Reached, Exception), silent(), own_arguments(loop.path):
        function()
    return BatchList(parts if len(parts) > 1 else parts[0] for parts in found)


def _result(step: OwnCode) -> object:
    """Something in the form of what the step returns: a number, or as many as its text shows."""
    tree = ast.parse(textwrap.dedent(text_of(step.function, depth=0)))
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    several = next((value for value in returned if isinstance(value, ast.Tuple)), None)
    return torch.zeros(()) if several is None else tuple(torch.zeros(()) for _ in several.elts)

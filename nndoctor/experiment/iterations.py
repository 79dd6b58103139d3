"""Loops that count their steps, as `for step in range(10_000)`, or go through examples: run one step at a time, they go on from call to call."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from nndoctor.experiment.closures import defined_again, definition_of
from nndoctor.experiment.file_text import text_with

BEGUN = "nndoctor_begun"  # the function of a range, or of other items, that gives the rest
FROM_START: dict[str, Any] = {BEGUN: lambda given: given}
"""The name in the variables of a loop before it is run one step at a time."""
STEPS = re.compile(r"opt\w*(\[\w+\])?\.step\(|scaler\.step\(")


class _Rest(ast.NodeTransformer):
    """Puts the rest of a range in the place of a range."""

    found = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Wrap a call of range; look into any other."""
        if ast.unparse(node.func) != "range":
            return self.generic_visit(node)
        self.found = True
        return ast.Call(ast.Name(BEGUN, ast.Load()), [node], [])


def goes_on(loop: ast.stmt) -> bool:
    """Let a loop begin where `BEGUN` says, at a number of its range or an item of what it goes through; whether it can."""
    if not isinstance(loop, ast.For):
        return False
    rest = _Rest()
    loop.iter = rest.visit(loop.iter)
    if not rest.found:
        loop.iter = ast.Call(ast.Name(BEGUN, ast.Load()), [loop.iter], [])
    return True


def counted(function: FunctionType) -> FunctionType:
    """A function whose innermost loop with an optimizer's step, there or in what it calls, begins so; the function itself where it has none."""
    own = definition_of(function)
    if own is None or function.__code__.co_freevars:
        return function
    loops = [n for n in ast.walk(own) if isinstance(n, ast.For) and STEPS.search(text_with(n, function.__globals__))]
    if not loops or not goes_on(loops[-1]):
        return function
    function.__globals__.setdefault(BEGUN, FROM_START[BEGUN])
    return defined_again(function, own, function.__globals__)


def numbers(variables: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, float]:
    """Those of the variables that count, or change from step to step."""
    return {name: variables[name] for name in names if type(variables.get(name)) in (int, float)}


def carries_state(text: str) -> bool:
    """Whether a loop hands on what a call gave beside its result, as in `out, h = model(x, h)`: its steps belong together."""
    for node in ast.walk(ast.parse(textwrap.dedent(text))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            kept = {
                n.id for t in node.targets if isinstance(t, ast.Tuple) for n in ast.walk(t) if isinstance(n, ast.Name)
            }
            if any(isinstance(one, ast.Name) and one.id in kept for one in node.value.args):
                return True
    return False

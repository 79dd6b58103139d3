"""Functions that a script defines within another one: their outer variables are made global ones, so that others can stand in for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any

from nndoctor.experiment.file_text import TEXT, code_of, text_of, tree_of

LOOPS = (ast.For, ast.While)


def definition_of(function: FunctionType) -> ast.FunctionDef | None:
    """The text of a function as a tree; None for a lambda, and for one that is decorated or was changed."""
    own = definition_at(function.__code__)
    return None if own is None or own.decorator_list or TEXT in vars(function) else own


def definition_at(code: CodeType) -> ast.FunctionDef | None:
    """The function of a file whose code this is, as a tree; None for a module, a lambda and a comprehension."""
    found = (
        n for n in ast.walk(tree_of(code.co_filename)) if isinstance(n, ast.FunctionDef) and n.name == code.co_name
    )
    return next((n for n in found if n.lineno == code.co_firstlineno), None)


def later(frame: FrameType, *, loops: bool = False) -> Iterator[ast.stmt]:
    """The statements that come after the one that runs in a frame; with `loops` also those in the loops that it is in."""
    own = definition_at(frame.f_code)
    block = tree_of(frame.f_code.co_filename).body if own is None else own.body
    entered = (ast.If, ast.With, ast.Try, *(LOOPS if loops else ()))
    while block:
        now = next((k for k, n in enumerate(block) if n.lineno <= frame.f_lineno <= (n.end_lineno or 0)), len(block))
        yield from block[now + 1 :]
        inner = block[now] if now < len(block) else None
        block = inner.body if isinstance(inner, entered) else []


def around(frame: FrameType, kinds: tuple[type[ast.stmt], ...]) -> list[Any]:
    """The statements of these kinds in which a frame is, the innermost first."""
    tree, line = tree_of(frame.f_code.co_filename), frame.f_lineno
    inside = [n for n in ast.walk(tree) if isinstance(n, kinds) and n.lineno <= line <= (n.end_lineno or 0)]
    return sorted(inside, key=lambda n: (n.end_lineno or 0) - n.lineno)


def defined_again(function: FunctionType, own: ast.FunctionDef, variables: dict[str, Any]) -> FunctionType:
    """A function as a changed tree has it, or over other variables."""
    made = FunctionType(
        code_of(own, function.__code__.co_filename), variables, function.__name__, function.__defaults__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__ = function.__module__
    made.__dict__[TEXT] = text_of(function, depth=0)
    return made


def opened(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, with the functions among them that have outer ones defined again over all of these."""
    found = dict(variables)
    for name, value in variables.items():
        if isinstance(value, FunctionType) and value.__code__.co_freevars:
            found[name] = _opened(value, found)
    return found


def _opened(function: FunctionType, variables: dict[str, Any]) -> FunctionType:
    """The function over these variables; itself where some of its own are not among them, or it assigns to them."""
    own, needed = definition_of(function), function.__code__.co_freevars
    if own is None or not variables.keys() >= set(needed) or any(isinstance(n, ast.Nonlocal) for n in ast.walk(own)):
        return function
    return defined_again(function, own, variables)

"""Where in the user's file each layer is made: the line of `self.features = …`, or of its place in a list of layers."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

from torch import nn

from nndoctor.sanity.subject import Subject


def of(subject: Subject) -> dict[str, int]:
    """The line of each module's path, as far as the file tells, and of the names of the contract."""
    try:
        tree = ast.parse(Path(subject.path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return {}
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    top = _assigned(tree.body, "")
    found: dict[str, int] = {}
    for path, module in subject.model.named_modules():
        if not path:
            own = classes.get(type(module).__name__)
            start = _line(top.get("model")) or (own.lineno if own else None)
        else:
            start = _made(path, subject.model, classes, top) or found.get(path.rpartition(".")[0])
        if start is not None:
            found[path or "model"] = start
    for name in ("optimizer", "loss", "train_data", "validation_data"):
        if name in top:
            found.setdefault(name, top[name].lineno)
    return found


def _made(path: str, root: nn.Module, classes: dict[str, ast.ClassDef], top: dict[str, ast.expr]) -> int | None:
    """The line that makes the module at a path: in its owner's class, or inside the call that lists it."""
    parent, _, name = path.rpartition(".")
    owner = root.get_submodule(parent) if parent else root
    own = classes.get(type(owner).__name__)
    if own is not None:
        return _line(_assigned(list(ast.walk(own)), "self.").get(name))
    value: ast.expr | None = top.get("model")
    steps = path.split(".")
    for depth in range(len(steps)):  # the nearest owner whose class the file defines, then down its calls
        above = root.get_submodule(".".join(steps[:depth])) if depth else root
        defined = classes.get(type(above).__name__)
        if defined is not None:
            value = _assigned(list(ast.walk(defined)), "self.").get(steps[depth])
        elif value is not None:
            value = _item(value, steps[depth])
    return _line(value)


def _item(value: ast.expr, name: str) -> ast.expr | None:
    if not isinstance(value, ast.Call) or not name.isdigit():
        return None
    items = value.args
    if len(items) == 1 and isinstance(items[0], (ast.List, ast.Tuple)):
        items = items[0].elts
    k = int(name)
    plain = k < len(items) and not any(isinstance(a, ast.Starred) for a in items[: k + 1])
    return items[k] if plain else None


def _assigned(nodes: list[ast.stmt] | list[ast.AST], prefix: str) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                with contextlib.suppress(ValueError):
                    name = ast.unparse(target)
                    if name.startswith(prefix):
                        found[name.removeprefix(prefix)] = node.value
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not prefix:
            found.setdefault(node.name, ast.Constant(None, lineno=node.lineno, col_offset=0))
    return found


def _line(value: ast.expr | None) -> int | None:
    return None if value is None else value.lineno

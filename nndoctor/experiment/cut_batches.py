"""Loops without a loader that cut their batches from tensors: what their model is given, and what its output is compared with."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from torch import Tensor, nn
from torch.optim import Optimizer

CUT = "nndoctor_cut"  # the function that takes the parts of a batch, and gives those that the loop goes on with
CUTS: dict[str, Any] = {CUT: lambda *parts: parts}
"""The name in the variables of a loop that is given no batch."""
GOES_BACK = ".backward("
# Methods of a model that change it.
CHANGES = (".train", ".eval", ".to", ".zero_grad", ".requires_grad_", ".load_state_dict")
NAMED = (ast.Name, ast.Attribute, ast.Subscript)
COMPOUND = (ast.For, ast.While, ast.With, ast.If, ast.Try)
PLAIN = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.Tuple, ast.keyword, ast.expr_context,
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip
"""What an expression may consist of that is evaluated."""
PURE = re.compile(r"(torch|np|numpy|random|len|range|slice)\b")
"""What may be called in it, as to draw the places of a batch."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a loop calls its model: the statement in its block, what the model is given, and the statements from there to backward().

    `variables` are those that may be part of a batch.
    """

    block: list[ast.stmt]
    index: int
    given: list[ast.expr]
    used: list[ast.stmt]
    variables: Mapping[str, Any]


def cuts(loop: ast.For | ast.While, variables: Mapping[str, Any]) -> bool:
    """Let a loop ask `CUT` for the parts of its batch before its model is called; whether it is known what they are.

    They are the tensors that the model is given, and at most one other that is as long: the targets. `variables` are those
    of the loop at its first backward pass.
    """
    several = len({id(v) for v in variables.values() if isinstance(v, Optimizer)}) > 1
    place = None if several else _place(loop, variables)
    parts = {} if place is None else _batch(place)
    if place is None or not parts:
        return False
    place.block[place.index :] = _asking(parts, place.block[place.index :])
    return True


def parts_at(node: ast.For | ast.While | ast.FunctionDef, variables: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """What a loop or a function gives to its model with these variables, and the targets; empty where it is not known what they are."""
    place = _place(node, variables)
    parts = {} if place is None else _batch(place)
    return tuple(value for one in parts.values() if isinstance(value := value_of(one, variables), Tensor))


def _batch(place: _Place) -> dict[str, ast.expr]:
    """The parts of a batch by their text; none where it is not known what they are."""
    made = set().union(*map(stored, place.used))
    inputs = _tensors(place.given, place.variables, made)
    every = inputs | _tensors(place.used, place.variables, made)
    first = next((value for _, value in inputs.values()), None)
    if first is None or not _is_batch(first):
        return {}
    parts = {text: one for text, one in every.items() if one[1].dim() and len(one[1]) == len(first)}
    if _made_before(place, [one for text, one in every.items() if text not in parts]):
        return {}  # what belongs to a batch would not be cut with it, as sequences that come by time first
    known = len(parts.keys() - inputs.keys()) <= 1 and not any(value.requires_grad for _, value in parts.values())
    return {text: node for text, (node, _) in parts.items()} if known else {}


def _made_before(place: _Place, found: list[tuple[ast.expr, Tensor]]) -> bool:
    """Whether some of these tensors, which are no single numbers, were made in the loop before its model is called."""
    made = set().union(*map(stored, place.block[: place.index]))
    return any(value.dim() and _names(node) & made for node, value in found)


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def cut_from(batch: Any) -> dict[str, object]:  # noqa: ANN401 - as it was recorded, or a part of it
    """What stands for `CUT` where a loop is given a batch."""
    if isinstance(batch, Tensor):
        return {CUT: lambda *_: (batch,)}
    return {CUT: lambda *_: tuple(batch)} if batch else {}


def _place(loop: ast.For | ast.While | ast.FunctionDef, variables: Mapping[str, Any]) -> _Place | None:
    """The first call of a model that learns, outside of loops within this one, or the first use of weights without a module; None without either."""
    others = {n: v for n, v in variables.items() if not (isinstance(v, Tensor) and v.requires_grad and v.is_leaf)}
    return _first(loop, variables, _given) or _first(loop, others, lambda node, _: _beside(node, variables, others))


def _first(
    loop: ast.For | ast.While | ast.FunctionDef,
    variables: Mapping[str, Any],
    given_in: Callable[[ast.stmt, Mapping[str, Any]], list[ast.expr]],
) -> _Place | None:
    for block in _blocks(loop):
        for index, node in enumerate(block):
            given = [] if isinstance(node, COMPOUND) else given_in(node, variables)
            if given:
                rest = block[index:]
                last = next((k for k, each in enumerate(rest) if GOES_BACK in ast.unparse(each)), len(rest))
                return _Place(block, index, given, rest[: last + 1], variables)
    return None


def _given(node: ast.stmt, variables: Mapping[str, Any]) -> list[ast.expr]:
    """The arguments of a call of a model that learns."""
    call = next((n for n in ast.walk(node) if _passes(n, variables)), None)
    return [] if call is None else [*call.args, *(k.value for k in call.keywords)]


def _beside(node: ast.stmt, variables: Mapping[str, Any], others: Mapping[str, Any]) -> list[ast.expr]:
    """The tensors that stand beside weights in an assignment; `others` are the variables that are no weights."""
    weights = any(name in variables and name not in others for name in _names(node))
    return list(_outermost(node.value, others)) if weights and isinstance(node, ast.Assign) else []


def _outermost(node: ast.expr, variables: Mapping[str, Any]) -> Iterator[ast.expr]:
    if isinstance(node, NAMED) and isinstance(value_of(node, variables), Tensor):
        yield node
        return
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.expr):
            yield from _outermost(each, variables)


def _passes(node: ast.AST, variables: Mapping[str, Any]) -> TypeGuard[ast.Call]:
    """Whether it calls a model that learns, and not to change its mode."""
    if not isinstance(node, ast.Call) or not (node.args or node.keywords):
        return False
    return not ast.unparse(node.func).endswith(CHANGES) and learns(node.func, variables)


def _blocks(node: ast.For | ast.While | ast.With | ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    yield node.body
    for each in node.body:
        if isinstance(each, ast.With):
            yield from _blocks(each)


def learns(function: ast.expr, variables: Mapping[str, Any]) -> bool:
    """Whether it is a model with parameters that are trained, or a method of one."""
    owners = [function, function.value] if isinstance(function, ast.Attribute) else [function]
    values = [value_of(one, variables) for one in owners]
    return any(isinstance(v, nn.Module) and any(p.requires_grad for p in v.parameters()) for v in values)


def stored(node: ast.AST) -> set[str]:
    """The names to which a statement assigns."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _is_batch(value: Tensor) -> bool:
    return value.dim() > 1 or (value.dim() == 1 and not value.is_floating_point())


def _tensors(
    nodes: Sequence[ast.AST], variables: Mapping[str, Any], made: set[str]
) -> dict[str, tuple[ast.expr, Tensor]]:
    """The tensors within, by their text, without what is `made` of the model's output."""
    found: dict[str, tuple[ast.expr, Tensor]] = {}
    for node in nodes:
        value = None if _names(node) & made else value_of(node, variables)
        if isinstance(value, Tensor) and isinstance(node, NAMED):
            found[ast.unparse(node)] = node, value
        elif not isinstance(node, ast.Subscript):  # a part that is not known does not stand for the whole
            found |= _tensors(_inner(node, variables), variables, made)
    return found


def _inner(node: ast.AST, variables: Mapping[str, Any]) -> list[ast.AST]:
    """What is within a node; of a branch, only what is run, where that is known."""
    taken = value_of(node.test, variables) if isinstance(node, ast.If) else None
    if not isinstance(node, ast.If) or taken is None:
        return list(ast.iter_child_nodes(node))
    return list(node.body if taken else node.orelse)


def value_of(node: ast.AST, variables: Mapping[str, Any]) -> object:
    """What a plain expression is; None for others, and for those without a value."""
    if not isinstance(node, ast.expr) or not all(map(_is_plain, ast.walk(node))):
        return None
    try:
        return eval(ast.unparse(node), dict(variables))  # noqa: S307 - variables of the user's own file
    except Exception:  # noqa: BLE001 - a part of an expression need not have a value
        return None


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, PLAIN) or (isinstance(node, ast.Call) and bool(PURE.match(ast.unparse(node.func))))


def _asking(parts: Mapping[str, ast.expr], rest: list[ast.stmt]) -> list[ast.stmt]:
    """The rest of a block, with the parts asked for before it; those that are no variables get a name of their own."""
    names = {text: text if isinstance(one, ast.Name) else f"{CUT}_{k}" for k, (text, one) in enumerate(parts.items())}
    given, taken = ", ".join(names), ", ".join(names.values())
    asked = f"{CUT}_parts = {CUT}({given})\nif {CUT}_parts is None: continue\n{taken}, = {CUT}_parts"
    renamed = _Renamed({text: name for text, name in names.items() if text != name})
    lines = [ast.copy_location(one, rest[0]) for one in ast.parse(asked).body]
    return lines + [renamed.visit(one) for one in rest]


class _Renamed(ast.NodeTransformer):
    """Puts names in the place of expressions, which are only read."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> Any:  # noqa: ANN401 - as NodeTransformer has it
        """Replace a node that is one of the expressions; look into any other."""
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Load):
            name = self.names.get(ast.unparse(node))
            if name is not None:
                return ast.copy_location(ast.Name(name, ast.Load()), node)
        return self.generic_visit(node)

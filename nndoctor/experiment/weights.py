"""Weights without a module: tensors of a script that its loss is traced back to, and the function that they are used in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.file_text import required

MAX_NODES = 20_000  # of the graph of a loss


class Weights(nn.Module):
    """Tensors of a script as the parameters of a model; `function` is what the script calls as its network, where it has one."""

    def __init__(self, tensors: Mapping[str, Tensor], function: Callable[..., Any] | None) -> None:
        super().__init__()
        self.function = function
        for name, tensor in tensors.items():
            vars(self)["_parameters"][name.replace(".", "_")] = tensor  # which need not be of the class of parameters

    def forward(self, *args: Any, **names: Any) -> Any:  # noqa: ANN401
        """What the script's function gives. Raises TypeError where it has none."""
        if self.function is None:
            raise TypeError("weights that the loop uses itself have no forward pass of their own")
        return self.function(*args, **names)


def weights_in(loop: ast.AST, variables: Mapping[str, Any], reached: Sequence[Tensor]) -> tuple[Weights, str] | None:
    """The weights that a loop trains, which its loss has `reached`, where they belong to no module, and the name of the function that uses them, "" without one.

    None where a module is trained, where no optimizer holds them, or where the loop creates them again in each step.
    """
    leaves = {id(leaf): leaf for leaf in reached}
    if not leaves or _belong_to_a_module(leaves, variables) or not _has_optimizer(variables):
        return None
    found = {name: tensor for name, tensor in _tensors(variables) if id(tensor) in leaves}
    names = {id(tensor): name for name, tensor in reversed(found.items())}
    owners = {name.partition("[")[0] for name in names.values()}
    if len(names) < len(leaves) or owners & _made_in(loop):
        return None
    network = next(_networks(loop, variables, owners), "")
    return Weights({name: leaves[key] for key, name in reversed(names.items())}, variables.get(network)), network


def _made_in(loop: ast.AST) -> set[str]:
    """The names to which a loop assigns other objects; not those of tensors that it changes in place, as `w -= …` does."""
    changed = {id(node.target) for node in ast.walk(loop) if isinstance(node, ast.AugAssign)}
    stored = (n for n in ast.walk(loop) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return {name.id for name in stored if id(name) not in changed}


def _belong_to_a_module(leaves: Mapping[int, Tensor], variables: Mapping[str, Any]) -> bool:
    modules = [value for value in variables.values() if isinstance(value, nn.Module)]
    return any(id(parameter) in leaves for module in modules for parameter in module.parameters())


def _has_optimizer(variables: Mapping[str, Any]) -> bool:
    return any(isinstance(value, torch.optim.Optimizer) for value in variables.values())


def leaves_of(loss: Tensor) -> Iterator[Tensor]:
    """The tensors with a gradient that a loss was computed from."""
    nodes: list[Any] = [loss.grad_fn]
    seen: set[Any] = set()
    while nodes and len(seen) < MAX_NODES:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        nodes += [before for before, _ in node.next_functions]


def _tensors(variables: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """The tensors among variables, and in the lists and dicts among them, by name."""
    for name, value in variables.items():
        if isinstance(value, Tensor):
            yield name, value
        elif type(value) in (list, tuple):
            yield from ((f"{name}[{k}]", each) for k, each in enumerate(value) if isinstance(each, Tensor))
        elif type(value) is dict:
            yield from ((f"{name}[{key!r}]", each) for key, each in value.items() if isinstance(each, Tensor))


def _networks(loop: ast.AST, variables: Mapping[str, Any], owners: set[str]) -> Iterator[str]:
    """The functions of one argument that a loop calls, and that read the weights."""
    for node in ast.walk(loop):
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        function = variables.get(name)
        if (
            isinstance(function, FunctionType)
            and owners & set(function.__code__.co_names)
            and len(required(function)) == 1
        ):
            yield name

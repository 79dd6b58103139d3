"""The loss of a script whose name says nothing: the function of output and target that gives what the loop goes back from."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.cut_batches import learns, value_of

Loss = Callable[[Any, Any], Tensor]
PAIR = 2  # output and target


def loss_called(loop: ast.AST, variables: Mapping[str, Any], loss: Tensor) -> Loss | None:
    """The loss of a loop that is `function(model(...), target)` at its first backward pass; None for any other."""
    outputs = set(_outputs(loop, variables))
    for call in (node for node in ast.walk(loop) if isinstance(node, ast.Call)):
        if len(call.args) != PAIR or call.keywords or ast.unparse(call.args[0]) not in outputs:
            continue
        function: Any = value_of(call.func, variables)
        output, target = (value_of(one, variables) for one in call.args)
        if _is_loss(function) and isinstance(output, Tensor) and isinstance(target, Tensor):
            with torch.no_grad():
                given = function(output, target)
            if isinstance(given, Tensor) and given.shape == loss.shape and torch.equal(given, loss.detach()):
                found: Loss = function
                return found
    return None


def _outputs(loop: ast.AST, variables: Mapping[str, Any]) -> Iterator[str]:
    """The names of what a model returns, as it is."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and learns(node.value.func, variables):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _is_loss(function: Any) -> bool:  # noqa: ANN401
    if isinstance(function, nn.Module):
        return not any(p.requires_grad for p in function.parameters())
    return inspect.isfunction(function)

"""What a script leaves in lists where it is stopped at its first backward pass, as the log-probabilities of an episode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn


def forget_graphs(values: Iterable[object]) -> None:
    """Empty the lists of models and other objects whose items have a graph, and those beside them that are as long.

    The step that would have emptied them was not taken, and what comes next would go back through weights that have changed.
    """
    for owner in [one for value in values for one in _owners(value)]:
        lists = [each for each in vars(owner).values() if type(each) is list and each]
        lengths = {len(each) for each in lists if _has_graph(each)}
        for each in lists:
            if len(each) in lengths:
                each.clear()


def _owners(value: object) -> Iterator[Any]:
    if isinstance(value, nn.Module):
        yield from value.modules()
    elif hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        yield value


def _has_graph(value: object) -> bool:
    """Whether a tensor in it was computed from others that are trained."""
    if isinstance(value, Tensor):
        return value.grad_fn is not None
    if isinstance(value, Mapping):
        return any(map(_has_graph, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_graph, value))

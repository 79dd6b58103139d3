"""A view or reshape that only renames dimensions, where they have to be exchanged: the values of different places are mixed."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

import nndoctor
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.functions import Functions

RESHAPES = ("view", "reshape")
MOST_DIMENSIONS = 5
SEQUENCES, HEADS = 3, 4  # dimensions of sequences, and of those of several attention heads
BETWEEN = tuple(str(Path(str(package.__file__)).parent) for package in (nndoctor, torch))
"""The folders of the frames between a reshape and the code that asked for it."""
LIBRARIES = ("site-packages", "dist-packages")
"""In the paths of code that is not the user's."""


def probe(bench: Bench) -> None:
    """Watch the reshapes of the user's own code in one pass."""
    watch = Reshapes()
    with torch.enable_grad(), watch:
        if bench.subject.blind:
            bench.train(bench.batch, bench.optimizer())
        else:
            bench.subject.run(bench.batch)
    bench.fact("reshapes_watched", value=True)
    if watch.mixing:
        taken, given, line = watch.mixing[0]
        bench.fact("reshape_mixes", (_words(taken), _words(given), line))


class Reshapes(Functions):
    """Within it, reshapes that mix dimensions are noted: both shapes, and the line of the user's code."""

    def __init__(self) -> None:
        super().__init__()
        self.mixing: list[tuple[torch.Size, torch.Size, str]] = []

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        value = func(*args, **names)
        taken = args[0] if args else None
        if getattr(func, "__name__", "") in RESHAPES and isinstance(taken, Tensor) and mixes(taken, value):
            line = _line(inspect.currentframe())
            if line:
                self.mixing.append((taken.shape, value.shape, line))
        return value


def mixes(taken: Tensor, given: Tensor) -> bool:
    """Whether a reshape gives dimensions the sizes that an exchange would give them, with the values in another order.

    Weights are left alone, and what a row or column of zeros was added to, as relative positions are shifted in
    attention (Dai et al., Transformer-XL, 2019, appendix B).
    """
    if isinstance(taken, nn.Parameter) or taken.shape == given.shape:
        return False
    wanted = [t for t in _exchanged(taken, given.shape) if t.shape == given.shape]
    return bool(wanted) and not any(torch.equal(t, given) for t in wanted) and not _padded(taken)


def _exchanged(taken: Tensor, shape: torch.Size) -> list[Tensor]:
    """What an exchange of dimensions makes of a tensor: all orders, attention heads taken apart or joined again, values by place."""
    if taken.ndim == len(shape):
        if taken.ndim > MOST_DIMENSIONS or sorted(taken.shape) != sorted(shape):
            return []
        return [taken.permute(order) for order in itertools.permutations(range(taken.ndim))]
    if taken.ndim == SEQUENCES and len(shape) == HEADS and taken.shape[2] == shape[1] * shape[3]:
        apart = taken.reshape(*taken.shape[:2], shape[1], shape[3])
        return [apart.transpose(1, 2)] if shape[1] != shape[2] else []
    if taken.ndim == HEADS and len(shape) == SEQUENCES:
        joined = [taken.transpose(1, 2).flatten(2)] if taken.shape[1] != taken.shape[2] else []
        return joined + _of_anchors(taken, shape)
    return []


def _of_anchors(maps: Tensor, shape: torch.Size) -> list[Tensor]:
    """Maps (n, anchors × values, height, width) as (n, places, values): the channels come last first, as in detectors."""
    n, channels, height, width = maps.shape
    values = shape[2]
    apart = values > 1 and channels % values == 0 and width % values != 0 and values != height * width
    return [maps.permute(0, 2, 3, 1).reshape(shape)] if apart and shape[0] == n else []


def _padded(tensor: Tensor) -> bool:
    """Whether the first or the last row in some dimension after the first holds zeros only."""
    ends = (tensor.select(k, end) for k in range(tensor.ndim) for end in (0, -1) if tensor.shape[k] > 1)
    return any(not bool(each.any()) for each in ends)


def _line(frame: FrameType | None) -> str:
    """The line of the user's code that asked for it, as `model.py:12`; empty where a library did."""
    while frame is not None and frame.f_code.co_filename.startswith(BETWEEN):
        frame = frame.f_back
    if frame is None or any(part in frame.f_code.co_filename for part in LIBRARIES):
        return ""
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _words(shape: torch.Size) -> str:
    return str(tuple(shape))

"""What a step hands to torch's own loss functions: the output and the target behind a loss, whoever calls it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nndoctor.sanity.alignments import Alignment
from nndoctor.sanity.functions import Functions
from nndoctor.sanity.graph import PASSING, kind, passed

LOSSES = frozenset(
    {
        functional.cross_entropy,
        functional.nll_loss,
        functional.binary_cross_entropy,
        functional.binary_cross_entropy_with_logits,
        functional.mse_loss,
        functional.l1_loss,
        functional.smooth_l1_loss,
        functional.huber_loss,
        functional.kl_div,
    }
)
MATRIX = 2  # dimensions
WEIGHTED = (functional.cross_entropy, functional.nll_loss, functional.binary_cross_entropy,
            functional.binary_cross_entropy_with_logits)  # fmt: skip
"""Losses whose third argument is a weight."""
REGRESSIONS = frozenset({functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss})
ARITHMETIC = frozenset(
    {"sub", "rsub", "__sub__", "__rsub__", "add", "__add__", "__radd__", "mul", "__mul__", "__rmul__", "eq", "__eq__"}
)


ERRORS = {
    **dict.fromkeys(("abs", "__abs__", "absolute"), "l1_loss"),
    **dict.fromkeys(("square", "pow", "__pow__"), "mse_loss"),
}
"""What makes an error of a difference, and the loss of torch's that does the same."""

# Nodes of a graph that only multiply a single number, or change its shape.
SCALINGS = ("Mul", "Div", "Neg", "View", "Reshape", "Stack", "Sum", "Unsqueeze", "Squeeze", "Alias")
OFFSETS = 2  # the place of the offsets among the arguments of embedding_bag
STEPS = 8  # of the graph between a loss of torch's and the whole loss


@dataclass(frozen=True, slots=True)
class LossCall:
    """One call of a loss function of torch's."""

    function: Callable[..., Tensor]
    output: Tensor
    target: Any
    more: Mapping[str, Any]
    value: Tensor
    factor: float = 1.0  # the whole loss over this one: 1 / accumulation steps, or -1 where a step maximizes

    def again(self, output: Any, target: Any) -> Tensor:  # noqa: ANN401
        """The same loss of another output."""
        return self.function(output, target, **self.more) * self.factor


@dataclass(frozen=True, slots=True)
class ErrorByHand:
    """An error that is written with a minus and abs() or a square: the loss of torch's that does the same, output and target."""

    name: str
    output: Tensor
    target: Tensor


class Observer(Functions):
    """Within it, calls of losses are noted, and arithmetic in which (N, 1) meets (N,).

    `entered` are the arguments of the latest loss that was called, which may have failed; `alignments` the
    calls of a CTC loss, `starts` where each bag of words begins, and `normalized` the rows of matrices whose columns were
    brought to length 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[LossCall] = []
        self.broadcasts: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.entered: tuple[Any, ...] = ()
        self.alignments: list[Alignment] = []
        self.starts: list[Tensor] = []
        self.normalized: list[int] = []
        self.compared: list[tuple[Tensor, Tensor]] = []  # outputs and numbers, in a regression loss of any reduction
        self.by_hand: list[ErrorByHand] = []
        self._by_sub: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        self._met_before: list[tuple[Tensor, Tensor, Tensor]] = []

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        if func in LOSSES:
            self.entered = (*args, names.get("input"), names.get("target"))
        value = func(*args, **names)
        if func in LOSSES:
            self._noted(func, args, names, value)
        elif func is functional.normalize:
            self.normalized += _rows_normalized(*args, **names)
        elif func is functional.ctc_loss:
            self.alignments.append(Alignment.of(*args, **names))
        elif func is functional.embedding_bag:
            starts = args[OFFSETS] if len(args) > OFFSETS else names.get("offsets")
            self.starts += [] if starts is None else [starts]
        elif getattr(func, "__name__", "") in ARITHMETIC:
            self._met(args, column_meets_row)
            self._constants_met(func, args, value)
            self._subtracted(func, args, value)
        elif (error := ERRORS.get(getattr(func, "__name__", ""))) is not None and id(args[0]) in self._by_sub:
            self.by_hand.append(ErrorByHand(error, *self._by_sub[id(args[0])][1:]))
        return value

    def _subtracted(self, func: Any, args: tuple[Any, ...], value: Any) -> None:  # noqa: ANN401
        """Keep the difference of an output and a constant of its shape, with both."""
        pair = [t for t in args[:2] if isinstance(t, Tensor)]
        if "sub" in func.__name__ and len(pair) == 2 and pair[0].shape == pair[1].shape:
            target, output = sorted(pair, key=lambda t: t.requires_grad)
            if output.requires_grad and not target.requires_grad:
                self._by_sub[id(value)] = value, output, target

    def _constants_met(self, func: Any, args: tuple[Any, ...], value: Any) -> None:  # noqa: ANN401
        """Note (N, 1) and (N,) without a gradient, as an advantage has, once their (N, N) numbers meet (N,) that has one."""
        pair = [t for t in args[:2] if isinstance(t, Tensor)]
        if len(pair) != 2 or not isinstance(value, Tensor):
            return
        for met, column, row in self._met_before:
            others = [t for t in pair if t is not met]
            if len(others) == 1 and others[0].requires_grad and others[0].shape == met.shape[:1]:
                self.broadcasts.append((tuple(column.shape), tuple(row.shape)))
        if "eq" not in func.__name__ and not value.requires_grad and crossed(*pair):
            self._met_before.append((value, pair[0], pair[1]))

    def _noted(self, func: Any, args: tuple[Any, ...], names: dict[str, Any], value: Any) -> None:  # noqa: ANN401
        places = list(args)
        output = places.pop(0) if places else names.pop("input", None)
        target = places.pop(0) if places else names.pop("target", None)
        if places and func in WEIGHTED:  # as the module of a binary cross-entropy hands it over
            names = {"weight": places.pop(0), **names}
        self._met((output, target), compared_with_all)
        if func in REGRESSIONS:
            self._met((output, target), pairs_meet_examples)
            if isinstance(output, Tensor) and isinstance(target, Tensor) and output.shape == target.shape:
                self.compared.append((output, target))
        if isinstance(output, Tensor) and isinstance(value, Tensor) and value.numel() == 1 and not places:
            self.calls.append(LossCall(func, output, target, names, value))

    def _met(self, operands: tuple[Any, ...], meets: Callable[[Tensor, Tensor], bool]) -> None:
        """Note two tensors that meet so that every value of one is compared with every value of the other."""
        pair = [t for t in operands[:2] if isinstance(t, Tensor)]
        if len(pair) == 2 and meets(*pair):
            self.broadcasts.append((tuple(pair[0].shape), tuple(pair[1].shape)))


def _rows_normalized(input: Any, p: float = 2.0, dim: int = 1, **_: Any) -> list[int]:  # noqa: ANN401, A002, ARG001 - as normalize has them
    """The number of rows of a matrix that is computed, not a weight, if it is normalized over its rows."""
    if not isinstance(input, Tensor) or input.ndim != MATRIX or dim not in (0, -MATRIX) or input.grad_fn is None:
        return []
    return [] if kind(passed(input.grad_fn)) in PASSING else [len(input)]


def column_meets_row(a: Tensor, b: Tensor) -> bool:
    """Whether one is (N, 1) and the other (N,), of which one has a gradient and the other has none.

    Two columns of one origin are made to meet on purpose, as in pairwise distances of labels or of embeddings; so is a
    computed row that was just made a column, as in the overlaps of pairs of boxes.
    """
    raised = any("Unsqueeze" in type(t.grad_fn).__name__ for t in (a, b))
    return crossed(a, b) and a.requires_grad != b.requires_grad and not raised


def crossed(a: Tensor, b: Tensor) -> bool:
    """Whether one is (N, 1) and the other (N,)."""
    row, column = sorted((a, b), key=lambda t: t.ndim)
    return row.ndim == 1 and column.ndim == 2 and column.shape == (len(row), 1) and len(row) > 1


def broadcast(a: torch.Size | tuple[int, ...], b: torch.Size | tuple[int, ...]) -> tuple[int, ...]:
    """The shape in which two shapes meet; raises RuntimeError where they do not fit."""
    return tuple(torch.broadcast_shapes(a, b))  # type: ignore[no-untyped-call]


def pairs_meet_examples(a: Tensor, b: Tensor) -> bool:
    """Whether outputs of all pairs of examples, (N, N), meet the target of each: (N, 1) and (N,) were added before."""
    n = min(a.numel(), b.numel())
    pair, single = (a, b) if a.numel() > b.numel() else (b, a)
    return n > 1 and pair.shape == (n, n) and single.shape in ((n,), (n, 1)) and a.requires_grad != b.requires_grad


def compared_with_all(a: Tensor, b: Tensor) -> bool:
    """The same within a loss, whatever the number of dimensions: (N, 1, H, W) and (N, H, W) make N × N maps of N."""
    if a.requires_grad == b.requires_grad:
        return False
    given, goal = (a, b) if a.requires_grad else (b, a)
    n = given.numel()
    if goal.shape == (n, n) and n > 1 and given.shape in ((n,), (n, 1)):  # targets that have met each other before
        return True
    if a.ndim == b.ndim:
        return _repeated(given.shape, goal.shape)
    if a.numel() != b.numel():
        return False
    try:
        return math.prod(broadcast(a.shape, b.shape)) > a.numel()
    except RuntimeError:  # the shapes do not fit at all, of which the loss itself tells
        return False


def _repeated(given: torch.Size, goal: torch.Size) -> bool:
    """Whether one number of each example is the target of all of its outputs: (N, 64) against (N, 1)."""
    fits = all(g in (1, n) for n, g in zip(given, goal, strict=True))
    return fits and len(given) > 1 and given[0] == goal[0] > 1 and given[-1] > 1 == goal[-1]


def standing_for(calls: list[LossCall], loss: Tensor) -> LossCall | None:
    """The only loss call among these that is the whole loss, up to a factor such as 1 / accumulation steps."""
    if len(calls) != 1 or not isinstance(calls[0].target, Tensor) or not _is_multiple(loss, calls[0].value):
        return None
    value = float(calls[0].value.detach())
    factor = float(loss.detach()) / value if value else 1.0
    return replace(calls[0], factor=factor) if math.isfinite(factor) and factor else None


def _is_multiple(loss: Tensor, value: Tensor) -> bool:
    """Whether the loss is the value, seen through scalings by a number and changes of sign."""
    if torch.equal(loss.detach().reshape(()), value.detach().reshape(())):
        return True
    node, wanted = loss.grad_fn, value.grad_fn
    for _ in range(STEPS):
        if node is None or wanted is None:
            return False
        if node is wanted:
            return True
        before = [n for n, _ in node.next_functions if n is not None]
        if len(before) != 1 or not str(node.name()).startswith(SCALINGS):
            return False
        node = before[0]
    return False

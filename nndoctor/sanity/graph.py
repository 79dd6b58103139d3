"""The graph that made a loss, read backwards: which loss it is, which activation stands before it, what follows what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from nndoctor.sanity.batches import tensors

Node = Any  # torch's graph nodes have no type
PASSING = (
    "View", "UnsafeView", "ReshapeAlias", "Transpose", "T", "Permute", "Squeeze", "Unsqueeze", "Clone", "Alias", "ToCopy",
    "Select", "Slice", "Expand", "NativeDropout", "FusedDropout", "Contiguous", "Flatten", "AsStrided", "SqueezeDim",
    "Index", "IndexSelect",
)  # fmt: skip
ACTIVATIONS = {
    "Softmax": "softmax", "LogSoftmax": "log-softmax", "Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu",
    "Hardtanh": "hardtanh", "Hardsigmoid": "sigmoid", "LogSigmoid": "log-sigmoid",
}  # fmt: skip
LINEAR = ("Addmm", "Mm", "Convolution", "MkldnnConvolution", "Linear", "MkldnnLinear")
NORMS = ("NativeBatchNorm", "CudnnBatchNorm", "NativeLayerNorm", "NativeGroupNorm", "FusedRmsNorm", "InstanceNorm")
SUMS = ("Add", "Sub", "Rsub", "Stack", "Cat")
SCALINGS = (
    "Mul", "Div", "Neg", "Mean", "Sum", "Squeeze", "Unsqueeze", "View", "Reshape", "Alias", "ToCopy", "SqueezeDim",
    "Clone", "UnsafeView", "Select", "Unbind", "Expand", "Where",
)  # fmt: skip
VIEWS = ("View", "UnsafeView", "ReshapeAlias")
ROWS = ("Index", "IndexSelect", "Slice", "Clone", "ToCopy", "Log")
GUARDS = ("Add", "Clamp", "ClampMin", *VIEWS)  # what keeps probabilities off zero before their logarithm is taken
MAX_NODES = 20_000  # nodes looked at


def kind(node: Node) -> str:
    """`AddmmBackward0` -> `Addmm`."""
    return str(node.name()).partition("Backward")[0] if node is not None else ""


def before(node: Node) -> list[Node]:
    """The nodes whose outputs this one takes."""
    return [] if node is None else [n for n, _ in node.next_functions if n is not None]


def passed(node: Node) -> Node:
    """The first node, from this one back, that changes values, not only their shape (dropout counts as shape)."""
    for _ in range(64):
        if kind(node) not in PASSING:
            return node
        inner = [
            n for n in before(node) if kind(n) != "AccumulateGrad" and n.name() != "torch::autograd::AccumulateGrad"
        ]
        if len(inner) != 1:
            return node
        node = inner[0]
    return node


def activation(node: Node) -> str:
    """The activation that a node is, seen through changes of shape; empty for anything else."""
    return ACTIVATIONS.get(kind(passed(node)), "")


def logarithm_of_softmax(node: Node) -> Node | None:
    """The softmax whose logarithm a node is, as of `torch.log(p + 1e-8)`; None for anything else."""
    if kind(node) != "Log":
        return None
    node = next(iter(before(node)), None)
    while kind(node) in GUARDS and len(before(node)) == 1:
        node = before(node)[0]
    return node if kind(node) == "Softmax" else None


def softmax_over_last(node: Node) -> bool | None:
    """Whether a softmax, of which rows, logarithms or another view were taken since, is over the last dimension.

    None where there is no such softmax. Of rows alone it is not known how many dimensions there were: two, or three.
    """
    dimensions = None
    while kind(node) in (*ROWS, *VIEWS) and len(before(node)) == 1:
        sizes = getattr(node, "_saved_self_sym_sizes", None)
        dimensions = len(sizes) if kind(node) in VIEWS and sizes else dimensions
        node = before(node)[0]
    found = getattr(node, "_saved_dim", None) if kind(node) in ("Softmax", "LogSoftmax") else None
    if found is None:
        return None
    dimension = int(found) - (1 << 64 if found >= 1 << 63 else 0)  # torch keeps it unsigned
    return dimension in (1, 2, -1) if dimensions is None else dimension % dimensions == dimensions - 1


def walk(loss: Tensor, *, nearest_first: bool = False) -> Iterator[Node]:
    """Every node of a loss's graph, from the loss back: along one branch after the other, or the nearest first."""
    return walk_from(loss.grad_fn, nearest_first=nearest_first)


def walk_from(start: Node, *, nearest_first: bool = False) -> Iterator[Node]:
    """The same from a node on."""
    seen: set[int] = set()
    queue: deque[Node] = deque([start])
    take = queue.popleft if nearest_first else queue.pop
    kept: list[Node] = []  # a node's id is its own only while it lives
    while queue and len(seen) < MAX_NODES:
        node = take()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        kept.append(node)
        yield node
        queue += before(node)


def before_loss(loss: Tensor) -> tuple[str, str]:
    """The fused loss nearest to the end, and the activation that its scores went through; empty where there is none."""
    for node in walk(loss):
        name = kind(node)
        if name in ("NllLoss", "NllLoss2D", "NllLossNd"):
            scores = passed(next(iter(before(node)), None))
            if kind(scores) == "LogSoftmax":
                return "cross-entropy", activation(next(iter(before(scores)), None))
            return "nll", ACTIVATIONS.get(kind(scores), "")
        if name == "BinaryCrossEntropyWithLogits":
            return "binary cross-entropy with logits", activation(next(iter(before(node)), None))
        if name == "BinaryCrossEntropy":
            return "binary cross-entropy", activation(next(iter(before(node)), None))
        if name in ("MseLoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
            words = {"MseLoss": "squared error", "L1Loss": "absolute error"}
            return words.get(name, "smooth absolute error"), activation(next(iter(before(node)), None))
    return "", ""


def terms(loss: Tensor) -> list[Node]:
    """The nodes whose values add up to a loss, seen through sums, means, changes of shape and of scale."""
    found: list[Node] = []
    queue: deque[Node] = deque([loss.grad_fn])
    while queue and len(found) < MAX_NODES:
        node = queue.popleft()
        inner = before(node)
        if kind(node) in SUMS or (kind(node) in SCALINGS and len(inner) == 1):
            queue += inner
        elif node is not None:
            found.append(node)
    return found


def leaves(start: Node) -> list[Tensor]:
    """The tensors that gradients from a node end in, the nearest first."""
    return [node.variable for node in walk_from(start, nearest_first=True) if hasattr(node, "variable")]


@dataclass(slots=True)
class Call:
    """One call of a module without children: the nodes that made what it took, and what it gave."""

    path: str
    module: nn.Module
    takes: Node
    gives: Node


class Calls:
    """Notes every call of every leaf module in one forward pass, in order."""

    def __init__(self, model: nn.Module) -> None:
        self.calls: list[Call] = []
        leaves = [(n, m) for n, m in model.named_modules() if next(m.children(), None) is None]
        self._handles = [m.register_forward_hook(self._hook(n or "model")) for n, m in leaves]

    def close(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()

    def _hook(self, path: str) -> Any:  # noqa: ANN401
        def note(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ANN401
            took, gave = tensors(list(args)), tensors(output)
            self.calls.append(Call(path, module, took[0].grad_fn if took else None, gave[0].grad_fn if gave else None))

        return note

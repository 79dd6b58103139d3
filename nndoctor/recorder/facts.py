"""The facts of a run that a model, its optimizer and its loss show by themselves."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.recorder.kinds import Role, activation_of
from nndoctor.recorder.optimizers import Optimizers
from nndoctor.recorder.plan import ModelPlan, Weight, is_lazy

LOSSES = {
    "NllLoss": "cross-entropy",
    "NllLoss2D": "cross-entropy",
    "CrossEntropyLoss": "cross-entropy",
    "BinaryCrossEntropy": "binary cross-entropy",
    "BinaryCrossEntropyWithLogits": "binary cross-entropy",
    "MseLoss": "squared error",
    "L1Loss": "absolute error",
    "SmoothL1Loss": "smooth absolute error",
    "HuberLoss": "Huber",
    "KlDiv": "Kullback-Leibler",
}
PLAIN = ("Mean", "Sum", "Div", "Mul", "Add", "ToCopy", "View", "Squeeze", "Unsqueeze", "Clone", "Alias")
MEAN = 1  # torch's number for reduction="mean"
MAX_NODES = 12  # nodes of the graph visited from the loss backwards


def of_model(plan: ModelPlan) -> dict[str, object]:
    """Parameters, layers, their kinds, what is frozen and what cannot be seen."""
    trained = [w for w in plan.weights if w.parameter.requires_grad]
    layers, trained_layers = (dict.fromkeys(w.layer for w in some) for some in (plan.weights, trained))
    return {
        "model": type(plan.root).__name__,
        "parameters": _values(plan.weights),
        "trainable_parameters": _values(trained),
        "frozen_layers": [layer for layer in layers if layer not in trained_layers],
        "compiled": list(plan.compiled),
        "kinds": {path: type(module).__name__ for path, module in plan.modules.items()},
    }


def _values(weights: Sequence[Weight]) -> int:
    """How many values the parameters hold, each counted once."""
    return sum(p.numel() for p in {id(w.parameter): w.parameter for w in weights}.values())


def of_optimizer(optimizer: Optimizers) -> dict[str, object]:
    """Its name and the settings of its parameter groups."""
    groups = []
    for group in optimizer.param_groups:
        settings = {k: _number(v) for k, v in group.items() if k != "params"}
        groups.append({**settings, "parameters": sum(p.numel() for p in group["params"] if not is_lazy(p))})
    return {"optimizer": optimizer.name, "optimizer_settings": groups}


def of_system(device: torch.device | None) -> dict[str, object]:
    """Versions, device and seed."""
    name = str(device)
    if device is not None and device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "device": name,
        "seed": torch.initial_seed(),
    }


def of_layers(
    plan: ModelPlan, weights: Mapping[str, Sequence[nn.Parameter]], optimizer: Optimizers
) -> dict[str, object]:
    """Layers whose parameters should train and that the optimizer does not hold, and the roles of all layers."""
    roles = {path: str(role) for path, role in plan.roles.items()}
    activations = {
        p: a for p, m in plan.modules.items() if plan.roles[p] is Role.ACTIVATION and (a := activation_of(m))
    }
    return {"not_in_optimizer": missed(weights, optimizer), "roles": roles, "activations": activations}


def missed(weights: Mapping[str, Sequence[nn.Parameter]], optimizer: Optimizers) -> list[str]:
    """Layers whose parameters should train and that the optimizer does not hold."""
    held = optimizer.held
    trained = {layer: own for layer, own in weights.items() if any(p.requires_grad for p in own)}
    return [layer for layer, own in trained.items() if held.isdisjoint(map(id, own))]


def of_loss(loss: Tensor) -> dict[str, object]:
    """What kind of loss it is, by the graph that made it, and of cross-entropy the classes and the loss of guessing."""
    node = _loss_node(loss)
    if node is None:
        return {}
    kind = LOSSES[_name(node)]
    return {"loss": kind, **_chance(kind, node)}


def is_mean(loss: Tensor) -> bool:
    """Whether it is a mean over its own examples, and not a sum that is divided by the examples of several batches."""
    return getattr(_loss_node(loss), "_saved_reduction", None) == MEAN


def _loss_node(loss: Tensor) -> Any:  # noqa: ANN401 - torch's graph nodes have no type
    node: Any = loss.grad_fn
    for _ in range(MAX_NODES):
        if node is None or _name(node) in LOSSES:
            return node
        if not _name(node).startswith(PLAIN):
            return None
        inner = _before(node)
        node = inner[0] if len(inner) == 1 or _smooths_labels(node) else None
    return None


def _before(node: Any) -> list[Any]:  # noqa: ANN401 - torch's graph nodes have no type
    return [n for n, _ in node.next_functions if n is not None]


def _smooths_labels(node: Any) -> bool:  # noqa: ANN401 - torch's graph nodes have no type
    """Whether a node is the sum of label smoothing: a loss and a mean of the same log-probabilities."""
    inner = _before(node)
    return len(inner) == 2 and _name(node).startswith("Add") and _softmax(inner[0]) is _softmax(inner[1]) is not None


def _name(node: Any) -> str:  # noqa: ANN401 - torch's graph nodes have no type
    """`NllLossBackward0` -> `NllLoss`."""
    return str(node.name()).partition("Backward")[0]


def _softmax(node: Any) -> Any:  # noqa: ANN401 - torch's graph nodes have no type
    """The logarithm of softmax that a cross-entropy comes from, or None."""
    for _ in range(MAX_NODES):
        if node is None or node.name().startswith("LogSoftmax"):
            return node
        inner = _before(node)
        plain = node.name().startswith((*PLAIN, "Neg", "NllLoss", "MaskedFill"))
        node = inner[0] if len(inner) == 1 and plain else None
    return None


def _chance(loss: str, node: Any) -> dict[str, object]:  # noqa: ANN401 - torch's graph nodes have no type
    if loss == "binary cross-entropy":
        return {"baseline_loss": math.log(2)}
    if loss != "cross-entropy" or not node.next_functions:
        return {}
    before = _softmax(node)
    if before is None:
        return {}
    metadata = getattr(before, "_input_metadata", ())
    shape = tuple(metadata[0].shape) if metadata else ()
    classes = int(shape[1]) if len(shape) >= 2 else 0
    return {"num_classes": classes, "baseline_loss": math.log(classes)} if classes >= 2 else {}


def _number(value: object) -> object:
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 else None
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)

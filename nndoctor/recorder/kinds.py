"""What each kind of module is to the recorder: its role, its activation, and which dimension counts its units."""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import nn
from torch.nn import functional


class Role(StrEnum):
    """What a layer is for."""

    WEIGHT = "weight"
    ACTIVATION = "activation"
    NORM = "norm"
    RECURRENT = "recurrent"
    ATTENTION = "attention"
    EMBEDDING = "embedding"
    OTHER = "other"


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTS = (nn.Linear, *CONVOLUTIONS)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm, *INSTANCE_NORMS, nn.GroupNorm)
ROLES: tuple[tuple[Role, tuple[type[nn.Module], ...]], ...] = (
    (Role.WEIGHT, (nn.Linear, nn.Bilinear, *CONVOLUTIONS)),
    (Role.NORM, (*BATCH_NORMS, nn.LayerNorm, nn.RMSNorm)),
    (Role.RECURRENT, (nn.RNNBase, nn.RNNCellBase)),
    (Role.ATTENTION, (nn.MultiheadAttention,)),
    (Role.EMBEDDING, (nn.Embedding, nn.EmbeddingBag)),
)
ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu",
    nn.Sigmoid: "sigmoid",
    nn.Hardsigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.Hardtanh: "tanh",
    nn.LeakyReLU: "other",
    nn.PReLU: "other",
    nn.ELU: "other",
    nn.SELU: "other",
    nn.CELU: "other",
    nn.GELU: "other",
    nn.SiLU: "other",
    nn.Mish: "other",
    nn.Hardswish: "other",
    nn.Softplus: "other",
}
FUNCTIONS: dict[object, str] = {
    torch.relu: "relu",
    torch.relu_: "relu",
    torch.Tensor.relu: "relu",
    torch.Tensor.relu_: "relu",
    functional.relu: "relu",
    functional.relu6: "relu",
    torch.sigmoid: "sigmoid",
    torch.Tensor.sigmoid: "sigmoid",
    functional.hardsigmoid: "sigmoid",
    torch.tanh: "tanh",
    torch.Tensor.tanh: "tanh",
    functional.hardtanh: "tanh",
    torch.clamp: "clamp",  # a ReLU where its only end is zero
    torch.clamp_min: "clamp",
    torch.Tensor.clamp: "clamp",
    torch.Tensor.clamp_min: "clamp",
}
# Modules that are never called: they keep parameters of the module around them.
CONTAINERS = (nn.ParameterDict, nn.ParameterList)
KERAS_ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
SATURATES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}  # the two ends of each activation that can saturate


def role_of(module: nn.Module) -> Role | None:
    """A module's role; None for what has nothing to record (containers, dropout, pooling, reshaping)."""
    if type(module) in ACTIVATIONS or (_is_keras(module) and type(module).__name__ in KERAS_ACTIVATIONS):
        return Role.ACTIVATION
    known = next((role for role, kinds in ROLES if isinstance(module, kinds)), None)
    return known or _role_by_parameters(module)


def _role_by_parameters(module: nn.Module) -> Role | None:
    """The role of a module of a user's own: of one that holds others, these have it."""
    own = own_parameters(module)
    if not own or _called(module):
        return None
    return Role.WEIGHT if any(p.ndim >= 2 for p in own) else Role.NORM


def own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """A module's parameters without those of its children; what it keeps in a ParameterDict or ParameterList is its own.

    Keras keeps there those of its children, too.
    """
    if isinstance(module, CONTAINERS):
        return []
    own = list(module.parameters(recurse=False))
    containers = [child for child in module.children() if isinstance(child, CONTAINERS)]
    if containers:
        inner = {id(p) for child in _called(module) for p in child.parameters()}
        own += [p for child in containers for p in child.parameters() if id(p) not in inner]
    return own


def _called(module: nn.Module) -> list[nn.Module]:
    """The modules within a module that keep no parameters for it, but are called."""
    return [child for child in module.children() if not isinstance(child, CONTAINERS)]


def _is_keras(module: nn.Module) -> bool:
    return type(module).__module__.startswith("keras.")


def activation_of(module: nn.Module) -> str:
    """`relu`, `sigmoid`, `tanh`, or `` for what neither dies nor saturates."""
    if isinstance(module, nn.Hardtanh) and type(module) is nn.Hardtanh:
        return "tanh" if (module.min_val, module.max_val) == (-1.0, 1.0) else ""
    if _is_keras(module):  # its activation may be part of a layer with weights
        own = getattr(getattr(module, "activation", None), "__name__", "")
        name = "relu" if type(module).__name__ == "ReLU" else own
        return name if name == "relu" or name in SATURATES else ""
    found = ACTIVATIONS.get(type(module), "")
    return "" if found == "other" else found


def units_first(module: nn.Module) -> bool | None:
    """Whether dimension 1 counts the units; None where only the values' shape, or the layer before, can tell."""
    if isinstance(module, (*CONVOLUTIONS, *BATCH_NORMS)):
        return True
    return None if type(module) in ACTIVATIONS else False

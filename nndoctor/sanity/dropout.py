"""Dropout: which calls zero values at random, and how it is switched off while everything else stays as in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torch.nn import functional

from nndoctor.experiment.keras_model import dropout_rates
from nndoctor.sanity.functions import Functions

DROPOUTS = frozenset(
    {
        functional.dropout,
        functional.dropout1d,
        functional.dropout2d,
        functional.dropout3d,
        functional.alpha_dropout,
        functional.feature_alpha_dropout,
    }
)
CALLED = "functional.dropout"  # in the place of a layer's name
ATTENTION = functional.scaled_dot_product_attention


def without_dropout(model: nn.Module) -> None:
    """Switch dropout off, attention's own too, everything else as in training."""
    for module in model.modules():
        if isinstance(module, (nn.modules.dropout._DropoutNd, nn.MultiheadAttention)):  # noqa: SLF001 - the one class of all of them
            module.eval()
    for layer, _ in dropout_rates(model):
        layer.rate = 0.0


def drops(func: Any, args: tuple[Any, ...], names: dict[str, Any]) -> bool:  # noqa: ANN401
    """Whether a call zeroes values at random."""
    if func is ATTENTION:
        return bool(names.get("dropout_p", args[4] if len(args) > 4 else 0.0))
    if func not in DROPOUTS:
        return False
    return bool(_share(args, names)) and bool(names.get("training", args[2] if len(args) > 2 else True))


def _share(args: tuple[Any, ...], names: dict[str, Any]) -> float:
    return float(names.get("p", args[1] if len(args) > 1 else 0.5))


class Shares(Functions):
    """Within it, the shares that calls of functional dropout zero are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[float] = []

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        if func in DROPOUTS and drops(func, args, names):
            self.found.append(_share(args, names))
        return func(*args, **names)


class NoDropout(Functions):
    """Within it, functional dropout passes everything: libraries call it without a module that could be switched off."""

    def _called(self, func: Callable[..., Any], args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
        if not drops(func, args, names):
            return func(*args, **names)
        if func is ATTENTION:
            return _kept(func, args, names)
        return args[0] if args else names["input"]


def _kept(attention: Any, args: tuple[Any, ...], names: dict[str, Any]) -> Any:  # noqa: ANN401
    """Attention without dropout, whose share is the fifth argument, or has a name."""
    places = (*args[:4], 0.0, *args[5:]) if len(args) > 4 else args
    return attention(*places, **{name: 0.0 if name == "dropout_p" else value for name, value in names.items()})

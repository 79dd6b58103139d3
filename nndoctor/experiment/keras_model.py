"""A compiled Keras model on the torch backend: its own loss, and its optimizer as torch's of the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "SGD": torch.optim.SGD,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
    "RMSprop": torch.optim.RMSprop,
    "Adagrad": torch.optim.Adagrad,
    "Adadelta": torch.optim.Adadelta,
    "Adamax": torch.optim.Adamax,
    "Nadam": torch.optim.NAdam,
}


DROPOUTS = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout")


def is_keras(model: nn.Module) -> bool:
    """Whether a model is one of Keras, which takes several inputs as one list."""
    return any(base.__module__.split(".")[0] == "keras" for base in type(model).__mro__)


def called(model: nn.Module, *places: Any, **names: Any) -> Any:  # noqa: ANN401 - whatever the model takes and returns
    """The model's output. Keras does not look at torch's mode: it is told whether this is training, as its `fit` tells it."""
    return model(*places, **names, training=model.training) if is_keras(model) else model(*places, **names)


def dropout_rates(model: nn.Module) -> list[tuple[Any, float]]:
    """The dropout layers of a Keras model, and their rates."""
    layers = [layer for _, layer in layers_in(model) if type(layer).__name__ in DROPOUTS]
    return [(layer, float(getattr(layer, "rate", 0.0))) for layer in layers]


def layers_in(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The layers of a Keras model by their names, which torch does not count among its modules; none of another model."""
    given: Any = model
    if not is_keras(model) or not hasattr(given, "_flatten_layers"):
        return []
    flat = given._flatten_layers(include_self=False)  # noqa: SLF001 - no public name gives those within layers
    return [(str(layer.name), layer) for layer in flat if isinstance(layer, nn.Module)]


def weight_layers(model: nn.Module) -> list[nn.Module]:
    """The layers of a Keras model that have weights and no layers within; none of another model."""
    every = [layer for _, layer in layers_in(model) if getattr(layer, "weights", None)]
    return [layer for layer in every if not any(layer._flatten_layers(include_self=False))]  # type: ignore[operator] # noqa: SLF001 - no public name gives those within a layer


def unbuilt(model: nn.Module) -> bool:
    """Whether a Keras model has no weights before its first batch, as one of a class of the user's own."""
    return is_keras(model) and not any(p.is_floating_point() for p in model.parameters())  # a seed may be there


def compiled_parts(model: nn.Module) -> dict[str, object]:
    """`loss` and `optimizer` of a compiled Keras model; nothing for any other model."""
    given: Any = model
    if not is_keras(model) or not getattr(given, "compiled", False):
        return {}
    parts: dict[str, object] = {"loss": _loss(given)}
    kind = OPTIMIZERS.get(type(given.optimizer).__name__)
    if kind is not None:
        parts["optimizer"] = _optimizer(given, kind)
    return parts


def _loss(model: Any) -> Callable[[Any, Any], Tensor]:  # noqa: ANN401
    def loss(output: Any, target: Any) -> Tensor:  # noqa: ANN401
        found: Tensor = model.compute_loss(y=target, y_pred=output)
        return found

    return loss


def _optimizer(
    model: Any,  # noqa: ANN401
    kind: type[torch.optim.Optimizer],
) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """The same optimizer of torch's, with the learning rate and, for SGD, the momentum that the model was compiled with."""
    settings: dict[str, Any] = {"lr": float(model.optimizer.learning_rate)}
    if kind is torch.optim.SGD:
        settings["momentum"] = float(model.optimizer.momentum)

    def make(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return kind([p for p in parameters if p.requires_grad], **settings)

    return make


def plain_name(name: str) -> str:
    """A weight's name without what Keras puts in front of it: `_functional._torch_params.sequential/dense/bias` is `sequential/dense/bias`."""
    return name.rpartition("_torch_params.")[2]

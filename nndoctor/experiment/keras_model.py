"""A compiled Keras model on the torch backend: its own loss, and its optimizer as torch's of the same name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.backward import backward_replaced

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
    """The model's output. Keras does not look at torch's mode: it is told whether this is training, as its `fit` tells it.

    A functional model that is made of a list of inputs takes a list.
    """
    if not is_keras(model):
        return model(*places, **names)
    if places and isinstance(places[0], Mapping) and isinstance(getattr(model, "_inputs_struct", None), (list, tuple)):
        places = (list(places[0].values()), *places[1:])
    return model(*places, **names, training=model.training)


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


def own_parameters(layer: Any) -> list[Tensor]:  # noqa: ANN401
    """The parameters of a module without those of modules within, or of a layer of Keras."""
    return [w.value for w in layer.weights] if is_keras(layer) else list(layer.parameters(recurse=False))


def layer_called(model: nn.Module, name: str) -> nn.Module:
    """The module at a path, or the layer of a Keras model by its name."""
    return dict(layers_in(model))[name] if is_keras(model) else model.get_submodule(name)


def unbuilt(model: nn.Module) -> bool:
    """Whether a Keras model has no weights before its first batch, as one of a class of the user's own."""
    return is_keras(model) and not any(p.is_floating_point() for p in model.parameters())  # a seed may be there


def compiled_parts(model: nn.Module) -> dict[str, object]:
    """`loss`, or the `train_step` of its class, and `optimizer` of a compiled Keras model; nothing for any other model."""
    given: Any = model
    if not is_keras(model) or not getattr(given, "compiled", False):
        return {}
    parts: dict[str, object] = {"train_step": _train_step} if has_own_step(given) else {"loss": _loss(given)}
    return parts | as_torch({"optimizer": given.optimizer})


def as_torch(parts: Mapping[str, object]) -> dict[str, object]:
    """The parts of a file with losses and optimizers of Keras as those of torch are called; an optimizer that torch lacks is left out."""
    made: dict[str, object] = {}
    for name, part in parts.items():
        given: Any = part
        if type(part).__module__.partition(".")[0] != "keras" or name not in ("loss", "optimizer"):
            made[name] = part
        elif name == "loss":  # Keras takes the target first
            made[name] = lambda output, target, loss=given: loss(target, output)
        elif (kind := OPTIMIZERS.get(type(given).__name__)) is not None:
            made[name] = _optimizer(given, kind)
    return made


def has_own_step(model: Any) -> bool:  # noqa: ANN401
    """Whether the class of a model has a train_step of its own with one backward pass; a GAN's two have no loss in common."""
    own = next((vars(base)["train_step"] for base in type(model).__mro__ if "train_step" in vars(base)), None)
    if own is None or own.__module__.partition(".")[0] == "keras":
        return False
    code = (line.partition("#")[0] for line in inspect.getsource(own).splitlines())
    return sum(line.count(".backward(") for line in code) == 1


def _train_step(model: Any, batch: Any, optimizer: torch.optim.Optimizer) -> Tensor:  # noqa: ANN401
    """The model's own train_step, whose gradients go to an optimizer of torch's in place of that of Keras, and its loss.

    What it returns by itself are means over an epoch.
    """
    losses: list[Tensor] = []

    def go_back(loss: Tensor, go: Callable[[], object]) -> None:
        losses.append(loss.detach())
        go()

    def apply(gradients: Iterable[Tensor | None], variables: Iterable[Any] | None = None) -> None:
        pairs = list(zip(variables or model.trainable_variables, gradients, strict=True))
        kept = [(p, p.grad) for p in model.parameters()]
        for parameter, _ in kept:
            parameter.grad = None  # only what is given to apply is trained
        for variable, gradient in pairs:
            variable.value.grad = gradient
        optimizer.step()
        for parameter, gradient in kept:
            parameter.grad = gradient

    model.optimizer.apply = apply
    try:
        with backward_replaced(go_back):
            model.train_step(tuple(batch) if isinstance(batch, list) else batch)
    finally:
        del model.optimizer.apply
    return losses[0]


def _loss(model: Any) -> Callable[[Any, Any], Tensor]:  # noqa: ANN401
    def loss(output: Any, target: Any) -> Tensor:  # noqa: ANN401
        found: Tensor = model.compute_loss(y=target, y_pred=output)
        for layer in (model, *model._flatten_layers(include_self=False)):  # noqa: SLF001 - no public name gives what add_loss keeps
            layer._losses[:] = [each.detach() for each in layer._losses]  # noqa: SLF001 - of the last pass, which has gone back
        return found

    return loss


def _optimizer(
    given: Any,  # noqa: ANN401
    kind: type[torch.optim.Optimizer],
) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """The same optimizer of torch's, with the learning rate and, for SGD, the momentum of one of Keras."""
    settings: dict[str, Any] = {"lr": float(given.learning_rate)}
    if kind is torch.optim.SGD:
        settings["momentum"] = float(given.momentum)

    def make(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return kind([p for p in parameters if p.requires_grad], **settings)

    return make


def plain_name(name: str) -> str:
    """A weight's name without what Keras puts in front of it: `_functional._torch_params.sequential/dense/bias` is `sequential/dense/bias`."""
    return name.rpartition("_torch_params.")[2]


def words_of_compile(names: Mapping[str, object]) -> set[str]:
    """The names of a loss and an optimizer that a Keras model knows by their own names, which compile() was given."""
    model = names.get("model")
    known = isinstance(model, nn.Module) and is_keras(model)
    return {name for name in ("loss", "optimizer") if isinstance(names.get(name), str)} if known else set()

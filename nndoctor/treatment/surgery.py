"""Changes of a model in memory: dropout, initialization, activations, normalized inputs. The user's file stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nndoctor.experiment.data import Batch
from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.steps import TARGETS
from nndoctor.treatment import functions

DROPOUT = 0.4  # Srivastava et al. 2014: 0.5 is near the optimum for wide networks; narrow ones want less
MAX_BATCHES = 64  # that the inputs' mean and standard deviation are measured on
USUAL_STD = (0.5, 2.0)  # standard deviations of inputs that need no scaling
NEAR_ZERO = 0.5  # a mean within so many standard deviations of zero needs no centring
REGRESSIONS = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

Weighted = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


def layers_with_weights(model: nn.Module) -> list[Weighted]:
    """The linear and convolutional layers, in the order in which the model holds them."""
    return [module for module in model.modules() if isinstance(module, WEIGHTED)]


def with_dropout(experiment: Experiment) -> None:
    """Dropout before each linear layer but the first with weights; before the last layer where there is no other."""
    layers = layers_with_weights(experiment.model)
    chosen = [layer for layer in layers[1:] if isinstance(layer, nn.Linear)] or layers[-1:]

    def drop(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (functional.dropout(inputs[0], DROPOUT, module.training), *inputs[1:])

    for layer in chosen:
        layer.register_forward_pre_hook(drop)


def initialized(experiment: Experiment) -> None:
    """He's initialization (He et al. 2015) of every linear and convolutional layer; biases zero; PyTorch's of recurrent layers."""
    for layer in layers_with_weights(experiment.model):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for module in experiment.model.modules():
        if isinstance(module, RECURRENT):
            module.reset_parameters()


def rectified(experiment: Experiment) -> None:
    """ReLU in place of hidden sigmoids and tanhs, with the initialization that fits it."""
    functions.rectified(experiment)
    initialized(experiment)


def unfrozen(experiment: Experiment) -> None:
    """Every parameter is trained."""
    for parameter in experiment.model.parameters():
        parameter.requires_grad = True


def last_module(model: nn.Module) -> nn.Module | None:
    """The last module without children."""
    return next((module for module in reversed(list(model.modules())) if not list(module.children())), None)


def output_unfit(experiment: Experiment) -> bool:
    """Whether an output activation does not fit the loss: a softmax before cross-entropy, or a range without the targets."""
    last, loss = last_module(experiment.model), experiment.loss
    if isinstance(loss, nn.CrossEntropyLoss):
        return isinstance(last, (nn.Softmax, nn.Sigmoid, nn.ReLU, nn.Tanh))
    if isinstance(loss, nn.BCEWithLogitsLoss):
        return isinstance(last, (nn.Sigmoid, nn.Softmax, nn.ReLU))
    ranges = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0), nn.ReLU: (0.0, float("inf")), nn.Softmax: (0.0, 1.0)}
    low, high = ranges.get(type(last), (float("-inf"), float("inf")))  # type: ignore[arg-type]  # last may be None
    batch = next(iter(experiment.train_data), None)
    target = batch[-1] if isinstance(batch, (tuple, list)) and len(batch) > 1 else None
    if not isinstance(loss, REGRESSIONS) or not isinstance(target, Tensor):
        return False
    return float(target.min()) < low or float(target.max()) > high


def with_raw_output(experiment: Experiment) -> None:
    """The output without its activation."""
    last = last_module(experiment.model)
    for parent in experiment.model.modules():
        for name, module in parent.named_children():
            if module is last:
                setattr(parent, name, nn.Identity())


def input_of(batch: Batch) -> tuple[str | int, Tensor] | None:
    """The first input of a batch, and its place or name, where it holds floating-point numbers."""
    if isinstance(batch, (tuple, list)) and len(batch) > 1:
        return (0, batch[0]) if _is_numeric(batch[0]) else None
    if isinstance(batch, Mapping):
        return next(((str(k), v) for k, v in batch.items() if k not in TARGETS and _is_numeric(v)), None)
    return None


def _is_numeric(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() >= 2


@dataclass(frozen=True, slots=True)
class InputScale:
    """Mean and standard deviation of the first input over the training set, per feature or channel at dimension `axis`."""

    place: str | int
    axis: int
    mean: Tensor
    std: Tensor

    def applied(self, value: Tensor) -> Tensor:
        """The input standardized."""
        shape = [1] * value.dim()
        shape[self.axis] = -1
        return (value - self.mean.to(value).view(shape)) / self.std.to(value).view(shape)

    @property
    def modest(self) -> bool:
        """Whether the inputs are centred and scaled well enough already."""
        low, high = USUAL_STD
        even = bool(((self.std > low) & (self.std < high)).double().mean() > 0.9)
        return even and bool((self.mean.abs() < NEAR_ZERO * high).all())


def scale_of(experiment: Experiment) -> InputScale | None:
    """The scale of the inputs; None where they are no floating-point tensors."""
    seen = []
    for count, batch in enumerate(experiment.train_data):
        found = input_of(batch)
        if count >= MAX_BATCHES or found is None:
            break
        seen.append(found)
    if not seen:
        return None
    place, first = seen[0]
    layers = layers_with_weights(experiment.model)
    axis = 1 if first.dim() == 2 or (layers and not isinstance(layers[0], nn.Linear)) else first.dim() - 1
    whole = torch.cat([one.detach().double().movedim(axis, -1).flatten(0, -2) for _, one in seen])
    mean, std = whole.mean(0), whole.std(0)
    std = torch.where(std > 1e-8 * whole.abs().max().clamp_min(1e-12), std, torch.ones_like(std))
    return InputScale(place, axis, mean, std)


def normalized(experiment: Experiment) -> None:
    """Standardize the inputs by the mean and standard deviation of the training set: per feature, or per channel."""
    scale = scale_of(experiment)
    if scale is None:
        raise TypeError("the inputs are not floating-point tensors")

    def standardize(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        if isinstance(scale.place, int) and args:
            return (scale.applied(args[0]), *args[1:]), kwargs
        if scale.place in kwargs:
            return args, {**kwargs, scale.place: scale.applied(kwargs[scale.place])}
        return args, kwargs

    experiment.model.register_forward_pre_hook(standardize, with_kwargs=True)


def target_scale(experiment: Experiment) -> tuple[float, float] | None:
    """Mean and standard deviation of the targets of a regression whose loss is a known one; None for any other task."""
    if not isinstance(experiment.loss, REGRESSIONS) or experiment.step is not None:
        return None
    held = []
    for count, batch in enumerate(experiment.train_data):
        if count >= MAX_BATCHES or not isinstance(batch, (tuple, list)) or not isinstance(batch[-1], Tensor):
            break
        held.append(batch[-1].double().flatten())
    whole = torch.cat(held) if held else torch.zeros(0)
    return (float(whole.mean()), float(whole.std())) if len(whole) > 1 and float(whole.std()) > 0 else None


def with_scaled_targets(experiment: Experiment) -> None:
    """The network learns standardized targets; its outputs are scaled back where it is evaluated."""
    found, loss, model = target_scale(experiment), experiment.loss, experiment.model
    if found is None or loss is None:
        raise TypeError("the targets are not numbers")
    mean, std = found

    def scaled(output: Tensor, target: Tensor) -> Tensor:
        return loss(output, (target - mean) / std) if model.training else loss(output * std + mean, target)

    experiment.loss = scaled

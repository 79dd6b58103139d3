"""Changes of a model in memory: dropout, initialization, activations, normalized inputs. The user's file stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from nndoctor.experiment.data import Batch
from nndoctor.experiment.experiment import Experiment

DROPOUT = 0.5  # Srivastava et al. 2014: near the optimum for a wide range of networks
MAX_BATCHES = 64  # that the inputs' mean and standard deviation are measured on
SATURATING = (nn.Sigmoid, nn.Tanh)
DROPS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def layers_with_weights(model: nn.Module) -> list[nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d]:
    """The linear and convolutional layers, in the order in which the model holds them."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [module for module in model.modules() if isinstance(module, kinds)]


def has_dropout(model: nn.Module) -> bool:
    """Whether any dropout layer is active."""
    return any(isinstance(module, DROPS) and module.p > 0 for module in model.modules())


def without_dropout(experiment: Experiment) -> None:
    """Switch off every dropout layer."""
    for module in experiment.model.modules():
        if isinstance(module, DROPS):
            module.p = 0.0


def with_dropout(experiment: Experiment) -> None:
    """Dropout before the last layer with weights."""
    last = layers_with_weights(experiment.model)[-1]

    def drop(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (functional.dropout(inputs[0], DROPOUT, module.training), *inputs[1:])

    last.register_forward_pre_hook(drop)


def initialized(experiment: Experiment) -> None:
    """He's initialization (He et al. 2015) of every linear and convolutional layer; biases zero."""
    for layer in layers_with_weights(experiment.model):
        if layer.weight.requires_grad:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def saturating_layers(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """The hidden sigmoid and tanh modules, each with its parent and name; one after the last weights is an output."""
    order = [(parent, name, module) for parent in model.modules() for name, module in parent.named_children()]
    weights = layers_with_weights(model)
    last = max((k for k, (_, _, module) in enumerate(order) if weights and module is weights[-1]), default=-1)
    return [
        (parent, name) for k, (parent, name, module) in enumerate(order) if isinstance(module, SATURATING) and k < last
    ]


def rectified(experiment: Experiment) -> None:
    """ReLU in place of hidden sigmoids and tanhs, with the initialization that fits it."""
    for parent, name in saturating_layers(experiment.model):
        setattr(parent, name, nn.ReLU())
    initialized(experiment)


def ends_in_softmax(experiment: Experiment) -> bool:
    """Whether the last module is a softmax although the loss takes logits."""
    modules = [module for module in experiment.model.modules() if not list(module.children())]
    return bool(modules) and isinstance(modules[-1], nn.Softmax) and isinstance(experiment.loss, nn.CrossEntropyLoss)


def without_softmax(experiment: Experiment) -> None:
    """The logits themselves, as CrossEntropyLoss expects."""
    for parent in experiment.model.modules():
        for name, module in parent.named_children():
            if isinstance(module, nn.Softmax):
                setattr(parent, name, nn.Identity())


def inputs_of(batch: Batch) -> Tensor | None:
    """The first tensor of a batch where it holds floating-point inputs."""
    first = batch[0] if isinstance(batch, (tuple, list)) and batch else None
    return first if isinstance(first, Tensor) and first.is_floating_point() and first.dim() >= 2 else None


def normalized(experiment: Experiment) -> None:
    """Standardize the inputs by the mean and standard deviation of the training set: per feature, or per channel."""
    seen = [found for found in _first_inputs(experiment) if found is not None]
    whole = torch.cat([one.detach().double().movedim(1, -1).flatten(0, -2) for one in seen])
    mean, std = whole.mean(0), whole.std(0)
    std = torch.where(std > 1e-8 * whole.abs().max().clamp_min(1e-12), std, torch.ones_like(std))

    def scale(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        first = inputs[0]
        shape = [1, -1] + [1] * (first.dim() - 2)
        return ((first - mean.to(first).view(shape)) / std.to(first).view(shape), *inputs[1:])

    experiment.model.register_forward_pre_hook(scale)


def _first_inputs(experiment: Experiment) -> Iterator[Tensor | None]:
    for count, batch in enumerate(experiment.train_data):
        if count >= MAX_BATCHES:
            return
        yield inputs_of(batch)

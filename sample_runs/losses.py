"""The losses and metrics of the sample runs: each takes outputs and targets and gives one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Measure = Callable[[Tensor, Tensor], Tensor]


class Loss(NamedTuple):
    """What is minimized, what is reported beside it, and that metric's name."""

    loss: Measure
    metric: Measure
    name: str


def naive_cross_entropy(out: Tensor, y: Tensor) -> Tensor:
    """The logarithm of a softmax, taken literally: log 0 once the net is sure of a wrong answer."""
    return -(functional.one_hot(y, 10) * torch.softmax(out, dim=1).log()).sum(dim=1).mean()


def soft_dice(out: Tensor, y: Tensor) -> Tensor:
    """Minus the dice overlap of mask and prediction: from 0 (none) to -1 (all), as nnU-Net logs it."""
    p = torch.sigmoid(out)
    return -(2 * (p * y).sum(dim=1) / (p.sum(dim=1) + y.sum(dim=1))).mean()


def gaussian(out: Tensor, y: Tensor) -> Tensor:
    """Negative log-likelihood of a normal distribution whose mean and log-variance the net gives."""
    return functional.gaussian_nll_loss(out[:, :1], y, out[:, 1:].exp())


def accuracy(out: Tensor, y: Tensor) -> Tensor:
    """The share of examples whose largest output is the target's."""
    return (out.argmax(dim=1) == y).float().mean()


def binary_accuracy(out: Tensor, y: Tensor) -> Tensor:
    """The share of examples on which the rounded probability is the target."""
    return ((out > 0).float() == y).float().mean()


def dice(out: Tensor, y: Tensor) -> Tensor:
    """The overlap of the mask and the prediction at one half."""
    p = (out > 0).float()
    return (2 * (p * y).sum(dim=1) / (p.sum(dim=1) + y.sum(dim=1)).clamp(min=1)).mean()


def mean_absolute_error(out: Tensor, y: Tensor) -> Tensor:
    """The mean distance of the first output from the target."""
    return (out[:, :1] - y).abs().mean()


LOSSES = {
    "cross-entropy": Loss(functional.cross_entropy, accuracy, "accuracy"),
    "naive-cross-entropy": Loss(naive_cross_entropy, accuracy, "accuracy"),
    "binary": Loss(functional.binary_cross_entropy_with_logits, binary_accuracy, "accuracy"),
    "squared": Loss(functional.mse_loss, mean_absolute_error, "mae"),
    "gaussian": Loss(gaussian, mean_absolute_error, "mae"),
    "dice": Loss(soft_dice, dice, "dice"),
}

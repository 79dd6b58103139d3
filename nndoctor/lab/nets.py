"""The networks of the lessons: plain ones whose activation, initialization, normalization and depth can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from nndoctor.lab.data import CLASSES, SIDE

PIXELS = SIDE * SIDE

Make = Callable[[], nn.Module]
Init = Callable[[nn.Linear], None]


class Maxout(nn.Module):
    """The larger of two linear maps, unit by unit (Goodfellow et al. 2013, arXiv:1302.4389)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pieces = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) -> (n, outputs)."""
        both: Tensor = self.pieces(x)
        return both.reshape(len(x), 2, -1).amax(1)


class Shortcut(nn.Module):
    """What a block adds to its input (He et al. 2015, arXiv:1512.03385)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        out: Tensor = x + self.block(x)
        return out


def mlp(
    *widths: int,
    act: Make = nn.ReLU,
    init: Init | None = None,
    norm: Callable[[int], nn.Module] | None = None,
    dropout: float = 0.0,
    shortcuts: bool = False,
) -> nn.Sequential:
    """Linear layers of these widths with an activation between, normalized before it, dropped out behind it."""
    layers: list[nn.Module] = []
    pairs = list(pairwise(widths))
    for k, (a, b) in enumerate(pairs):
        linear = nn.Linear(a, b)
        if init is not None:
            init(linear)
        if k == len(pairs) - 1:
            layers.append(linear)
            break
        block = [linear, *([norm(b)] if norm else []), act(), *([nn.Dropout(dropout)] if dropout else [])]
        layers += [Shortcut(nn.Sequential(*block))] if shortcuts and a == b else block
    return nn.Sequential(*layers)


def maxout(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two maxout layers and a linear one."""
    return nn.Sequential(Maxout(inputs, width), Maxout(width, width), nn.Linear(width, outputs))


def convolutional(norm: Callable[[int], nn.Module] | None = None, width: int = 16) -> nn.Sequential:
    """Two convolutions and a linear layer for glyphs."""

    def block(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 3, padding=1), *([norm(b)] if norm else []), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*block(1, width), *block(width, width), nn.Flatten(), nn.Linear(width * 9, CLASSES))


def normal(deviation: float) -> Init:
    """Weights of a fixed deviation, no bias."""

    def init(linear: nn.Linear) -> None:
        nn.init.normal_(linear.weight, std=deviation) if deviation else nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)

    return init


def xavier(linear: nn.Linear) -> None:
    """Glorot and Bengio, 2010."""
    nn.init.xavier_normal_(linear.weight)
    nn.init.zeros_(linear.bias)


def he(linear: nn.Linear) -> None:
    """He et al., 2015, arXiv:1502.01852."""
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)


def he_small_head(linear: nn.Linear) -> None:
    """He's weights, and a last layer that begins near zero: the first loss is that of random guessing."""
    he(linear)
    if linear.out_features == CLASSES:
        linear.weight.data *= 0.1


def small_branch(linear: nn.Linear) -> None:
    """Layers that keep the width begin small, as in Fixup (Zhang et al. 2019): thirty shortcuts then keep the signal's size."""
    he_small_head(linear)
    if linear.in_features == linear.out_features:
        linear.weight.data *= 0.1


def negative_bias(deviation: float) -> Init:
    """He's weights under biases so low that most units never fire."""

    def init(linear: nn.Linear) -> None:
        he(linear)
        nn.init.constant_(linear.bias, -deviation)

    return init


def trainable(module: nn.Module, *, yes: bool) -> None:
    """Freeze a module or thaw it."""
    for parameter in module.parameters():
        parameter.requires_grad_(yes)


def features_of(network: nn.Sequential) -> nn.Sequential:
    """All but the last layer."""
    return nn.Sequential(*list(network)[:-1])


def generator(seed: int) -> torch.Generator:
    """A source of chance of its own."""
    return torch.Generator().manual_seed(seed)

"""The nets on which the recorder's cost is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Block(nn.Module):
    """A transformer block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.up, self.act, self.down = nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attention, then the perceptron, each beside a shortcut."""
        y = self.norm1(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device)
        x = x + self.attention(y, y, y, attn_mask=mask, need_weights=False)[0]
        out: Tensor = x + self.down(self.act(self.up(self.norm2(x))))
        return out


class Gpt(nn.Module):
    """A small GPT over bytes."""

    def __init__(self, width: int = 128, depth: int = 4, words: int = 256, length: int = 64) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Parameter(torch.zeros(length, width))
        self.blocks = nn.Sequential(*[Block(width) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (examples, words, places)."""
        logits: Tensor = self.head(self.norm(self.blocks(self.words(x) + self.places))).transpose(1, 2)
        return logits


def mlp() -> nn.Module:
    """784-512-512-10."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )


def conv() -> nn.Module:
    """Four convolutions with batch normalization."""
    parts: list[nn.Module] = []
    for a, b, step in ((3, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2)):
        parts += [nn.Conv2d(a, b, 3, step, 1), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def images(*shape: int) -> Callable[[], tuple[Tensor, Tensor]]:
    """Batches of noise."""
    return lambda: (torch.randn(shape), torch.randint(10, shape[:1]))


def text() -> tuple[Tensor, Tensor]:
    """A batch of random bytes and their next ones."""
    x = torch.randint(256, (16, 65))
    return x[:, :-1], x[:, 1:]


@dataclass(frozen=True, slots=True)
class Task:
    """A net, its batches, the share a sampled step may cost, and how many steps a round has."""

    name: str
    net: Callable[[], nn.Module]
    batch: Callable[[], tuple[Tensor, Tensor]]
    goal: float
    steps: int


TASKS = (
    Task("MLP 784-512-512-10, batch 128", mlp, images(128, 784), 0.20, 300),
    Task("conv net, 32x32, batch 32", conv, images(32, 3, 32, 32), 0.04, 60),
    Task("GPT, 4 blocks of 128, 16 x 64", Gpt, text, 0.04, 60),
)

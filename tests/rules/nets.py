"""Small networks of many kinds, and a loop that trains them under the recorder, for the rules on layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as torch's own pages call it

import nndoctor
from nndoctor.core.run import Run

Batch = tuple[Tensor, Tensor]


def pictures(n: int = 64, size: int = 16, channels: int = 3, seed: int = 0) -> Callable[[int], Batch]:
    """Batches of pictures: ten classes, each a fixed pattern under noise of half its size; mean 0, deviation 1."""
    g = torch.Generator().manual_seed(seed)
    patterns = torch.randn(10, channels, size, size, generator=g)

    def batch(step: int) -> Batch:
        h = torch.Generator().manual_seed(1000 * seed + step)
        y = torch.randint(0, 10, (n,), generator=h)
        x = patterns[y] + torch.randn(n, channels, size, size, generator=h)
        return x / math.sqrt(2), y

    return batch


def vectors(n: int = 64, width: int = 32, seed: int = 0, classes: int = 10) -> Callable[[int], Batch]:
    """Batches of vectors whose class is what a random two-layer teacher says; mean 0, deviation 1."""
    g = torch.Generator().manual_seed(seed)
    first, second = torch.randn(width, 24, generator=g), torch.randn(24, classes, generator=g)

    def batch(step: int) -> Batch:
        x = torch.randn(n, width, generator=torch.Generator().manual_seed(1000 * seed + step))
        return x, (torch.tanh(x @ first / 3) @ second).argmax(1)

    return batch


def curves(n: int = 64, width: int = 16, seed: int = 0) -> Callable[[int], Batch]:
    """Regression: a smooth function of a vector, mean 0, deviation near 1."""
    g = torch.Generator().manual_seed(seed)
    w = torch.randn(width, generator=g) / math.sqrt(width)

    def batch(step: int) -> Batch:
        x = torch.randn(n, width, generator=torch.Generator().manual_seed(1000 * seed + step))
        return x, (1.3 * torch.sin(2 * x @ w) + 0.3 * x[:, 0])[:, None]

    return batch


def words(n: int = 16, length: int = 16, vocabulary: int = 30, seed: int = 0) -> Callable[[int], Batch]:
    """Sequences that mostly follow a fixed table of successors, and the next word at each place."""
    g = torch.Generator().manual_seed(seed)
    after = torch.randint(0, vocabulary, (vocabulary,), generator=g)

    def batch(step: int) -> Batch:
        h = torch.Generator().manual_seed(1000 * seed + step)
        rows = [torch.randint(0, vocabulary, (n,), generator=h)]
        for _ in range(length):
            strays = torch.rand(n, generator=h) < 0.15
            rows.append(torch.where(strays, torch.randint(0, vocabulary, (n,), generator=h), after[rows[-1]]))
        text = torch.stack(rows, 1)
        return text[:, :-1], text[:, 1:]

    return batch


def mlp(
    depth: int = 3,
    width: int = 64,
    activation: type[nn.Module] = nn.ReLU,
    init: Callable[[Tensor], object] | None = None,
    inputs: int = 32,
    outputs: int = 10,
    norm: bool = False,
    dropout: float = 0.0,
) -> nn.Sequential:
    """`depth` hidden layers and an output; `init` draws each hidden weight (biases zero), None leaves torch's own."""
    layers: list[nn.Module] = []
    sizes = [inputs] + [width] * depth
    for a, b in pairwise(sizes):
        linear = nn.Linear(a, b)
        if init is not None:
            init(linear.weight)
            nn.init.zeros_(linear.bias)
        layers += [linear, *([nn.BatchNorm1d(b)] if norm else []), activation()]
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def he(weight: Tensor) -> None:
    """He's initialization."""
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


class LeNet(nn.Module):
    """Two convolutions with functional ReLU and pooling, three linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5, padding=2), nn.Conv2d(6, 16, 5, padding=2)
        self.fc1, self.fc2, self.fc3 = nn.Linear(256, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def vgg() -> nn.Module:
    """A small VGG with batch normalization."""
    layers: list[nn.Module] = []
    before = 3
    for width in (16, 16, 0, 32, 32, 0, 64, 64, 0):
        if not width:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        before = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))


class Block(nn.Module):
    """A residual block; its last normalization starts at zero, as large-batch recipes have it."""

    def __init__(self, a: int, b: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        nn.init.zeros_(self.bn2.weight)
        self.down = nn.Conv2d(a, b, 1, stride, bias=False) if a != b else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The sum of path and shortcut."""
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.down(x))


def resnet() -> nn.Module:
    """A small residual network."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16), Block(16, 32, 2), Block(32, 32), Block(32, 64, 2), Block(64, 64),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


class UNet(nn.Module):
    """Two levels down, two up, with shortcuts."""

    def __init__(self) -> None:
        super().__init__()

        def twice(a: int, b: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())

        self.a, self.b, self.c = twice(3, 8), twice(8, 16), twice(16, 32)
        self.up1, self.up2 = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.d, self.e, self.out = twice(32, 16), twice(16, 8), nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """A logit for each pixel."""
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        c = self.c(F.max_pool2d(b, 2))
        d = self.d(torch.cat([self.up1(c), b], 1))
        return self.out(self.e(torch.cat([self.up2(d), a], 1)))


class Recurrent(nn.Module):
    """Embedding, LSTM or GRU, and a word at each place."""

    def __init__(self, kind: type[nn.Module], vocabulary: int = 30) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(vocabulary, 32), kind(32, 48, batch_first=True)
        self.head = nn.Linear(48, vocabulary)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (n, length, vocabulary)."""
        return self.head(self.rnn(self.embedding(x))[0])


class Encoder(nn.Module):
    """torch's transformer encoder over words, classified by the mean place."""

    def __init__(self, *, first: bool, activation: str = "relu") -> None:
        super().__init__()
        self.embedding = nn.Embedding(30, 32)
        self.place = nn.Parameter(torch.zeros(16, 32))
        layer = nn.TransformerEncoderLayer(
            32, 4, 64, dropout=0.1, activation=activation, batch_first=True, norm_first=first
        )
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Linear(32, 30)

    def forward(self, x: Tensor) -> Tensor:
        """Logits at each place."""
        return self.head(self.encoder(self.embedding(x) + self.place))


class GPTBlock(nn.Module):
    """Attention and a GELU network, each behind a normalization."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The stream with both branches added."""
        n, t, d = x.shape
        q, k, v = (part.view(n, t, 4, d // 4).transpose(1, 2) for part in self.qkv(self.ln1(x)).split(d, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(n, t, d))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class GPT(nn.Module):
    """A small GPT-2: tied weights, its initialization, positions learned."""

    def __init__(self, vocabulary: int = 30, width: int = 48, depth: int = 3) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(16, width)
        self.blocks = nn.ModuleList([GPTBlock(width) for _ in range(depth)])
        self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.wte.weight
        for name, p in self.named_parameters():
            if p.ndim == 2:
                small = 0.02 / math.sqrt(2 * depth) if name.endswith(("proj.weight", "down.weight")) else 0.02
                nn.init.normal_(p, std=small)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (n, length, vocabulary)."""
        x = self.wte(x) + self.wpe(torch.arange(x.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln(x))


class ViT(nn.Module):
    """A small vision transformer with a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 4, 4)
        self.token, self.place = nn.Parameter(torch.zeros(1, 1, 32)), nn.Parameter(torch.zeros(1, 17, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 10)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Logits from the class token."""
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.place
        return self.head(self.norm(self.encoder(x))[:, 0])


class Gated(nn.Module):
    """Convolutions with squeeze-and-excitation gates and gated linear units: sigmoids that may well saturate."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.conv2 = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.Conv2d(16, 32, 3, 2, 1)
        self.squeeze, self.excite = nn.Linear(32, 8), nn.Linear(8, 32)
        self.value, self.gate, self.head = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        x = F.silu(self.bn(self.conv(x)))
        x = F.leaky_relu(self.conv2(x))
        s = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3))))))
        x = (x * s[:, :, None, None]).mean((2, 3))
        return self.head(self.value(x) * torch.sigmoid(self.gate(x)))


def autoencoder() -> nn.Module:
    """A narrow middle, a sigmoid at the end."""
    sizes = (64, 32, 8, 32, 64)
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Sigmoid())


def logits(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy."""
    out = model(batch[0])
    return F.cross_entropy(out.flatten(0, -2), batch[1].flatten())


def squares(model: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error."""
    return F.mse_loss(model(batch[0]), batch[1])


def train(
    folder: Path,
    model: nn.Module,
    batch: Callable[[int], Batch],
    loss_of: Callable[[nn.Module, Batch], Tensor] = logits,
    *,
    steps: int = 60,
    lr: float = 0.1,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
    parameters: object = None,
    every: int = 3,
    **settings: object,
) -> Run:
    """Train under the recorder and read the folder back."""
    torch.set_num_threads(1)  # sums in another order would make other runs
    descent = optimizer(parameters if parameters is not None else model.parameters(), lr=lr, **settings)
    with nndoctor.Recorder(model, descent, folder=folder, every=every) as rec:
        for step in range(steps):
            loss = loss_of(model, batch(step))
            descent.zero_grad()
            loss.backward()
            descent.step()
            rec.step(loss=loss)
    assert rec.off == "closed"
    (run,) = nndoctor.read(folder)
    return run

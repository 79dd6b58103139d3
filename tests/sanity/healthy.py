"""Healthy architectures of every usual kind, small, with data that they can learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nndoctor.sanity.subject import Subject

N, BATCH = 96, 16


def batches(*columns: Tensor) -> list[Any]:
    """Shuffled data in batches; a single column is its own target."""
    parts = list(zip(*(c.split(BATCH) for c in columns), strict=True))
    return [p if len(p) > 1 else p[0] for p in parts]


def subject(model: nn.Module, loss: Callable[..., Any] | None, data: list[Any], **more: Any) -> Subject:
    """A subject with Adam at a usual rate."""
    optimizer = torch.optim.Adam(model.parameters(), lr=more.pop("lr", 2e-3))
    return Subject("model.py", model, loss, more.pop("step", None), data, None, optimizer, None, **more)


def images(channels: int = 1, size: int = 8, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Noise with a bright bar whose place is the class; normalized."""
    y = torch.arange(N) % classes
    y = y[torch.randperm(N)]
    x = torch.randn(N, channels, size, size) * 0.5
    for k in range(N):
        x[k, :, y[k] * size // classes] += 2.0
    return (x - x.mean()) / x.std(), y


def words(length: int = 10, vocabulary: int = 12) -> tuple[Tensor, Tensor]:
    """Sequences of tokens, and whether a certain one is among them."""
    x = torch.randint(1, vocabulary, (N, length))
    x[: N // 2, 3] = 0
    x = x[torch.randperm(N)]
    return x, (x == 0).any(1).long()


def mlp() -> Subject:
    """Three linear layers with ReLU."""
    x = torch.randn(N, 8)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
    return subject(model, nn.CrossEntropyLoss(), batches(x, x[:, :3].argmax(1)))


def lenet() -> Subject:
    """Convolutions, pooling, tanh."""
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 12, 3, padding=1), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 3),
    )  # fmt: skip
    return subject(model, nn.CrossEntropyLoss(), batches(*images()))


def vgg(norm: bool) -> Subject:
    """Pairs of convolutions and pooling, with or without batch normalization."""
    layers: list[nn.Module] = []
    for before, after in ((1, 8), (8, 8), (8, 16), (16, 16)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=not norm)]
        layers += [nn.BatchNorm2d(after)] if norm else []
        layers += [nn.ReLU()] + ([nn.MaxPool2d(2)] if before == after else [])
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
    return subject(model, nn.CrossEntropyLoss(), batches(*images()))


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.short = nn.Identity() if before == after else nn.Conv2d(before, after, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        y = self.norm2(self.second(functional.relu(self.norm1(self.first(x)))))
        return functional.relu(y + self.short(x))


def resnet() -> Subject:
    """Residual blocks and a global mean."""
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), Residual(8, 8), Residual(8, 16),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip
    data = images(classes=3)
    return subject(model, nn.CrossEntropyLoss(), batches(*data))


class UNet(nn.Module):
    """One level down and up, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.middle = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.end = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        high = self.down(x)
        return self.end(torch.cat([high, self.up(self.middle(high))], 1))


def unet() -> Subject:
    """A mask of the bright pixels."""
    x, _ = images()
    return subject(UNet(), nn.BCEWithLogitsLoss(), batches(x, (x > 0.5).float()))


class Recurrent(nn.Module):
    """Embedding, a recurrent layer, and the last state."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU]) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.rnn = kind(8, 24, batch_first=True)
        self.head = nn.Linear(24, 2)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        return self.head(self.rnn(self.embed(x))[0].mean(1))


def recurrent(kind: type[nn.LSTM | nn.GRU]) -> Subject:
    """Classify a sequence."""
    return subject(Recurrent(kind), nn.CrossEntropyLoss(), batches(*words()), lr=5e-3)


class Encoder(nn.Module):
    """A transformer encoder over tokens, and their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 16)
        self.place = nn.Parameter(torch.randn(10, 16) * 0.02)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        return self.head(self.body(self.embed(x) + self.place).mean(1))


def encoder() -> Subject:
    """Classify a sequence by attention."""
    return subject(Encoder(), nn.CrossEntropyLoss(), batches(*words()))


class GPT(nn.Module):
    """Causal attention, tied weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 16)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.place = nn.Embedding(10, 16)
        nn.init.normal_(self.place.weight, std=0.1)
        layer = nn.TransformerEncoderLayer(16, 2, 64, 0.0, functional.gelu, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, nn.LayerNorm(16), enable_nested_tensor=False)
        self.head = nn.Linear(16, 12, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        hidden = self.embed(x) + self.place(torch.arange(x.shape[1]))
        return self.head(self.body(hidden, mask=mask, is_causal=True))


def next_token(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of every next token."""
    return functional.cross_entropy(output.flatten(0, 1), target.flatten())


def gpt() -> Subject:
    """Count upwards, from anywhere."""
    x = (torch.randint(0, 12, (N, 1)) + torch.arange(11)) % 12
    return subject(GPT(), next_token, batches(x[:, :-1], x[:, 1:]))


class ViT(nn.Module):
    """Patches, a class token, attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 16, 2, stride=2)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.place = nn.Parameter(torch.randn(1, 17, 16) * 0.02)
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, "gelu", batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, nn.LayerNorm(16), enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        seen = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.body(torch.cat([self.token.expand(len(x), -1, -1), seen], 1) + self.place)[:, 0])


def vit() -> Subject:
    """Classify an image by attention; a warmer rate than its usual, for its size."""
    return subject(ViT(), nn.CrossEntropyLoss(), batches(*images()))


def spread() -> Tensor:
    """Points near a plane in twelve dimensions."""
    return torch.tanh(torch.randn(N, 3) @ torch.randn(3, 12))


def autoencoder() -> Subject:
    """Through four numbers and back; the batch is its own target."""
    model = nn.Sequential(
        nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU(), nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 12)
    )
    return subject(model, nn.MSELoss(), batches(spread()))


class VAE(nn.Module):
    """Gaussian code, reparametrized."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 6))
        self.decode = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 12))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One pass."""
        mean, spread_ = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (0.5 * spread_).exp()), mean, spread_


def elbo(model: nn.Module, batch: Tensor) -> Tensor:
    """Reconstruction and divergence, summed over dimensions, meaned over the batch."""
    back, mean, spread_ = model(batch)
    divergence = -0.5 * (1 + spread_ - mean**2 - spread_.exp()).sum(1)
    return ((back - batch) ** 2).sum(1).mean() + 0.1 * divergence.mean()


def vae() -> Subject:
    """Its loss is a step of its own."""
    return subject(VAE(), None, batches(spread()), step=elbo)


class Siamese(nn.Module):
    """Two inputs through the same tower."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
        self.scale = nn.Parameter(torch.ones(1))
        self.shift = nn.Parameter(torch.zeros(1))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """One pass."""
        apart = (self.tower(a) - self.tower(b)).pow(2).mean(1)
        return self.shift - self.scale * apart


def siamese() -> Subject:
    """Are these two of one cluster?"""
    centres = torch.randn(4, 8)
    first, second = torch.randint(0, 4, (2, N))
    second = torch.where(torch.rand(N) < 0.5, first, second)
    a, b = (centres[k] + 0.2 * torch.randn(N, 8) for k in (first, second))
    data = [((p, q), y) for p, q, y in batches(a, b, (first == second).float())]
    return subject(Siamese(), nn.BCEWithLogitsLoss(), data)


def discriminator() -> Subject:
    """Real against made-up points."""
    real, fake = spread()[: N // 2], torch.randn(N // 2, 12)
    x, y = torch.cat([real, fake]), torch.cat([torch.ones(N // 2, 1), torch.zeros(N // 2, 1)])
    mixed = torch.randperm(N)
    model = nn.Sequential(nn.Linear(12, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    return subject(model, nn.BCEWithLogitsLoss(), batches(x[mixed], y[mixed]))


class Sine(torch.autograd.Function):
    """A sine with its derivative by hand, twice differentiable."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """As torch.autograd.Function wants it."""
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """As torch.autograd.Function wants it."""
        (x,) = ctx.saved_tensors
        return gradient * x.cos()


class Field(nn.Module):
    """A small network with sines."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(1, 32), nn.Linear(32, 32), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        """One pass."""
        return self.third(Sine.apply(self.second(Sine.apply(self.first(x)))))


def oscillator(model: nn.Module, batch: Tensor) -> Tensor:
    """U'' + u = 0 with u(0) = 0, u'(0) = 1: the residual and the start."""
    t = batch.clone().requires_grad_()
    u = model(t)
    slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    bend = torch.autograd.grad(slope.sum(), t, create_graph=True)[0]
    zero = torch.zeros(1, 1, dtype=batch.dtype, requires_grad=True)
    start = model(zero)
    rise = torch.autograd.grad(start.sum(), zero, create_graph=True)[0]
    return ((bend + u) ** 2).mean() + (start**2).sum() + ((rise - 1) ** 2).sum()


def physics() -> Subject:
    """A physics-informed network; its loss is a step of its own."""
    return subject(Field(), None, batches(torch.rand(N, 1) * 2 * math.pi - math.pi), step=oscillator)


class Detector(nn.Module):
    """Takes names, gives its own loss: class and box of the one object."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 32),
            nn.ReLU(),
        )  # fmt: skip
        self.kind, self.box = nn.Linear(32, 3), nn.Linear(32, 4)

    def forward(self, pixels: Tensor, labels: Tensor | None = None, boxes: Tensor | None = None) -> dict[str, Tensor]:
        """One pass."""
        seen = self.body(pixels)
        found = {"logits": self.kind(seen), "boxes": self.box(seen)}
        if labels is not None and boxes is not None:
            found["loss"] = functional.cross_entropy(found["logits"], labels) + functional.smooth_l1_loss(
                found["boxes"], boxes
            )
        return found


def detector() -> Subject:
    """Batches of names."""
    x, y = images()
    boxes = torch.stack([torch.zeros(N), y / 3, torch.ones(N), y / 3 + 1 / 8], 1)
    data = [{"pixels": a, "labels": b, "boxes": c} for a, b, c in batches(x, y, boxes)]
    return subject(Detector(), None, data)


def regression() -> Subject:
    """A smooth function of a few numbers."""
    x = torch.randn(N, 5)
    y = (x[:, :1] * x[:, 1:2] + x[:, 2:3].sin()) / 1.2
    model = nn.Sequential(nn.Linear(5, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))
    return subject(model, nn.MSELoss(), batches(x, y))


def linear() -> Subject:
    """Logistic regression that starts at zero."""
    x = torch.randn(N, 6)
    model = nn.Linear(6, 3)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return subject(model, nn.CrossEntropyLoss(), batches(x, x[:, :3].argmax(1)), lr=2e-2)


HEALTHY: dict[str, Callable[[], Subject]] = {
    "mlp": mlp, "lenet": lenet, "vgg": lambda: vgg(norm=False), "vgg-bn": lambda: vgg(norm=True), "resnet": resnet,
    "unet": unet, "lstm": lambda: recurrent(nn.LSTM), "gru": lambda: recurrent(nn.GRU), "encoder": encoder, "gpt": gpt,
    "vit": vit, "autoencoder": autoencoder, "vae": vae, "siamese": siamese, "discriminator": discriminator,
    "physics": physics, "detector": detector, "regression": regression, "linear": linear,
}  # fmt: skip

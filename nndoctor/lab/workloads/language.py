"""A tiny language model of letters: pretraining, supervised fine-tuning and preference tuning on text of any machine."""

from __future__ import annotations

import sysconfig
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from nndoctor.lab.workloads.descent import descend, descend_clipped

LETTERS = "\n abcdefghijklmnopqrstuvwxyz0123456789.,:;()[]{}=+-*/_'\"#<>@!?%&|"
CODE = {letter: k for k, letter in enumerate(LETTERS)}
CONTEXT = 48
Rows = list[dict[str, float]]


class Gpt(nn.Module):
    """Two transformer blocks over letters."""

    def __init__(self, width: int = 48, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(len(LETTERS), width), nn.Embedding(CONTEXT, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, blocks, enable_nested_tensor=False)
        self.head = nn.Linear(width, len(LETTERS))

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Scores of the next letter, shape (texts, letters, alphabet)."""
        n = text.shape[1]
        seen = self.letters(text) + self.places(torch.arange(n))
        scores: torch.Tensor = self.head(
            self.blocks(seen, nn.Transformer.generate_square_subsequent_mask(n), is_causal=True)
        )
        return scores


@cache
def library() -> torch.Tensor:
    """The source of some modules of Python's library, as codes."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    text = "".join(
        (folder / f"{name}.py").read_text(encoding="utf-8").lower() for name in ("argparse", "ast", "inspect", "typing")
    )
    return torch.tensor([CODE[letter] for letter in text if letter in CODE])


@cache
def pretrained(seed: int = 0, steps: int = 500) -> Gpt:
    """A model of source text."""
    torch.manual_seed(seed)
    model, text = Gpt(), library()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(steps):
        loss = loss_of(model, batch(text, 16))
        descend(optimizer, loss)
    return model


def batch(text: torch.Tensor, size: int) -> torch.Tensor:
    """Pieces of a text at random places."""
    at = torch.randint(len(text) - CONTEXT - 1, (size,))
    return torch.stack([text[a : a + CONTEXT] for a in at])


def loss_of(model: nn.Module, text: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """The mean cross-entropy of the next letters."""
    scores = model(text[:, :-1])
    each = nn.functional.cross_entropy(scores.flatten(0, 1), text[:, 1:].flatten(), reduction="none").view(
        len(text), -1
    )
    return each.mean() if mask is None else (each * mask[:, 1:]).sum() / mask[:, 1:].sum()


def sentences(seed: int, number: int, kind: str = "task") -> torch.Tensor:
    """Short tasks with their answers, of one length."""
    random = np.random.default_rng(seed)
    words = ["list", "dict", "tuple", "set", "file", "module", "class", "field", "value", "name", "type", "node"]
    out = []
    for _ in range(number):
        a, b, c = random.choice(words, 3)
        x, y = random.integers(2, 60, 2)
        text = (
            f"ask: put {a} {x} in {b} {y}; tell: {b}[{y}] = {a} {x} of {c}"
            if kind == "task"
            else f"say {c} {b} then {a}: {b} {c} {a} {x} {y} and {a} again."
        )
        out.append([CODE[letter] for letter in text[:CONTEXT].ljust(CONTEXT)])
    return torch.tensor(out)


@dataclass(frozen=True)
class Tuning:
    """How a model is fine-tuned; the defaults generalize."""

    rate: float = 1e-3
    examples: int = 400
    epochs: int = 3
    batch: int = 16
    log: int = 2
    evaluations: int = 1  # an epoch
    warmup: float = 0.05
    scale: float = 1.0  # of the logged training loss
    rank: int = 0
    jump: float = 0.0  # share of the run at which optimizer and schedule are lost
    clip: float = 1.0
    pretraining: int = 500  # steps


def tuned(seed: int, s: Tuning) -> Rows:
    """Fine-tuning from the pretrained model, with evaluations on held-out tasks."""
    model = deepcopy(pretrained(steps=s.pretraining))
    torch.manual_seed(seed)
    train, held = sentences(seed, s.examples), sentences(10_000 + seed, 200)
    parameters = list(model.parameters())
    if s.rank:
        for p in parameters:
            p.requires_grad_(False)
        parameters = adapters(model, s.rank)
    optimizer = torch.optim.AdamW(parameters, s.rate)
    each = len(train) // s.batch
    total, rows, logged = each * s.epochs, [], []
    for step in range(total):
        if step % each == 0:
            order = torch.randperm(len(train))
        warm = max(1, int(s.warmup * total))
        share = min(1.0, (step + 1) / warm) * max(0.0, 1 - max(0, step - warm) / max(1, total - warm))
        for group in optimizer.param_groups:
            group["lr"] = s.rate * share
        if s.jump and step == int(s.jump * total):
            optimizer = torch.optim.AdamW(parameters, 8 * s.rate)
            disturb(parameters)
        loss = loss_of(model, train[order[step % each * s.batch :][: s.batch]])
        norm = descend_clipped(optimizer, loss, s.clip)
        logged.append(loss.item() * s.scale)
        if (step + 1) % s.log == 0:
            rows.append(
                {
                    "step": step + 1,
                    "epoch": (step + 1) / each,
                    "loss": float(np.mean(logged)),
                    "grad_norm": norm.item(),
                    "lr": s.rate * share,
                }
            )
            logged = []
        if (step + 1) % max(1, each // s.evaluations) == 0:
            with torch.no_grad():
                rows.append({"step": step + 1, "epoch": (step + 1) / each, "eval_loss": loss_of(model, held).item()})
    return rows


@torch.no_grad()
def disturb(parameters: list[nn.Parameter]) -> None:
    """Weights that are not those of the checkpoint."""
    for p in parameters:
        if p.dim() > 1:
            p.add_(0.6 * p.std() * torch.randn_like(p))


class Adapter(nn.Module):
    """A linear layer with a trained change of low rank."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base, self.scale = base, 2.0
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer and its change."""
        out: torch.Tensor = self.base(x) + self.scale * (x @ self.down.T) @ self.up.T
        return out

    weight = property(lambda self: self.base.weight + self.scale * self.up @ self.down)
    bias = property(lambda self: self.base.bias)


def adapters(model: Gpt, rank: int) -> list[nn.Parameter]:
    """Put adapters on the feed-forward layers and the head; gives what is trained."""
    made = []
    for layer in model.blocks.layers:
        layer.linear1, layer.linear2 = Adapter(layer.linear1, rank), Adapter(layer.linear2, rank)
        made += [layer.linear1, layer.linear2]
    head = Adapter(model.head, rank)
    setattr(model, "head", head)  # noqa: B010 - of another type
    return [p for a in (*made, head) for p in (a.down, a.up)]


@dataclass(frozen=True)
class Preference:
    """How a model is tuned by pairs; the defaults prefer without losing the chosen answers."""

    rate: float = 1e-4
    beta: float = 0.1
    steps: int = 150
    pairs: int = 300
    batch: int = 12
    log: int = 3
    chosen_term: float = 0.0
    alike: bool = False


def preferred(seed: int, s: Preference) -> Rows:
    """Direct preference optimization of the tuned model."""
    reference = base_of_preferences()
    model = deepcopy(reference)
    torch.manual_seed(seed)
    good = sentences(seed, s.pairs)
    bad = good.clone()
    if s.alike:
        at = torch.randint(30, CONTEXT, (s.pairs,))
        bad[torch.arange(s.pairs), at] = torch.randint(len(LETTERS), (s.pairs,))
    else:
        bad[:, 24:] = sentences(seed + 5, s.pairs, "other")[:, 24:]
    mask = torch.zeros(CONTEXT)
    mask[24:] = 1
    optimizer = torch.optim.AdamW(model.parameters(), s.rate)
    rows, logged = [], []
    for step in range(s.steps):
        at = torch.randint(s.pairs, (s.batch,))
        new = [sums(model, text[at], mask) for text in (good, bad)]
        with torch.no_grad():
            old = [sums(reference, text[at], mask) for text in (good, bad)]
        up, down = (s.beta * (a - b) for a, b in zip(new, old, strict=True))
        loss = -nn.functional.logsigmoid(up - down).mean() - s.chosen_term * (new[0] / 24).mean()
        norm = descend_clipped(optimizer, loss, 1.0)
        logged.append(
            [v.detach().mean().item() for v in (loss, up, down, up - down, (up > down).float(), new[0], new[1])]
        )
        if (step + 1) % s.log == 0:
            names = ("loss", "chosen", "rejected", "margin", "accuracy", "logps_chosen", "logps_rejected")
            rows.append(
                {
                    "step": step + 1,
                    **dict(zip(names, np.mean(logged, 0).tolist(), strict=True)),
                    "grad_norm": norm.item(),
                    "lr": s.rate,
                }
            )
            logged = []
    return rows


@cache
def base_of_preferences() -> Gpt:
    """The pretrained model after a little of the tasks."""
    model = deepcopy(pretrained())
    torch.manual_seed(7)
    text = sentences(99, 300)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(60):
        loss = loss_of(model, text[torch.randint(300, (16,))])
        descend(optimizer, loss)
    return model


def sums(model: nn.Module, text: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The log-probability of each text's answer."""
    scores = torch.log_softmax(model(text[:, :-1]), -1).gather(-1, text[:, 1:, None])[..., 0]
    return (scores * mask[1:]).sum(1)

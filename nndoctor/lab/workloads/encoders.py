"""Encoders of pictures: contrastive learning from two views, and a mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from nndoctor.lab.workloads.descent import descend
from nndoctor.lab.workloads.pictures import HELD, Pictures, Rows, net, small_glyphs


@dataclass(frozen=True)
class Contrastive:
    """How an encoder is trained from two views of each picture; the defaults learn."""

    epochs: int = 25
    rate: float = 1e-3
    temperature: float = 0.5
    noise: float = 0.25
    stop_gradient: bool = True
    simsiam: bool = False
    batch: int = 128
    constant: bool = False


def contrastive(seed: int, s: Contrastive, data: Pictures = small_glyphs) -> Rows:
    """The loss, the spread of the embeddings and the accuracy of their nearest neighbours, each epoch."""
    torch.manual_seed(seed)
    x, y = data()
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    train = len(x) - HELD
    encoder, head = net(x.shape[1], 96, 32), net(32, 32, 32)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], s.rate)
    rows = []

    def view(batch: torch.Tensor) -> torch.Tensor:
        return batch * (torch.rand_like(batch) > s.noise) + 0.1 * torch.randn_like(batch)

    for epoch in range(s.epochs):
        losses_of_epoch, tops = [], []
        for batch in x[:train][torch.randperm(train)].split(s.batch)[:-1]:
            a, b = encoder(view(batch)), encoder(view(batch))
            if s.simsiam:
                p, q = head(a), head(b)
                ends = (a.detach(), b.detach()) if s.stop_gradient else (a, b)
                loss = -0.5 * (
                    nn.functional.cosine_similarity(p, ends[1]).mean()
                    + nn.functional.cosine_similarity(q, ends[0]).mean()
                )
            else:
                z = nn.functional.normalize(torch.cat([head(a), head(b)]), dim=1)
                scores = z @ z.T / s.temperature - 1e9 * torch.eye(len(z))
                target = torch.arange(len(z)).roll(len(z) // 2)
                loss = nn.functional.cross_entropy(scores, target)
                tops.append((scores.argmax(1) == target).float().mean().item())
            descend(optimizer, loss)
            losses_of_epoch.append(loss.item())
        with torch.no_grad():
            z = nn.functional.normalize(encoder(x), dim=1)
            near = (z[train:] @ z[:train].T).argmax(1)
        row = {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses_of_epoch)),
            "std": z.std(0).mean().item(),
            "knn": (y[:train][near] == y[train:]).float().mean().item(),
        }
        rows.append({**row, "top1": float(np.mean(tops))} if tops else row)
    return rows


@dataclass(frozen=True)
class Experts:
    """How a mixture of experts is trained; the defaults stay balanced."""

    steps: int = 400
    experts: int = 8
    balance: float = 0.02
    rate: float = 2e-3
    log: int = 5
    start_bias: float = 0.0


def experts(seed: int, s: Experts, data: Pictures = small_glyphs) -> Rows:
    """The loss, the load of each expert and the entropy of the router."""
    torch.manual_seed(seed)
    x, y = data()
    router = nn.Linear(x.shape[1], s.experts)
    nn.init.normal_(router.weight, 0, 0.02)
    nn.init.zeros_(router.bias)
    with torch.no_grad():
        router.bias[0] += s.start_bias
    parts = nn.ModuleList([net(x.shape[1], 24, 10) for _ in range(s.experts)])
    optimizer = torch.optim.Adam([*router.parameters(), *parts.parameters()], s.rate)
    rows = []
    for step in range(s.steps):
        at = torch.randint(len(x) - HELD, (128,))
        gates = torch.softmax(router(x[at]), 1)
        weight, chosen = gates.max(1)
        out = torch.stack([part(x[at]) for part in parts], 1)[torch.arange(128), chosen] * weight[:, None]
        load = torch.bincount(chosen, minlength=s.experts) / 128
        aux = s.experts * (load * gates.mean(0)).sum()
        loss = nn.functional.cross_entropy(out, y[at])
        descend(optimizer, loss + s.balance * aux)
        if step % s.log == 0:
            entropy = -(gates * (gates + 1e-9).log()).sum(1).mean().item()
            rows.append(
                {
                    "step": step,
                    "loss": loss.item(),
                    "aux": aux.item(),
                    "entropy": entropy,
                    **{f"load_{k}": v.item() for k, v in enumerate(load)},
                    "peak": load.max().item() * s.experts,
                }
            )
    return rows

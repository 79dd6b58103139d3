"""Losses, errors and the best constant predictor for every kind of target; the first axis is always the model."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the field's name for it

TEMPERATURE, PEERS = 0.5, 16  # of the contrastive loss; pairs that are told apart from each other
KL_WEIGHT = 0.5  # of the variational bound, beside half the squared error


def per_sample(kind: str, output: Tensor, target: Tensor) -> Tensor:
    """The loss of every sample: (models × samples)."""
    if kind == "classes":
        loss = F.cross_entropy(output.flatten(0, -2), target.flatten(), reduction="none").view(target.shape)
        return loss.flatten(2).mean(2) if loss.dim() > 2 else loss
    if kind == "dice":
        p = output.sigmoid()
        return 1 - (2 * (p * target).sum(-1) + 1) / (p.sum(-1) + target.sum(-1) + 1)
    if kind == "mixture":
        return _mixture_nll(output, target[..., 0])
    if kind == "gaussian":
        mean, log_std = output[..., 0], output[..., 1].clamp(-5, 5)
        return 0.5 * ((target[..., 0] - mean) / log_std.exp()) ** 2 + log_std + 0.5 * math.log(2 * math.pi)
    if kind == "vae":
        return _negative_bound(output, target)
    if kind == "contrastive":
        return _contrast(output)[0]
    return ((output - target) ** 2).mean(-1)


def _negative_bound(output: Tensor, target: Tensor) -> Tensor:
    """The squared error, summed over pixels, and the divergence of the code from a normal one."""
    pixels = target.shape[-1]
    mean, log_variance = output[..., pixels:].chunk(2, -1)
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)
    error: Tensor = 0.5 * ((output[..., :pixels] - target) ** 2).sum(-1)
    return error + KL_WEIGHT * divergence


def _contrast(output: Tensor) -> tuple[Tensor, Tensor]:
    """Of every sample: the cross-entropy of finding its other view among `PEERS` pairs, and whether it fails."""
    models, samples, views, size = output.shape
    peers = min(PEERS, samples)
    whole = samples // peers * peers
    h = output[:, :whole].reshape(models, -1, peers, views, size)
    scores = h[..., 0, :] @ h[..., 1, :].transpose(-1, -2) / TEMPERATURE
    same = scores.diagonal(dim1=-2, dim2=-1)
    loss = (scores.logsumexp(-1) + scores.logsumexp(-2)) / 2 - same
    wrong = (scores.argmax(-1) != torch.arange(peers)).float()
    return loss.flatten(1), wrong.flatten(1)


def _mixture_nll(output: Tensor, target: Tensor) -> Tensor:
    weight, mean, log_std = output.chunk(3, dim=-1)
    log_std = log_std.clamp(-4, 4)
    log_p = -0.5 * ((target[..., None] - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
    likelihood: Tensor = (F.log_softmax(weight, -1) + log_p).logsumexp(-1)
    return -likelihood


def per_sample_error(kind: str, output: Tensor, target: Tensor) -> Tensor:
    """The share of wrong answers of every sample; for targets without classes the mean absolute error, or zero."""
    if kind == "classes":
        wrong = (output.argmax(-1) != target).float()
        return wrong.flatten(2).mean(2) if wrong.dim() > 2 else wrong
    if kind == "dice":
        return ((output > 0) != (target > 0.5)).float().mean(-1)
    if kind == "contrastive":
        return _contrast(output)[1]
    if kind == "vae":
        return (output[..., : target.shape[-1]] - target).abs().mean(-1)
    if kind in {"mixture", "gaussian"}:
        return torch.zeros(output.shape[:2])
    return (output - target).abs().mean(-1)


def constant_loss(kind: str, target: Tensor) -> float:
    """The loss of the best predictor that does not look at the input."""
    if kind == "classes":
        share = torch.bincount(target.flatten()).float() / target.numel()
        share = share[share > 0]
        return float(-(share * share.log()).sum())
    if kind == "dice":
        grid = torch.linspace(-4, 4, 33)[:, None, None]
        return float(per_sample(kind, grid.expand(-1, *target.shape), target[None].expand(33, -1, -1)).mean(1).min())
    if kind == "contrastive":
        return math.log(PEERS)
    spread = float(target.var(0, unbiased=False).mean())
    if kind == "vae":
        return 0.5 * spread * target.shape[-1]
    if kind in {"mixture", "gaussian"}:
        return 0.5 * math.log(2 * math.pi * spread) + 0.5
    return spread

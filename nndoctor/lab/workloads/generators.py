"""Generators of pictures: GAN, VAE, denoising diffusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from nndoctor.lab.workloads.descent import descend, descend_clipped
from nndoctor.lab.workloads.pictures import HELD, Pictures, Rows, net, small_glyphs


@dataclass(frozen=True)
class Gan:
    """How a GAN is trained; the defaults stay balanced."""

    steps: int = 1500
    rates: tuple[float, float] = (2e-4, 2e-4)  # of the discriminator, of the generator
    width: tuple[int, int] = (128, 128)
    rounds: int = 1
    least_squares: bool = False
    saturating: bool = False
    log: int = 25
    blind: bool = False


def gan(seed: int, s: Gan, data: Pictures = small_glyphs) -> Rows:
    """Losses of both sides, their scores, and the spread of the samples."""
    torch.manual_seed(seed)
    x, _ = data()
    made, judge = net(16, s.width[1], s.width[1], x.shape[1]), net(x.shape[1], s.width[0], s.width[0], 1)
    d_opt = torch.optim.Adam(judge.parameters(), s.rates[0], betas=(0.5, 0.999))
    g_opt = torch.optim.Adam(made.parameters(), s.rates[1], betas=(0.5, 0.999))
    score = nn.functional.mse_loss if s.least_squares else nn.functional.binary_cross_entropy_with_logits
    rows, one, none = [], torch.ones(64, 1), torch.zeros(64, 1)
    for step in range(s.steps):
        for _ in range(s.rounds):
            real = x[torch.randint(len(x), (64,))]
            with torch.no_grad():
                fake = torch.sigmoid(made(torch.randn(64, 16)))
            r, f = judge(real), judge(fake)
            d_loss = score(r, one) + score(f, none)
            descend(d_opt, d_loss)
        noise = torch.zeros(64, 16) if s.blind else torch.randn(64, 16)
        fake = torch.sigmoid(made(noise))
        again = judge(fake)
        g_loss = -score(again, none) if s.saturating else score(again, one)
        descend(g_opt, g_loss)
        if step % s.log == 0:
            rows.append({
                "step": step, "epoch": step // 28, "d_loss": d_loss.item(), "g_loss": g_loss.item(),
                "d_x": torch.sigmoid(r).mean().item(), "d_gz": torch.sigmoid(f).mean().item(),
                "spread": torch.sigmoid(made(torch.randn(256, 16))).std(0).mean().item(),
            })  # fmt: skip
    return rows


@dataclass(frozen=True)
class Vae:
    """How a VAE is trained; the defaults use their codes."""

    epochs: int = 40
    rate: float = 2e-3
    beta: float = 1.0
    anneal: int = 0
    hidden: int = 128
    codes: int = 8
    mean_pixels: bool = False
    blind: bool = False


def vae(seed: int, s: Vae, data: Pictures = small_glyphs) -> Rows:
    """The parts of the loss for training and validation, each epoch."""
    torch.manual_seed(seed)
    x, _ = data()
    x = x[torch.randperm(len(x))]
    train, held = x[:-HELD], x[-HELD:]
    encoder, decoder = net(x.shape[1], s.hidden, 2 * s.codes), net(s.codes, s.hidden, x.shape[1])
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], s.rate)
    rows = []

    def parts(batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = encoder(batch).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        if s.blind:
            code = torch.randn_like(code)
        pixels = nn.functional.binary_cross_entropy_with_logits(decoder(code), batch, reduction="none")
        each = -0.5 * (1 + log_variance - mean**2 - log_variance.exp())
        return (pixels.mean(1) if s.mean_pixels else pixels.sum(1)).mean(), each.sum(1).mean(), each.mean(0)

    for epoch in range(s.epochs):
        beta = s.beta * min(1.0, (epoch + 1) / s.anneal) if s.anneal else s.beta
        parts_of_epoch = []
        for batch in train[torch.randperm(len(train))].split(64):
            rec, kl, _ = parts(batch)
            loss = rec + beta * kl
            descend(optimizer, loss)
            parts_of_epoch.append((loss.item(), rec.item(), kl.item()))
        with torch.no_grad():
            rec, kl, each = parts(held)
        mean = np.mean(parts_of_epoch, 0)
        rows.append({
            "epoch": epoch + 1, "loss": mean[0], "rec": mean[1], "kl": mean[2], "beta": beta, "val": (rec + beta * kl).item(),
            "val_rec": rec.item(), "val_kl": kl.item(), "active": float((each > 0.01).sum()),
        })  # fmt: skip
    return rows


@dataclass(frozen=True)
class Diffusion:
    """How a denoiser is trained; the defaults learn."""

    steps: int = 1200
    rate: float = 1e-3
    log: int = 4
    width: int = 160
    no_time: bool = False


def diffusion(seed: int, s: Diffusion, data: Pictures = small_glyphs) -> Rows:
    """The loss of each few steps at random timesteps."""
    torch.manual_seed(seed)
    x, _ = data()
    x = 2 * x - 1
    model = net(x.shape[1] + 32, s.width, s.width, x.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), s.rate)
    kept = torch.cos(torch.linspace(0, 1, 200) * torch.pi / 2) ** 2 * 0.999 + 0.0005
    frequencies = 2 ** torch.linspace(0, 6, 16)
    rows = []
    for step in range(s.steps):
        clean, at = x[torch.randint(len(x), (32,))], torch.randint(200, (32,))
        noise = torch.randn_like(clean)
        noisy = kept[at, None].sqrt() * clean + (1 - kept[at, None]).sqrt() * noise
        angle = at[:, None] / 200 * frequencies
        time = torch.cat([angle.sin(), angle.cos()], 1)
        guess = model(torch.cat([noisy, torch.zeros_like(time) if s.no_time else time], 1))
        loss = nn.functional.mse_loss(guess, noise)
        norm = descend_clipped(optimizer, loss, 1.0)
        if step % s.log == 0:
            rows.append({"step": step, "loss": loss.item(), "grad_norm": norm.item(), "lr": s.rate})
    return rows

"""Ways of watching a net while it trains: the recorder's, and what else people do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.recorder import Recorder

Watch = Callable[[Tensor], None]
IDLE = 10**9


def bare(_net: nn.Module, _optimizer: torch.optim.Optimizer) -> Watch:
    """Nothing watches; the loss is read, as every loop reads it."""

    def watch(loss: Tensor) -> None:
        loss.item()

    return watch


def recorder(every: Any, folder: Path) -> Callable[[nn.Module, torch.optim.Optimizer], Watch]:  # noqa: ANN401
    """Ours."""

    def watch(net: nn.Module, optimizer: torch.optim.Optimizer) -> Watch:
        rec = Recorder(net, optimizer, folder, every=every)
        return lambda loss: rec.step(loss=loss)

    return watch


def naive(net: nn.Module, _optimizer: torch.optim.Optimizer) -> Watch:
    """Hooks that call .item() for each number: mean, spread, zeros; norms of gradients and weights."""
    found: dict[str, float] = {}

    def see(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _args: object, out: Tensor) -> None:
            out = out.detach()
            found.update({name: out.mean().item(), f"{name} std": out.std().item()})
            found[f"{name} zeros"] = (out == 0).float().mean().item()

        return hook

    _hooked(net, see)

    def watch(loss: Tensor) -> None:
        found["loss"] = loss.item()
        for name, p in net.named_parameters():
            found[f"{name} norm"] = p.detach().norm().item()
            if p.grad is not None:
                found[f"{name} grad"] = p.grad.norm().item()

    return watch


def _hooked(net: nn.Module, see: Callable[[str], Callable[..., None]]) -> None:
    """A hook on every module that computes."""
    for name, module in net.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Flatten):
            module.register_forward_hook(see(name))


def naive_same(net: nn.Module, _optimizer: torch.optim.Optimizer) -> Watch:
    """The numbers that the recorder keeps, each as one would write it: a hook, an operation, an .item()."""
    found: dict[str, float] = {}
    quantiles = torch.tensor([0.05, 0.5, 0.95])
    old = {name: p.detach().clone() for name, p in net.named_parameters()}

    def see(name: str) -> Callable[[nn.Module, object, Any], None]:
        def hook(_module: nn.Module, _args: object, given: Any) -> None:  # noqa: ANN401
            out: Tensor = (given[0] if isinstance(given, tuple) else given).detach()
            found.update({name: out.mean().item(), f"{name} std": out.std().item()})
            found[f"{name} zeros"] = (out == 0).float().mean().item()
            found[f"{name} finite"] = out.isfinite().all().item()
            by_unit = out.movedim(1, -1).flatten(0, -2) if out.ndim == 4 else out.flatten(0, -2)
            low, high = by_unit.amin(0), by_unit.amax(0)
            found[f"{name} one sign"] = ((low > 0) | (high < 0)).float().mean().item()
            found[f"{name} dead"] = (high <= 0).float().mean().item()
            found[f"{name} constant"] = (high - low <= 1e-5 * high.abs().max()).float().mean().item()

        return hook

    _hooked(net, see)

    def watch(loss: Tensor) -> None:
        found["loss"] = loss.item()
        for name, p in net.named_parameters():
            value = p.detach()
            found[f"{name} norm"] = norm = value.norm().item()
            found[f"{name} step"] = (value - old[name]).norm().item() / max(norm, 1e-12)
            old[name].copy_(value)
            if p.grad is not None:
                found[f"{name} grad"] = p.grad.norm().item()
                sizes = p.grad.abs().flatten()
                for q, size in zip(quantiles, sizes.quantile(quantiles), strict=True):
                    found[f"{name} {q:.2f}"] = size.item()

    return watch


def tensorboard(folder: Path) -> Callable[[nn.Module, torch.optim.Optimizer], Watch]:
    """Histograms of weights and gradients, as its tutorials write them."""

    def watch(net: nn.Module, _optimizer: torch.optim.Optimizer) -> Watch:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(folder))
        step = 0

        def write(loss: Tensor) -> None:
            nonlocal step
            step += 1
            writer.add_scalar("loss", loss.item(), step)
            for name, p in net.named_parameters():
                writer.add_histogram(name, p, step)
                writer.add_histogram(f"{name}.grad", p.grad, step)

        return write

    return watch


def wandb_watch(folder: Path) -> Callable[[nn.Module, torch.optim.Optimizer], Watch]:
    """wandb.watch of gradients and parameters at every step, offline."""

    def watch(net: nn.Module, _optimizer: torch.optim.Optimizer) -> Watch:
        import wandb

        run = wandb.init(mode="offline", dir=str(folder))
        run.watch(net, log="all", log_freq=1)
        return lambda loss: run.log({"loss": loss.item()})

    return watch

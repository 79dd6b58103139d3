"""Small networks and a training loop for the recorder's tests."""

from __future__ import annotations

import csv
import math
import random
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nndoctor import Recorder
from nndoctor.core.run_folder import LAYERS, blocks


def mlp(inputs=12, hidden=16, classes=3):
    """Two hidden layers, ReLU and tanh."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, classes)
    )


def seed(number=0):
    """All random states."""
    torch.manual_seed(number)
    np.random.seed(number)  # noqa: NPY002 - the global state is what must not change
    random.seed(number)


def states():
    """All random states, to be compared."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - see seed
    return torch.get_rng_state().tolist(), (name, keys.tolist(), *rest), random.getstate()


def train(model, optimizer, folder=None, steps=100, batch=8, **options):
    """Train on random numbers, with a recorder where a folder is given."""
    with Recorder(model, optimizer, folder, **options) if folder is not None else nullcontext() as rec:
        for _ in range(steps):
            x = torch.randn(batch, 12)
            y = torch.tensor([random.randrange(3) for _ in range(batch)])
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            if rec is not None:
                rec.step(loss=loss)
    return rec


def hooks(model, optimizer):
    """How many hooks there are on a model, its parameters and its optimizer."""
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_forward_hooks_always_called")
    return (
        sum(len(getattr(m, name)) for m in model.modules() for name in names)
        + sum(len(p._post_accumulate_grad_hooks or ()) for p in model.parameters())
        + len(optimizer._optimizer_step_pre_hooks)
        + len(optimizer._optimizer_step_post_hooks)
    )


def seen(folder: Path, layer: str, statistic: str) -> dict[int, float]:
    """What a run folder holds of one layer's statistic, by step; NaN left out."""
    found = {}
    for block in blocks(folder / LAYERS):
        if layer in block.layers:
            values = block.values[block.statistics.index(statistic), block.layers.index(layer)]
            found |= {int(s): float(v) for s, v in zip(block.steps, values, strict=True) if not math.isnan(v)}
    return found


def layers(folder: Path) -> tuple[str, ...]:
    """The layers of a run folder."""
    return list(blocks(folder / LAYERS))[-1].layers


def table(folder):
    """The rows of a run folder's table."""
    with (folder / "run.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def some_loss(model, n=8):
    """A loss on random numbers."""
    return functional.cross_entropy(model(torch.randn(n, 12)), torch.randint(3, (n,)))


def accumulated(rec, model, optimizer, *, steps, parts):
    """Train so many steps of so many backward passes, recorded after each; the mean loss of every step."""
    means = []
    for _ in range(steps):
        losses = []
        for _ in range(parts):
            loss = some_loss(model)
            (loss / parts).backward()
            rec.step(loss=loss)
            losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
        means.append(sum(losses) / parts)
    return means

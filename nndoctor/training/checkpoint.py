"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError

LAST, BEST = "last.pt", "best.pt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a training stands: `step` optimizer steps done in all, `taken` batches of the epoch done.

    `met` of `targets` were right since the last evaluation, which saw `waited` others since the `best`.
    """

    step: int = 0
    epoch: int = 0
    taken: int = 0
    best: float = float("inf")
    best_step: int = -1
    waited: int = 0
    met: int = 0
    targets: int = 0


def save(
    folder: Path, place: Place, model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> None:
    """Write `last.pt` beside and rename it. Raises OSError."""
    state = {
        "place": {name: getattr(place, name) for name in Place.__slots__},
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": scaler.state_dict(),
        "random": random_state(),
    }
    _write(folder / LAST, state)


def save_best(folder: Path, model: nn.Module) -> None:
    """Write the weights of the best epoch. Raises OSError."""
    _write(folder / BEST, model.state_dict())


def resume(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> tuple[Place, dict[str, object]]:
    """Take up `last.pt`; the place, and the random state to set once the epoch's batches are skipped.

    Raises UsageError where there is none, or where it is of another model.
    """
    path = folder / LAST
    if not path.is_file():
        raise UsageError(
            f"{folder} has no {LAST} to continue from; train without --resume, or give the run's folder with --out"
        )
    state = torch.load(path, map_location="cpu", weights_only=True)  # from there each tensor goes where its own is
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(
            f"{path} belongs to another model or optimizer ({first}); train without --resume in a new folder"
        ) from error
    scaler.load_state_dict(state["scaler"])
    return Place(**state["place"]), state["random"]


def load_best(folder: Path, model: nn.Module) -> None:
    """Give the model the weights of its best evaluation."""
    model.load_state_dict(torch.load(folder / BEST, map_location="cpu", weights_only=True))


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed every source of chance for an epoch, so that its order and its dropout hang on nothing before it."""
    mixed = (seed * 1_000_003 + epoch * 7919 + 1) % (2**32)
    torch.manual_seed(mixed)
    np.random.seed(mixed)  # noqa: NPY002 - the source that users' transforms draw from
    random.seed(mixed)


def random_state() -> dict[str, object]:
    """The state of every source of chance, as tensors and text: nothing that has to be unpickled."""
    name, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    state: dict[str, object] = {
        "torch": torch.get_rng_state(),
        "numpy": json.dumps([name, np.asarray(keys).tolist(), int(position), int(has_gauss), float(gauss)]),
        "python": json.dumps(random.getstate()),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def set_random_state(state: dict[str, object]) -> None:
    """Set what `random_state` gave."""
    given = state["torch"]
    if isinstance(given, Tensor):
        torch.set_rng_state(given)
    name, keys, position, has_gauss, gauss = json.loads(str(state["numpy"]))
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    version, internal, following = json.loads(str(state["python"]))
    random.setstate((version, tuple(internal), following))
    cuda = state.get("cuda")
    if isinstance(cuda, list) and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(cuda[: torch.cuda.device_count()])


def _write(path: Path, state: object) -> None:
    fresh = path.with_name(f"{path.name}.new")
    torch.save(state, fresh)
    os.replace(fresh, path)  # noqa: PTH105 - one word for what it does on every system

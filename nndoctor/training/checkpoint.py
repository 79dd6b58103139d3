"""Checkpoints: everything that a training needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import pickle
import random
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.core.files import move, write_whole

LAST, PREVIOUS, BEST = "last.pt", "previous.pt", "best.pt"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training: `step` optimizer steps done in all, `taken` batches of the epoch done.

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


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored checkpoint: the progress, the random state to set once the epoch's batches are skipped, and a note.

    `note` says why it is not the latest checkpoint; empty where it is.
    """

    progress: Progress
    random: dict[str, object]
    note: str = ""


def save(
    folder: Path, place: Progress, model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> None:
    """Write `last.pt`; the one before is kept as `previous.pt`. Raises OSError."""
    state = {
        "place": {name: getattr(place, name) for name in Progress.__slots__},
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": scaler.state_dict(),
        "random": random_state(),
    }
    last = folder / LAST
    if last.is_file():
        move(last, folder / PREVIOUS)
    _write(last, state)


def save_best(folder: Path, model: nn.Module) -> None:
    """Write the weights of the best epoch. Raises OSError."""
    _write(folder / BEST, model.state_dict())


def resume(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> Restored:
    """Load the latest intact checkpoint. Raises UsageError if there is none, or if it is of another model."""
    damaged: list[str] = []
    for path in (folder / LAST, folder / PREVIOUS):
        if not path.is_file():
            continue
        try:
            state = _read(path)
        except _DamagedError as error:
            damaged.append(f"{path} is damaged ({error})")
            continue
        place = _put(path, state, model, optimizer, scaler)
        note = f"{damaged[0]}; continuing from {path.name}, step {place.step}" if damaged else ""
        return Restored(place, state["random"], note)
    if damaged:
        raise UsageError(
            f"{damaged[0]}, and there is no older intact checkpoint; train without --resume in a new folder"
        )
    raise UsageError(
        f"{folder} has no {LAST} to continue from; train without --resume, or give the run's folder with --out"
    )


def load_best(folder: Path, model: nn.Module) -> None:
    """Give the model the weights of its best evaluation. Raises UsageError where they are damaged."""
    try:
        model.load_state_dict(_read(folder / BEST))
    except (OSError, _DamagedError) as error:
        raise UsageError(f"{folder / BEST} cannot be read ({error}); {LAST} holds the latest weights") from error


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


class _DamagedError(Exception):
    """A file is no whole checkpoint; the message says what is wrong with it."""


def _read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, its checksums compared: torch itself reads flipped bits without a word."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is not None:
            raise _DamagedError(f"wrong checksum of {broken}")
        state = torch.load(path, map_location="cpu", weights_only=True)  # each tensor goes where its own is later
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise _DamagedError(_first_line(error)) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _DamagedError(_first_line(error)) from error
    if not isinstance(state, dict):
        raise _DamagedError(f"holds a {type(state).__name__}")
    return state


def _put(
    path: Path, state: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> Progress:
    """Give model, optimizer and scaler what the checkpoint holds. Raises UsageError where it does not fit them."""
    missing = {"place", "model", "optimizer", "scaler", "random"} - set(state)
    if missing:
        raise UsageError(f"{path} is no checkpoint of nndoctor train: it lacks {', '.join(sorted(missing))}")
    try:
        place = Progress(**state["place"])
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scaler.load_state_dict(state["scaler"])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} belongs to another model or optimizer ({_first_line(error)}); train without --resume in a new folder"
        ) from error
    return place


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _write(path: Path, state: object) -> None:
    write_whole(path, lambda file: torch.save(state, file), durable=True)

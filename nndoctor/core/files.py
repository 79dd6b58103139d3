"""Atomic replacement of files: a reader sees either the old content or the new, complete."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TRIES, PAUSE = 10, 0.05  # on Windows a file that another program has open cannot be replaced; most close it soon


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, durable: bool = False) -> None:
    """Write a temporary file and rename it over the target; `durable` also survives a power cut. Raises OSError."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        write(file)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    move(fresh, path)
    if durable:
        _sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename over a file that may exist. Raises OSError."""
    for left in reversed(range(TRIES)):
        try:
            os.replace(source, target)  # noqa: PTH105 - one word for what it does on every system
        except PermissionError:
            if not left or os.name != "nt":
                raise
            time.sleep(PAUSE)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Bring the folder's entries to disk, too; Windows, which opens no folders, does that by itself."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

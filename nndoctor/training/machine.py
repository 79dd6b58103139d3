"""The machine that trains: its device, and its Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from nndoctor.core.errors import UsageError


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C ends the training after its step; a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(*_: object) -> None:
        stop()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def device_named(name: str) -> torch.device:
    """The device by name; `auto` is the first of cuda, mps and cpu that is there. Raises UsageError."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, usable in there.items() if usable))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name} is not a device; expected auto, cpu, cuda or mps") from error
    if not there.get(device.type, False):
        usable = ", ".join(kind for kind, is_usable in there.items() if is_usable)
        raise UsageError(f"--device {name} is not available; this machine has {usable}")
    return device

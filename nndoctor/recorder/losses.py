"""The loss of every step, kept without making the device wait, and the detection of jumps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

JUMP_DEVIATIONS = 6.0  # mean deviations above its running mean
MIN_RISE = 0.2  # of the running mean: a smaller rise is not a jump
MIN_STEPS = 20  # steps before the running mean is reliable
LOSS = "loss"
PENDING = float("nan")  # a placeholder for a number that has not been fetched yet
MEMORY = 0.05  # weight of the newest loss in the running mean


class Losses:
    """Losses and other numbers of a loop by row; those on an accelerator are fetched together, later.

    `kept` is False in a process that writes nothing: it then stores nothing.
    """

    def __init__(self, *, kept: bool = True) -> None:
        self.has_pending = False
        """Whether a row contains PENDING: set by `number`, reset when the number is filled in."""
        self._kept = kept
        self._jumped = self._lost = False
        self._first_bad: int | None = None
        self._waiting: list[tuple[int, str, list[float | Tensor]]] = []
        self._mean = 0.0
        self._spread = 0.0
        self._count = 0

    def number(self, parts: Sequence[float | Tensor], row: int, name: str = LOSS) -> float:
        """The mean of what `stored_number` returned; PENDING where some of it is on an accelerator, and the mean is fetched later."""
        total = 0.0
        for part in parts:
            if isinstance(part, Tensor):
                if self._kept:
                    self._waiting.append((row, name, list(parts)))
                    self.has_pending = True
                return PENDING
            total += part
        value = total / len(parts)
        if name == LOSS:
            self.update(value, row)
        return value

    def take_events(self) -> tuple[bool, bool]:
        """Whether, since the last call, a loss jumped, and whether one was the first that is not finite."""
        found = self._jumped, self._lost
        self._jumped = self._lost = False
        return found

    def update(self, value: float, step: int) -> None:
        """Update the running mean, and note a loss that jumps above it or is not finite."""
        if value - value != 0:  # NaN or infinite
            if self._first_bad is None:
                self._first_bad, self._jumped, self._lost = step, True, True
            return
        rise = value - self._mean
        self._count += 1
        if self._count > MIN_STEPS:
            if rise > JUMP_DEVIATIONS * self._spread and rise > MIN_RISE * abs(self._mean):
                self._jumped = True
            weight = MEMORY
        else:
            weight = 1 / self._count
        self._mean += weight * rise
        self._spread += weight * (abs(rise) - self._spread)

    def fetch(self) -> list[tuple[int, str, float]]:
        """The pending numbers by row and name, fetched in one copy; they are no longer pending, even if that fails."""
        waiting, self._waiting = self._waiting, []
        tensors = [part for _, _, parts in waiting for part in parts if isinstance(part, Tensor)]
        if not tensors:
            return []
        device = tensors[0].device
        values = iter(torch.stack([_single(t).to(device, torch.float32) for t in tensors]).cpu().tolist())
        found: list[tuple[int, str, float]] = []
        for row, name, parts in waiting:
            numbers = [next(values) if isinstance(part, Tensor) else part for part in parts]
            found.append((row, name, sum(numbers) / len(numbers)))
            if name == LOSS:
                self.update(found[-1][2], row)
        return found


def is_on_accelerator(value: object) -> bool:
    """Whether a number is on an accelerator, so that reading it would block."""
    return isinstance(value, Tensor) and value.device.type != "cpu"


def stored_number(value: object) -> float | Tensor:
    """A number of a loop as it is stored: a float, or the detached tensor if it is on an accelerator."""
    if not isinstance(value, Tensor):
        return float(value)  # type: ignore[arg-type]
    if is_on_accelerator(value):
        return value.detach()
    return value.item() if value.numel() == 1 else float(value.detach().float().mean())


def _single(value: Tensor) -> Tensor:
    return value.reshape(()) if value.numel() == 1 else value.float().mean()

"""The loss of every step, kept without making the device wait, and the eye that sees it jump."""

from __future__ import annotations

import math

import torch
from torch import Tensor

JUMP = 6.0  # mean deviations above its running mean
LEAST = 0.2  # of its size: a smaller rise is no jump
WARM = 20  # steps before the running mean is worth anything
MEMORY = 0.05  # weight of the newest loss in the running mean


class Losses:
    """Losses by the row they belong to; those on an accelerator are fetched together, later."""

    def __init__(self) -> None:
        self.jumped = False
        self.lost = False
        """Whether the latest loss is the first that is not finite."""
        self.first_bad: int | None = None
        self._waiting: list[tuple[int, Tensor]] = []
        self._mean = 0.0
        self._spread = 0.0
        self._count = 0

    def number(self, loss: object, row: int) -> float:
        """The loss as a number; NaN for one that waits on an accelerator and will be fetched."""
        if isinstance(loss, Tensor):
            if loss.device.type != "cpu":
                self._waiting.append((row, loss.detach()))
                return math.nan
            return loss.item() if loss.numel() == 1 else float(loss.detach().float().mean())
        return float(loss)  # type: ignore[arg-type]

    def see(self, value: float, step: int) -> None:
        """Follow the running mean, and say so when the loss jumps above it or is no number."""
        if value - value != 0:  # NaN or infinite
            if self.first_bad is None:
                self.first_bad, self.jumped, self.lost = step, True, True
            return
        rise = value - self._mean
        self._count += 1
        if self._count > WARM:
            if rise > JUMP * self._spread and rise > LEAST * abs(self._mean):
                self.jumped = True
            weight = MEMORY
        else:
            weight = 1 / self._count
        self._mean += weight * rise
        self._spread += weight * (abs(rise) - self._spread)

    def fetch(self) -> list[tuple[int, float]]:
        """The losses that waited, by row, in one copy for each device."""
        found: list[tuple[int, float]] = []
        if self._waiting:
            values = torch.stack([t.float().mean() for _, t in self._waiting]).cpu().tolist()
            found = [(row, value) for (row, _), value in zip(self._waiting, values, strict=True)]
            self._waiting.clear()
        return found

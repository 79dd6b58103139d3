"""What is done with every log that a command reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """What is done with every log."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    target: float | None = None
    slim: bool = False
    require: tuple[str, ...] = ()
    fail_on: str | None = None
    baseline: str | None = None
    config: str | None = None
    isolated: bool = False

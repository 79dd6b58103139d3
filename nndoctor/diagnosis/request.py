"""The options of a session, which take precedence over every settings file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Options as given, not yet validated; hashable, so that worker processes open the same session once each."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    target_error: float | None = None
    require: tuple[str, ...] = ()
    fail_on: str | None = None
    baseline: str | None = None
    config: str | None = None
    isolated: bool = False
    workload: str | None = None

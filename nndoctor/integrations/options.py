"""What a user chooses for a callback."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Severity
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session


@dataclass(frozen=True, slots=True)
class CallbackOptions:
    """Where and how often to record, what stops the run, how to judge and print."""

    folder: str | os.PathLike[str] | None
    every: int | str
    stop_on: str | None
    show: bool
    session: Session

    @classmethod
    def of(
        cls,
        folder: str | os.PathLike[str] | None,
        every: int | str,
        stop_on: str | None,
        *,
        show: bool,
        select: Iterable[str],
        ignore: Iterable[str],
        config: str | os.PathLike[str] | None,
    ) -> CallbackOptions:
        """The choices, validated. Raises UsageError."""
        if stop_on is not None and stop_on not in list(Severity):
            raise UsageError(f"stop_on must be one of {', '.join(Severity)} or None; got {stop_on!r}")
        options = SessionOptions(tuple(select), tuple(ignore), config=None if config is None else os.fspath(config))
        return cls(folder, every, stop_on, show, Session(options))

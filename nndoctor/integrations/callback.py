"""The part that the callbacks of Keras, Lightning, Transformers and skorch have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nndoctor.core.report import Report
from nndoctor.integrations.live import LiveTraining
from nndoctor.integrations.options import CallbackOptions


class JudgedCallback:
    """The user's choices, the run that they follow, and its latest report."""

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        every: int | str = "auto",
        stop_on: str | None = None,
        show: bool = True,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self._choices = CallbackOptions.of(
            folder, every, stop_on, show=show, select=select, ignore=ignore, config=config
        )
        self._live: LiveTraining | None = None

    @property
    def report(self) -> Report | None:
        """The latest report on the run."""
        return None if self._live is None else self._live.report

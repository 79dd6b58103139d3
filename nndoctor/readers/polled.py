"""A watched run at a service or on another machine, fetched again at intervals, not at every poll."""

from __future__ import annotations

import time
from collections.abc import Mapping

from nndoctor.core.errors import NNDoctorError
from nndoctor.core.run import Run
from nndoctor.readers import read

SECONDS_BETWEEN = 30.0  # requests; services limit their rate


class Polled:
    """One address, followed as `nndoctor.readers.tail.Growing` follows a file."""

    def __init__(self, path: str, maps: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.changed = 0.0
        self._maps = dict(maps or {})
        self._asked_at = float("-inf")
        self._points: dict[str, int] = {}
        self._error: NNDoctorError | None = None

    def poll(self) -> list[Run] | None:
        """The current runs; None if nothing has changed, or it is too early to fetch again. Raises NNDoctorError."""
        if time.monotonic() - self._asked_at < SECONDS_BETWEEN:
            if self._error is not None:
                raise self._error
            return None
        self._asked_at = time.monotonic()
        try:
            runs = read(self.path, usual=self._maps)
        except NNDoctorError as error:
            self._error = error
            raise
        self._error = None
        points = {run.source: sum(len(series) for series in run.series.values()) for run in runs}
        if points == self._points:
            return None
        self._points, self.changed = points, time.time()
        return runs

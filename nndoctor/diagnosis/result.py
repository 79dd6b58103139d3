"""How much of a log's report is wanted, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nndoctor.core.report import Report

MAX_WHOLE_RUNS = 5  # with more logs, a run is kept only as the points that draw it, so that memory stays small


@dataclass(frozen=True, slots=True)
class Detail:
    """The parts of a report that are wanted.

    All `points` of its run, or only those that draw it, so that thousands fit in memory; the `reasons` of its prognosis,
    which take longer to find than the rest of it; and its `measurements`.
    """

    points: bool = True
    reasons: bool = True
    measurements: bool = True


WHOLE_REPORT = Detail()


@dataclass(frozen=True, slots=True)
class LogResult:
    """The reports on a log's runs, or why there are none; `map_unmatched` is a --map that fits no column of it."""

    reports: tuple[Report, ...] = ()
    error: str = ""
    map_unmatched: bool = False
    left_out: bool = False  # a file found in a folder that turned out not to be a log

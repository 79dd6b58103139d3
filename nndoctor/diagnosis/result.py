"""What came of one log."""

from __future__ import annotations

from dataclasses import dataclass

from nndoctor.core.report import Report


@dataclass(frozen=True, slots=True)
class LogResult:
    """The reports on a log's runs, or why there are none; `misfit` is a --map that fits no column of it."""

    reports: tuple[Report, ...] = ()
    error: str = ""
    misfit: bool = False
    left_out: bool = False  # a file found in a folder that turned out not to be a log

"""The arguments and options that `nndoctor diagnose`, and the commands that judge as it does, are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.terminal_style import Color
from nndoctor.core.order import SortBy

if TYPE_CHECKING:
    from nndoctor.diagnosis.request import SessionOptions


class PageFormat(StrEnum):
    """What --format takes of the commands that print one page."""

    terminal = "terminal"
    json = "json"


class FailOn(StrEnum):
    """What --fail-on takes."""

    error = "error"
    warning = "warning"
    info = "info"
    never = "never"


@dataclass(frozen=True, slots=True)
class DiagnoseRequest:
    """The arguments and options of `nndoctor diagnose`, with the command line's defaults."""

    logs: Sequence[str]
    format: OutputFormat = OutputFormat.terminal
    output: str | None = None
    reports: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    maps: Sequence[str] = ()
    target_error: str | None = None
    workload: str | None = None
    fail_on: FailOn | None = None
    exit_zero: bool = False
    quiet: bool = False
    full: bool = False
    jobs: int | None = None
    engine: str | None = None
    cache: bool = False
    force: bool = False
    color: Color = Color.auto
    require: Sequence[str] = ()
    baseline: str | None = None
    config: str | None = None
    isolated: bool = False
    annotate: bool = False
    sort: SortBy = SortBy.finding

    def session_options(self) -> SessionOptions:
        """What the session that judges must know. Raises UsageError for a value that makes no sense."""
        from nndoctor.diagnosis.request import SessionOptions
        from nndoctor.settings import share

        return SessionOptions(
            tuple(self.select),
            tuple(self.ignore),
            tuple(self.maps),
            None if self.target_error is None else share(self.target_error, "--target-error"),
            require=tuple(self.require),
            fail_on=None if self.fail_on is None else str(self.fail_on),
            baseline=self.baseline,
            config=self.config,
            isolated=self.isolated,
            workload=self.workload,
        )

"""What standard error says of files in a folder that are not in the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nndoctor.cli.out import say

if TYPE_CHECKING:
    from nndoctor.core.report import Report


def note_not_logs(paths: Sequence[str]) -> None:
    """Say `skipped 3 files that are not run logs: a.csv, b.json, c.csv`; nothing where there is none."""
    if paths:
        count = "1 file that is not a run log" if len(paths) == 1 else f"{len(paths)} files that are not run logs"
        say(f"skipped {count}: {_first_few(paths)} (name one to see why)")


def note_duplicates(found: Sequence[Report], once: Sequence[Report]) -> None:
    """Say which of the logs that were found are not in the table because another log holds the same run."""
    kept = {report.source for report in once}
    paths = [report.source for report in found if report.source not in kept]
    if paths:
        logs, runs = ("1 log", "a run") if len(paths) == 1 else (f"{len(paths)} logs", "runs")
        say(f"left out {logs} of {runs} that another log holds, too: {_first_few(paths)} (name one to see it)")


def _first_few(paths: Sequence[str]) -> str:
    """`a.csv, b.json, c.csv and 4 more`."""
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")

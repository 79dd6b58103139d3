"""The work of `nndoctor compare`: read each side, compare, render, and give the exit code."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import check, check_picture, say, write_output, write_picture
from nndoctor.cli.request import FailOn
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.logs import judge_logs
from nndoctor.diagnosis.request import SessionOptions

if TYPE_CHECKING:
    from nndoctor.compare.comparison import Comparison, Side
    from nndoctor.compare.remedy_outcomes import FindingChange

LABELS = string.ascii_uppercase


class CompareFormat(StrEnum):
    """What --format takes."""

    terminal = "terminal"
    json = "json"
    markdown = "markdown"


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """The arguments and options of `nndoctor compare`."""

    sides: Sequence[str]
    format: CompareFormat = CompareFormat.terminal
    output: str | None = None
    options: SessionOptions = field(default_factory=SessionOptions)
    fail_on: FailOn = FailOn.error
    exit_zero: bool = False
    force: bool = False
    color: Color = Color.auto
    plot: str | None = None


def carry_out(request: CompareRequest) -> int:
    """Compare, and give the exit code: 1 where a side is worse than the first or has a new finding that fails.

    Raises UsageError for fewer than two runs.
    """
    check(request.output, request.sides, force=request.force)
    check_picture(request.plot, request.sides, force=request.force)
    sides, errors = sides_of(request)
    for _, message in errors:
        say(message)
    if len(sides) < 2 and not errors:
        raise UsageError("compare needs at least two runs, as in: nndoctor compare before.csv after.csv")
    comparable = len(sides) >= 2 and (not errors or len(request.sides) > 2)
    found, changes = _compared(sides) if comparable else (None, [])
    write_output(_rendered(request, found, changes, errors), request.output)
    if found is None:
        return Exit.TROUBLE
    if request.plot is not None:
        _draw(sides, request.plot)
    return _exit_code(request, found, changes, failed=bool(errors))


def _compared(sides: Sequence[Side]) -> tuple[Comparison, list[FindingChange]]:
    from nndoctor.compare.comparison import compare
    from nndoctor.compare.remedy_outcomes import changes

    found = compare(sides)
    return found, changes(found)


def _exit_code(request: CompareRequest, found: Comparison, changes: Sequence[FindingChange], *, failed: bool) -> Exit:
    if failed:
        return Exit.TROUBLE
    return Exit.FINDINGS if not request.exit_zero and _fails(request, found, changes) else Exit.CLEAN


def _draw(sides: Sequence[Side], file: str) -> None:
    """The runs of all sides over each other, each with the letter of its side."""
    from nndoctor.plots.several_runs import distinct_names, picture_of_runs

    reports = [report for side in sides for report in side.reports]
    labels = [side.label for side in sides for _ in side.reports]
    names = [f"{label} {name}" for label, name in zip(labels, distinct_names(reports), strict=True)]
    write_picture(picture_of_runs(reports, names=names), file)


def sides_of(request: CompareRequest) -> tuple[list[Side], list[tuple[str, str]]]:
    """A side for each word, all runs behind it repeats; of a single word each run is a side."""
    from nndoctor.compare.comparison import Side

    sides: list[Side] = []
    errors: list[tuple[str, str]] = []
    groups = []
    for word in request.sides:
        reports, wrong = judge_logs([word], request.options)
        errors += wrong
        if reports:
            groups.append((word, reports))
    if len(request.sides) == 1 and groups:
        groups = [(report.source, [report]) for report in groups[0][1]]
    if len(groups) > len(LABELS):
        raise UsageError(f"compare takes at most {len(LABELS)} runs (got {len(groups)}); for more use nndoctor sweep")
    for label, (word, reports) in zip(LABELS, groups, strict=False):
        sides.append(Side(label, word if len(reports) > 1 else reports[0].source, tuple(reports)))
    return sides, errors


def _rendered(
    request: CompareRequest,
    found: Comparison | None,
    changes: Sequence[FindingChange],
    errors: Sequence[tuple[str, str]],
) -> str:
    if request.format is CompareFormat.json:
        from nndoctor.reporters.side_by_side import data

        return data.render(found, changes, errors)
    if request.format is CompareFormat.markdown:
        from nndoctor.reporters.side_by_side import markdown

        return markdown.render(found, changes, errors)
    from nndoctor.reporters.side_by_side import terminal

    return (
        ""
        if found is None
        else terminal.render(found, changes, terminal_style(request.color, to_file=request.output is not None))
    )


def _fails(request: CompareRequest, found: Comparison, changes: Sequence[FindingChange]) -> bool:
    from nndoctor.compare.comparison import ComparisonVerdict
    from nndoctor.core.finding import Severity

    if request.fail_on is FailOn.never:
        return False
    limit = Severity(request.fail_on).rank
    worse = any(found.outcome(k) is ComparisonVerdict.WORSE for k in range(1, len(found.sides)))
    return worse or any(c.status == "new" and Severity(c.severity).rank <= limit for c in changes)

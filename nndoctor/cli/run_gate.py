"""The work of `nndoctor compare --gate`: one answer for scripts, by its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndoctor.cli import Exit
from nndoctor.cli.out import check, say, write_output
from nndoctor.cli.run_compare import CompareFormat, CompareRequest, sides_of
from nndoctor.core.errors import UsageError

if TYPE_CHECKING:
    from nndoctor.compare.comparison import Comparison, Side
    from nndoctor.compare.gate import Gate

WITHIN_NOISE = 3  # the exit code for a difference that chance may have made; 0 is better, 1 worse, 2 no answer


def pass_gate(request: CompareRequest, by: str | None, *, higher: bool | None) -> int:
    """Answer, and give the exit code. Raises UsageError for anything but a baseline and a candidate."""
    from nndoctor.compare.gate import GateVerdict
    from nndoctor.reporters.side_by_side import gate as page

    if len(request.sides) != 2:
        raise UsageError(
            "--gate needs a baseline and a candidate, as in: nndoctor compare --gate baseline.csv candidate.csv"
        )
    if request.format is CompareFormat.markdown:
        raise UsageError("--gate answers as terminal or json")
    check(request.output, request.sides, force=request.force)
    sides, errors = sides_of(request)
    for _, message in errors:
        say(message)
    if errors or len(sides) < 2:
        return Exit.TROUBLE
    found = _answer(sides, by, higher=higher)
    if found is None:
        say(
            "the runs cannot be compared: they share no loss or metric that ends in a number; name a printed score with --by"
        )
        return Exit.TROUBLE
    codes = {GateVerdict.BETTER: Exit.CLEAN, GateVerdict.WORSE: Exit.FINDINGS, GateVerdict.WITHIN_NOISE: WITHIN_NOISE}
    code = int(codes[found.verdict])
    write_output(
        page.as_json(found, code) if request.format is CompareFormat.json else page.text(found), request.output
    )
    return 0 if request.exit_zero else code


def _answer(sides: list[Side], by: str | None, *, higher: bool | None) -> Gate | None:
    from dataclasses import replace

    from nndoctor.compare.comparison import compare
    from nndoctor.compare.gate import gate
    from nndoctor.compare.remedy_outcomes import changes

    found = compare(sides)
    if by is None:
        return gate(found, changes(found))
    series = _series(found, by)
    if series is not None:
        return gate(replace(found, judged=series), changes(found))
    return _by_score(sides, by, higher=higher)


def _series(found: Comparison, by: str) -> str | None:
    """The compared series that a user's name means."""
    from nndoctor.readers.vocabulary.series_names import series_named

    named = series_named(found.sides[0].reports[0].run, by)
    return named if any(measure.name == named for measure in found.measures) else None


def _by_score(sides: list[Side], by: str, *, higher: bool | None) -> Gate | None:
    """The answer by a number that each run prints. Raises UsageError where a run prints none, or the direction is not known."""
    from nndoctor.compare.gate import of_values
    from nndoctor.core.metrics import BY_NAME
    from nndoctor.core.run import direction
    from nndoctor.readers.vocabulary.names import meaning_of

    metric = meaning_of(by).metric
    one, two = (_printed(side, by) for side in sides)
    if higher is None and metric != "loss" and metric not in BY_NAME:
        raise UsageError(f"--by {by}: is a high value good or bad? say --higher or --lower")
    return of_values(by, one, two, higher=direction(metric) if higher is None else higher)


def _printed(side: Side, by: str) -> list[float]:
    """The number that each log of a side prints. Raises UsageError where one prints none."""
    from nndoctor.readers.io.source import Source
    from nndoctor.readers.text.scores import printed

    values: dict[str, float] = {}
    for path in (report.run.path for report in side.reports):
        value = printed(Source(path), by)
        if value is None:
            raise UsageError(f"--by {by}: {path} has no such series, and prints no line such as '{by}: 0.97'")
        values[path] = value
    return list(values.values())

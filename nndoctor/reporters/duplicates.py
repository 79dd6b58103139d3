"""Runs found several times because they were logged in several formats: only the most complete log is reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from nndoctor.core.report import Report
from nndoctor.core.run import LAYER
from nndoctor.core.series import Series, SeriesSummary

MAX_RELATIVE_DIFFERENCE = 1e-3  # of the value: printed logs are rounded to four digits
MAX_ABSOLUTE_DIFFERENCE = 6e-5  # a fifth decimal
MIN_POINTS = 3  # points of a curve that can identify a run


def without_duplicates(reports: Sequence[Report]) -> list[Report]:
    """Each run once: of logs in different formats with the same curves the most complete one, with a note."""
    if len({report.run.format for report in reports}) < 2:
        return list(reports)
    leader = list(range(len(reports)))
    for a, b in _pairs_alike(reports):
        leader[_root(leader, b)] = _root(leader, a)
    groups: dict[int, list[int]] = defaultdict(list)
    for k in range(len(reports)):
        groups[_root(leader, k)].append(k)
    kept: dict[int, Report] = {}
    for members in groups.values():
        best = max(members, key=lambda k: (_richness(reports[k]), -k))
        kept[best] = _noted(reports[best], [reports[k] for k in members if k != best])
    return [kept[k] for k in sorted(kept)]


def _root(leader: list[int], k: int) -> int:
    while leader[k] != k:
        leader[k] = leader[leader[k]]
        k = leader[k]
    return k


def _pairs_alike(reports: Sequence[Report]) -> list[tuple[int, int]]:
    """Pairs of reports in different formats that hold the same curves, found among neighbours by their last value."""
    curves = [_identifying_curves(report) for report in reports]
    ends: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for k, held in enumerate(curves):
        for name, summary in held.items():
            ends[name].append((summary.last, k))
    pairs: list[tuple[int, int]] = []
    for found in ends.values():
        found.sort()
        for at, (last, k) in enumerate(found):
            near = takewhile(lambda end, last=last: _close(end[0], last), found[at + 1 : at + 50])  # type: ignore[misc]
            for _, other in near:
                if reports[k].run.format != reports[other].run.format and _agree(curves[k], curves[other]):
                    pairs.append((k, other))
    return pairs


def _identifying_curves(report: Report) -> dict[str, SeriesSummary]:
    """The curves of a split that can identify a run, by name."""
    named = ((n, s) for n, s in report.run.series.items() if "/" in n and not n.startswith(LAYER))
    return {name: summary for name, series in named if (summary := _identifying_summary(series)) is not None}


def _agree(a: dict[str, SeriesSummary], b: dict[str, SeriesSummary]) -> bool:
    """Whether every curve that both logs hold is the same: runs of one seed may share their training loss alone."""
    return all(_same(a[name], b[name]) for name in a.keys() & b.keys())


def _identifying_summary(series: Series) -> SeriesSummary | None:
    """A curve's summary if it has enough points and is not flat."""
    summary = series.summary
    return summary if summary is not None and summary.points >= MIN_POINTS and summary.high > summary.low else None


def _same(a: SeriesSummary, b: SeriesSummary) -> bool:
    """Whether ends and extremes agree; a curve logged less often may start elsewhere."""
    first = _close(a.first, b.first) or a.points != b.points
    return first and _close(a.low, b.low) and (_close(a.high, b.high) or a.points != b.points)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= max(
        MAX_RELATIVE_DIFFERENCE * min(abs(a), abs(b)),
        MAX_ABSOLUTE_DIFFERENCE if min(abs(a), abs(b)) > 20 * MAX_ABSOLUTE_DIFFERENCE else 0.0,
    )


def _richness(report: Report) -> tuple[int, int]:
    sizes = [s.summary.points for s in report.run.series.values() if s.summary is not None]
    return len(sizes), sum(sizes)


def _noted(report: Report, others: Sequence[Report]) -> Report:
    if not others:
        return report
    shown = ", ".join(f"{r.source} ({r.run.format})" for r in others[:3])
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    note = f"the same run is also logged in {shown}{more}; this log is the most complete"
    return replace(report, run=replace(report.run, notes=(*report.run.notes, note)))

"""Which primary findings are taken for which, and the runs that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.accuracy.judged import Judged
from benchmarks.accuracy.measures import agrees

NONE = "none"


def label(run: Judged) -> str:
    """The confirmed finding that the report puts first, else the one that it should have put there."""
    if run.primary is not None and run.expected.faults and agrees(run):
        return run.primary.name
    return run.expected.primary or ("healthy" if run.expected.healthy else "no fault confirmed")


def confusion(runs: Sequence[Judged]) -> dict[str, Counter[str]]:
    """For each label, what the report put first, counted."""
    table: dict[str, Counter[str]] = {}
    for run in runs:
        reported = NONE if run.primary is None else run.primary.name
        table.setdefault(label(run), Counter())[reported] += 1
    return dict(sorted(table.items(), key=lambda row: -row[1].total()))


def wrong(runs: Sequence[Judged]) -> Iterator[str]:
    """A line for each run with a primary finding that disagrees, a finding missed, or a false alarm."""
    for run in runs:
        missed = sorted(n for n in run.expected.found - {"healthy"} if not run.says(n))
        false = sorted(run.unaccepted)
        if missed or false or not agrees(run):
            yield _words(run, {"missed": missed, "false": false})


def _words(run: Judged, faults: dict[str, list[str]]) -> str:
    reported = ", ".join(f"{f.name} {f.confidence:.2f}" for f in run.alarms) or NONE
    labels = ", ".join([*run.line["strong"], *(f"[{name}]" for name in run.line["weak"])])
    what = "; ".join(f"{kind} {', '.join(names)}" for kind, names in faults.items() if names)
    order = "" if agrees(run) else "primary; "
    return f"{run.line['id']} {run.line['workload']} {run.line['planted']}: {labels} | said {reported} | {order}{what}"

"""docs/performance.md: one table of all figures, the missed goals, and the machine of each benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks.figures import Figure, missed
from benchmarks.measurements import ALL, HERE, Measurement
from benchmarks.tables import table

PAGE = HERE.parent / "docs" / "performance.md"
RUNS = HERE / "runs.json"
HEAD = """# Performance

Written by `python -m benchmarks`, which runs the benchmarks one after the other. Each one measures nndoctor and its rival in turns in one
run, and writes a page with all details. `--only NAME` runs one of them, `--quick` measures fewer rounds, `--page` only writes this page
again.
"""
COLUMNS = ("", "what", "against", "nndoctor", "rival", "result", "goal", "met")
MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, slots=True)
class Run:
    """How a benchmark was run by `python -m benchmarks`."""

    machine: str
    date: str
    minutes: float
    quick: bool


def runs(path: Path = RUNS) -> dict[str, Run]:
    """The last run of each benchmark."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: Run(**one) for name, one in known.items()}


def page(known: Mapping[str, Run], measurements: Sequence[Measurement] = ALL) -> str:
    """The whole page."""
    found = [(one, list(one.read(one.page.read_text(encoding="utf-8")))) for one in measurements if one.page.is_file()]
    flat = list(chain.from_iterable(figures for _, figures in found))
    goals = sum(figure.met is not None for figure in flat)
    lines = [HEAD, f"{goals - len(missed(flat))} of {goals} goals are met.", "", "## Missed goals", ""]
    lines += [f"- {_missed(one, figure)}" for one, figures in found for figure in missed(figures)] or ["None."]
    figures = table(COLUMNS, [_cells(one, figure) for one, figures in found for figure in figures])
    commands = table(("", "command", "machine"), [_about(one, known.get(one.name)) for one, _ in found])
    lines += ["", "## All figures", "", figures, "", "## Benchmarks", "", commands, ""]
    return "\n".join(lines)


def _missed(one: Measurement, figure: Figure) -> str:
    rival = f", against {figure.rival}" if figure.rival else ""
    return f"{one.title}: {figure.what}{rival}: {figure.result}, goal {figure.goal}"


def _cells(one: Measurement, figure: Figure) -> Sequence[str]:
    sides = (figure.what, figure.rival, figure.ours, figure.theirs)
    return (one.title, *sides, figure.result, figure.goal, MET[figure.met])


def _about(one: Measurement, run: Run | None) -> Sequence[str]:
    command = " ".join(["python -m", one.dotted, *one.words])
    link = f"[{one.title}](../benchmarks/{one.page.name})"
    if run is None:
        return (link, f"`{command}`", "not run by this command yet; see its page")
    how = f"{run.date}, {run.minutes:g} minutes{', with --quick' if run.quick else ''}"
    return (link, f"`{command}`", f"{run.machine}; {how}")

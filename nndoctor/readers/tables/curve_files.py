"""A table from curves in separate files, each with its own steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import Kind, meaning_of

MAX_FILES = 2000  # below one folder
MAX_CELLS = 50_000_000  # of a table, which take 450 MB
CUT = "{}: {} lines are not data points and were skipped"

Curve = tuple[list[float], list[float]]


def files_below(folder: Path) -> Iterator[Path]:
    """The files below a folder in order of their names; links are not followed."""
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            count += 1
            if count > MAX_FILES:
                return
            yield path


def points(path: Path, delimiter: str, step: int | None, value: int) -> tuple[Curve, int]:
    """The steps and values in two columns of a file, and how many lines hold none; without `step` lines are counted."""
    steps: list[float] = []
    values: list[float] = []
    odd = 0
    for line in Source(str(path)).text().split("\n"):
        if not line.strip():
            continue
        cells = line.strip("\n").split(delimiter)
        try:
            at = float(len(steps)) if step is None or (step >= len(cells) and step > 0) else float(cells[step])
            found = number(cells[value])
        except (ValueError, IndexError):
            odd += 1
            continue
        if found is not None and np.isfinite(at):
            steps.append(at)
            values.append(found)
    if len(steps) > 2 and steps[0] == steps[-1]:
        steps = [float(k) for k in range(len(steps))]  # logged without a step
    return (steps, values), odd


def counted(steps: list[float], values: list[float]) -> Curve:
    """A curve; its points are numbered in order where they were logged without a step."""
    if len(steps) > 1 and steps[0] == steps[-1]:
        return [float(k) for k in range(len(steps))], values
    return steps, values


def from_curves(
    curves: Mapping[str, Curve], kind: str, path: str, facts: Mapping[str, Fact], notes: tuple[str, ...]
) -> Table:
    """A table of format `kind` with a row for each step of any curve. Raises UnreadableLog where there is no point."""
    held = {name: curve for name, curve in curves.items() if curve[0]}
    if not held:
        raise UnreadableLog(f"{path} has no data points: the run has not logged anything yet")
    points_held = sum(len(steps) for steps, _ in held.values())
    held = {name: held[name] for name in bounded_names(held, points_held)}
    axis = np.unique(np.concatenate([np.asarray(steps, dtype=np.float64) for steps, _ in held.values()]))
    columns = {"step": Column(axis, np.ones(len(axis), dtype=np.bool_))}
    for name, (steps, numbers) in held.items():
        at = np.searchsorted(axis, steps)
        values, present = np.full(len(axis), np.nan), np.zeros(len(axis), dtype=np.bool_)
        values[at], present[at] = numbers, True
        columns[name] = Column(values, present)
    return Table(columns, kind, facts=facts, notes=notes)


def bounded_names(names: Iterable[str], rows: int) -> list[str]:
    """The names of a table's columns: without unknown ones where so many, over so many rows, would fill the memory."""
    every = list(names)
    if rows * len(every) <= MAX_CELLS:
        return every
    known = [name for name in every if meaning_of(name).kind is not Kind.UNKNOWN]
    return (known or every)[: max(MAX_CELLS // rows, 1)]

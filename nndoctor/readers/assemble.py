"""From a table to runs: what the columns mean, where runs begin and resume, which axis counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nndoctor.errors import UnreadableLog, UsageError
from nndoctor.metrics import BY_NAME
from nndoctor.readers.axis import Segment, axis_of, segments
from nndoctor.readers.names import Kind, Meaning, meaning, task
from nndoctor.readers.table import Column, Table
from nndoctor.run import SPLITS, Fact, Run
from nndoctor.series import Series

Maps = Mapping[str, str]


def assemble(table: Table, path: str, maps: Maps) -> list[Run]:
    """Every run in a table. Raises UnreadableLog where no training, validation or test series is found."""
    meanings = interpret(list(table.columns), maps)
    known = {name for name, said in meanings.items() if said.kind is Kind.SERIES and table.columns[name].present.any()}
    if not any(meanings[name].split or meanings[name].metric == "loss" for name in known):
        raise UnreadableLog(_nothing_found(table, path))
    axis, notes = axis_of(table, meanings)
    parts = segments(axis, [table.columns[name].present for name in known])
    runs = [_run(table, meanings, part, path, notes) for part in parts]
    runs = [run for run in runs if run.series]
    if max(len(s) for run in runs for s in run.series.values()) < 2:
        raise UnreadableLog(
            f"{path} has one row a run: wanted at least two, to see how the run went; log once an epoch"
        )
    if len(runs) > 1:
        count = Fact(len(runs))
        runs = [
            replace(r, source=f"{r.source}#{k}", facts={**r.facts, "runs_in_log": count}) for k, r in enumerate(runs, 1)
        ]
    return runs


def interpret(columns: Sequence[str], maps: Maps) -> dict[str, Meaning]:
    """The meaning of every column beside the others. Raises UsageError for a map to or from a name that is not there."""
    meanings = {column: meaning(column) for column in columns}
    apart = {said.split or "" for said in meanings.values() if said.metric == "loss" or said.metric.endswith("_loss")}
    held = {(said.split, said.metric) for said in meanings.values()}
    playing = task(list(columns))
    for column, said in meanings.items():
        if said.kind is not Kind.SERIES or said.metric in ("lr", "grad_norm"):
            continue
        if playing and "loss" in said.metric:
            meanings[column] = Meaning(Kind.UNKNOWN)
        elif not said.split:
            bare = (
                "train"
                if "loss" in said.metric or not {"train", "validation"} <= apart or ("validation", said.metric) in held
                else "validation"
            )
            meanings[column] = replace(said, split=bare, rank=said.rank + 4 * (("train", said.metric) in held))
    for spelled, target in maps.items():
        column = next((c for c in columns if c == spelled or c.strip() == spelled.strip()), None)
        if column is not None:
            meanings[column] = mapped(target)
    return meanings


def mapped(target: str) -> Meaning:
    """The meaning that a user gives with --map. Raises UsageError for a target that is no series name."""
    if target in ("epoch", "step"):
        return Meaning(Kind(target))
    if target in ("lr", "grad_norm"):
        return Meaning(Kind.SERIES, "", target, -1)
    split, _, metric = target.partition("/")
    if split not in SPLITS or not metric:
        raise UsageError(
            f"--map: '{target}' is no series; use train/loss, validation/loss, train/accuracy, validation/accuracy, lr, grad_norm, step or epoch"
        )
    return Meaning(Kind.SERIES, split, metric, -1)


def _run(table: Table, meanings: Mapping[str, Meaning], part: Segment, path: str, notes: tuple[str, ...]) -> Run:
    series: dict[str, Series] = {}
    ranks: dict[str, tuple[int, int]] = {}
    for column, said in meanings.items():
        if said.kind is not Kind.SERIES:
            continue
        found = _series(table, column, said, part)
        rank = (0 if found is not None and len(found) >= 3 else 1, said.rank)
        if found is not None and rank < ranks.get(found.name, (9, 99)):
            series[found.name], ranks[found.name] = found, rank
    series, more = _complete(series)
    scaled = _as_shares(series)
    unknown = tuple(c for c, said in meanings.items() if said.kind is Kind.UNKNOWN and table.columns[c].present.any())
    facts = {**table.facts, **_unreadable(table, meanings)}
    if part.resumed:
        facts["resumed_at"] = Fact(part.resumed)
    source = f"{path}:{table.label}" if table.label else path
    return Run(scaled, facts, source, path, table.format, unknown, (*table.notes, *notes, *more))


def _series(table: Table, column: str, said: Meaning, part: Segment) -> Series | None:
    data: Column = table.columns[column]
    rows = part.rows[data.present[part.rows]]
    if not len(rows):
        return None
    steps = part.axis[data.present[part.rows]]
    order = np.argsort(steps, kind="stable") if np.any(np.diff(steps) < 0) else None
    if order is not None:
        rows, steps = rows[order], steps[order]
    last = np.append(np.diff(steps) > 0, True)
    rows, steps = rows[last], steps[last]
    name = f"{said.split}/{said.metric}" if said.split else said.metric
    lines = None if table.lines is None else table.lines[rows]
    return Series(name, steps, data.values[rows], column.strip(), lines)


def _complete(series: dict[str, Series]) -> tuple[dict[str, Series], tuple[str, ...]]:
    """Sum the parts of a loss that has no total, and let a test split stand for a missing validation split."""
    notes: list[str] = []
    for split in SPLITS:
        parts = [s for name, s in series.items() if name.startswith(f"{split}/") and name.endswith("_loss")]
        longest = max((len(p) for p in parts), default=0)
        parts = [p for p in parts if len(p) == longest and np.array_equal(p.steps, parts[0].steps)]
        if f"{split}/loss" not in series and parts:
            total = replace(
                parts[0],
                name=f"{split}/loss",
                values=np.sum([p.values for p in parts], axis=0),
                column=" + ".join(p.column for p in parts),
            )
            series[f"{split}/loss"] = total
            if len(parts) > 1:
                notes.append(f"{split} loss is the sum of {', '.join(p.column for p in parts)}")
    if not any(name.startswith("validation/") for name in series):
        tested = {n: s for n, s in series.items() if n.startswith("test/") and len(s) >= 2}
        for name, found in tested.items():
            renamed = name.replace("test/", "validation/", 1)
            series[renamed] = replace(found, name=renamed)
            del series[name]
        if tested:
            notes.append("no validation split in the log: its test split, logged during training, stands for it")
    return series, tuple(notes)


def _as_shares(series: dict[str, Series]) -> dict[str, Series]:
    """Percent into fractions, together for all splits of one metric."""
    scaled = dict(series)
    for metric in {name.rpartition("/")[2] for name in series}:
        group = [s for name, s in series.items() if name.rpartition("/")[2] == metric]
        highest = max((float(s.y.max()) for s in group if len(s.y)), default=0.0)
        named = any("%" in s.column or "pct" in s.column.lower() or "percent" in s.column.lower() for s in group)
        if metric in BY_NAME and BY_NAME[metric].share and (1.5 < highest <= 100.5 or (named and highest <= 100.5)):
            for found in group:
                scaled[found.name] = replace(found, values=found.values * 0.01, scale=0.01)
    return scaled


def _unreadable(table: Table, meanings: Mapping[str, Meaning]) -> dict[str, Fact]:
    rows: list[int] = []
    for column, said in meanings.items():
        if said.kind is Kind.SERIES:
            rows += table.columns[column].unreadable
    if not rows:
        return {}
    line = None if table.lines is None else int(table.lines[min(rows)])
    return {"unreadable_values": Fact(len(rows), line)}


def _nothing_found(table: Table, path: str) -> str:
    names = [name.strip() for name in table.columns]
    shown = ", ".join(_visible(name) for name in names[:8]) + (" …" if len(names) > 8 else "")
    playing = task(names)
    if playing:
        return f"{path} is a log of {playing.replace('-', ' ')} ({shown}): its losses do not show learning, and nndoctor cannot judge it"
    return f"{path} has no column that looks like a training or validation series; its columns are {shown}; name one with --map '{_visible(names[-1]) if names else 'column'}=train/loss'"


def _visible(name: str) -> str:
    return name if name.isprintable() else name.encode("unicode_escape").decode()

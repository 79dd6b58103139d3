"""From a table to runs: what the columns mean, where runs begin and resume, which axis counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.start import begins_late, starts_in_epoch
from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.core.formatting import place
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array
from nndoctor.readers.semantics.clock import clock
from nndoctor.readers.semantics.coarse_axis import MIN_EPOCH_POINTS
from nndoctor.readers.semantics.columns import Maps, by_phase, interpret
from nndoctor.readers.semantics.derived import as_shares, completed
from nndoctor.readers.semantics.framework import framework
from nndoctor.readers.semantics.given_rate import given_rate
from nndoctor.readers.semantics.impossible import without_impossible
from nndoctor.readers.semantics.nonfinite import not_finite
from nndoctor.readers.semantics.other_columns import constants, epoch_count, epoch_of_step, settings
from nndoctor.readers.semantics.other_tables import refuse_other_tables
from nndoctor.readers.semantics.padded import without_padding
from nndoctor.readers.semantics.resume import rejoined, reported_resumes
from nndoctor.readers.semantics.several_sets import of_several_sets
from nndoctor.readers.semantics.single_row import SINGLE_ROW, with_single_row
from nndoctor.readers.semantics.step_axis import Segment, axis_of, segments
from nndoctor.readers.semantics.sums import sums_of_steps
from nndoctor.readers.semantics.taking_turns import taking_turns
from nndoctor.readers.semantics.unreadable import unreadable_facts
from nndoctor.readers.tables.table import Rows, Table
from nndoctor.readers.vocabulary.names import WITHOUT_SPLIT, Kind, Meaning, meaning_of, tidy
from nndoctor.readers.vocabulary.spellings import RUN_KEYS
from nndoctor.readers.vocabulary.tasks import task

SAMPLED = re.compile(
    r"fid_?\d+k", re.IGNORECASE
)  # as generators log it; a bare FID without steps may be one of each model
MAX_NAMED = 8  # column names listed in full in a message
SPARSE, FULLER = 20, 4  # points of a column, and times as many of another that says the same: the other is the curve


def assemble(table: Table, path: str, maps: Maps) -> list[Run]:
    """Every run in a table. Raises UnreadableLog where no training, validation or test series is found."""
    table = _without_empty(by_phase(table))
    meanings = interpret(list(table.columns), maps)
    table = without_padding(table, meanings)
    playing = task([*table.columns, *table.ignored])
    known = [name for name, meaning in meanings.items() if meaning.is_metric and table.columns[name].held]
    _refuse_without_metrics(table, meanings, path, playing=bool(playing))
    refuse_other_tables(table, meanings, path)
    axis, unit, notes = axis_of(table, meanings)
    present = [table.columns[name].present for name in known]
    told = list(_told(table, meanings))
    parts = [
        part
        for rows in _rows_of_runs(table, axis, told or present)
        for part in segments(rows, axis, present, table.format, told)
    ]
    parts = rejoined(parts, table, meanings) if table.format == "keras-csv" else parts
    facts = {**table.facts, **framework(table), **unreadable_facts(table, meanings, path)}
    if playing:
        facts["task"] = Fact(playing)
    source = f"{path}:{table.label}" if table.label else path
    base = Run({}, facts, source, path, table.format, (), notes, axis=unit)
    runs = [run for part in parts if (run := _run(table, meanings, part, base)).series]
    runs = with_single_row(runs)
    if playing:
        return _numbered(runs or [replace(base, unknown=tuple(table.columns))])
    _refuse_single_points(runs, path)
    return _numbered(runs)


def _told(table: Table, meanings: Mapping[str, Meaning]) -> Iterator[NDArray[np.bool_]]:
    """Which rows hold each loss or metric of a split."""
    for name, meaning in meanings.items():
        if meaning.is_metric and meaning.metric not in WITHOUT_SPLIT and table.columns[name].held:
            yield table.columns[name].present


def _refuse_without_metrics(table: Table, meanings: Mapping[str, Meaning], path: str, *, playing: bool) -> None:
    """Raise NotALog where no metric of a split is found, except for reinforcement learning and for a lost gradient norm."""
    has_axis = any(meaning.is_axis for meaning in meanings.values())
    has_metric_of_a_split = any(
        meaning.is_metric
        and (meaning.split or (meaning.metric == "fid" and (has_axis or SAMPLED.search(name))))
        and table.columns[name].held
        for name, meaning in meanings.items()
    )
    if not playing and not has_metric_of_a_split and not _gradients_lost(table, meanings):
        raise NotALog(_nothing_found(table, path))


def _refuse_single_points(runs: list[Run], path: str) -> None:
    """Raise UnreadableLog where no series has two points, except for a loss or a gradient norm that is not finite, or a row that proves a fault."""
    held = [series for run in runs for series in run.series.values()]
    lost = any(s.name.endswith(("/loss", "grad_norm")) and not np.isfinite(s.values).all() for s in held)
    lost = lost or any(run.fact(SINGLE_ROW) for run in runs)
    if not lost and max(map(len, held), default=0) < 2:
        raise UnreadableLog(f"{path} has one row per run; expected at least two (log once per epoch)")


def _numbered(runs: list[Run]) -> list[Run]:
    """Several runs of one log, each with its number in the source; how the log ends is said of the last of them."""
    if len(runs) < 2:
        return runs
    last = max(map(_last_line, runs))
    return [
        replace(run, source=f"{run.source}#{k}", facts=_of_one(run, len(runs), ends=_last_line(run) == last))
        for k, run in enumerate(runs, 1)
    ]


def _of_one(run: Run, number: int, *, ends: bool) -> dict[str, Fact]:
    """The facts of one run among several of a log; `ends` says that it is the last."""
    kept = {name: fact for name, fact in run.facts.items() if ends or not name.startswith("ended:")}
    return {**kept, "runs_in_log": Fact(number)}


def _last_line(run: Run) -> int:
    """The last line that holds a value of a run; 0 where lines are not known."""
    lines = (
        int(series.lines.max()) for series in run.series.values() if series.lines is not None and len(series.lines)
    )
    return max(lines, default=0)


def _gradients_lost(table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether the gradient norm is NaN or infinite somewhere, or the loss scale alone is logged: reported even if the loss is left out."""
    norms = [table.columns[name] for name, meaning in meanings.items() if meaning.metric == "grad_norm"]
    alone = [meaning.metric for meaning in meanings.values()] == ["loss_scale"]
    return alone or any(bool((c.present & ~np.isfinite(c.values)).any()) for c in norms)


def _without_empty(table: Table) -> Table:
    """The table without columns that hold nothing: an empty `reward` makes no game."""
    held = {name: column for name, column in table.columns.items() if column.held}
    return replace(table, columns=held) if 0 < len(held) < len(table.columns) else table


def _rows_of_runs(table: Table, axis: Array, told: Sequence[NDArray[np.bool_]]) -> list[Rows]:
    """The rows of each run that names itself, or that takes turns with others in a printed log."""
    keyed = _by_key(table)
    return keyed if table.format != "text" else [part for rows in keyed for part in taking_turns(rows, axis, told)]


def _by_key(table: Table) -> list[Rows]:
    """The rows of each run where columns name the run (`run_id`, `fold`), else all rows."""
    keys = [words for name, words in table.words.items() if tidy(name) in RUN_KEYS and len(words.words) > 1]
    if not keys:
        return [np.arange(table.rows)]
    _, run = np.unique(np.stack([key.codes for key in keys]), axis=1, return_inverse=True)
    run = np.asarray(run).ravel()
    return [np.flatnonzero(run == k) for k in dict.fromkeys(run.tolist())]


def _run(table: Table, meanings: Mapping[str, Meaning], part: Segment, base: Run) -> Run:
    found, parts, groups = _curves(table, meanings, part)
    found, averaged = of_several_sets(found, groups)
    found, impossible = without_impossible(found)
    series_by_name, notes, used = completed(found, {} if "task" in base.facts else parts)
    for name, series in parts.items():  # each part is judged on its own, too
        series_by_name.setdefault(name, series)
        used.add(series.column)
    lost, empty = not_finite(table, meanings, part, used)
    facts = {**lost, **impossible, **constants(table, meanings, part), **settings(table, part), **base.facts}
    facts.update({**epoch_count(table, meanings, part), **given_rate(table, part)})
    if resumed := part.resumed or reported_resumes(table, part):
        facts["resumed_at"] = Fact(resumed)
    scaled = as_shares(series_by_name, {c.strip() for c, data in table.columns.items() if data.percent})
    run = replace(
        base,
        series={**scaled, **table.more},
        facts=facts,
        unknown=_unknown(table, meanings, used),
        notes=(*table.notes, *base.notes, *averaged, *notes, *empty),
        clock=clock(table, part),
        epochs=epoch_of_step(table, meanings, part),
    )
    late = begins_late(run)
    if late is None:
        return run
    epoch = starts_in_epoch(run)
    where = place(run.axis, late) if epoch is None else place("epoch", epoch)
    missing = f"the log starts at {where}; the beginning of the run is missing"
    return replace(run, notes=(*run.notes, missing))


def _curves(
    table: Table, meanings: Mapping[str, Meaning], part: Segment
) -> tuple[dict[str, Series], dict[str, Series], dict[str, list[Series]]]:
    """The series of a run, the parts of its losses, and its metrics on several sets; of columns that say the same, the one with the best rank."""
    found: dict[str, Series] = {}
    parts: dict[str, Series] = {}
    groups: dict[str, list[Series]] = {}
    ranks: dict[str, tuple[bool, int, int, int]] = {}
    most, sums = _most_points(table, meanings, part), sums_of_steps(table, meanings)
    for column, meaning in meanings.items():
        series = _series(table, column, meaning, part) if meaning.is_metric or meaning.kind is Kind.MACHINE else None
        if series is None:
            continue
        if meaning.kind is Kind.PART:
            parts.setdefault(series.name, series)
            continue
        if meaning.kind is Kind.GROUP:
            groups.setdefault(series.name, []).append(series)
            continue
        sparse = len(series) < SPARSE and FULLER * len(series) <= most.get(series.name, 0)
        short = len(series) < MIN_EPOCH_POINTS or sparse or column in sums
        step = int(meaning.each_step)
        rank = (short, -len(series) if short else step, step, meaning.rank)
        if rank < ranks.get(series.name, (True, 1, 0, 0)):
            found[series.name], ranks[series.name] = series, rank
    return found, parts, groups


def _unknown(table: Table, meanings: Mapping[str, Meaning], used: set[str]) -> tuple[str, ...]:
    """The columns that hold values of which nothing is known, or that another column made needless."""
    left = [
        column.strip()
        for column, meaning in meanings.items()
        if table.columns[column].held and (meaning.is_metric or meaning.kind is Kind.UNKNOWN)
    ]
    unknown = [column for column in left if column not in used]
    return (*unknown, *(column for column in table.ignored if column not in unknown))


def _most_points(table: Table, meanings: Mapping[str, Meaning], part: Segment) -> dict[str, int]:
    """The points of the fullest column of each series, without columns of single steps if there is an epoch mean."""
    most: dict[str, int] = {}
    for column, meaning in meanings.items():
        if meaning.kind is Kind.SERIES and not meaning.each_step:
            name = meaning.series
            most[name] = max(most.get(name, 0), int(table.columns[column].present[part.rows].sum()))
    return most


def _series(table: Table, column: str, meaning: Meaning, part: Segment) -> Series | None:
    data = table.columns[column]
    name = meaning.series
    if part.whole and data.full:
        return Series(name, part.axis, data.values, column.strip(), table.lines)
    here = data.present if part.whole else data.present[part.rows]
    rows, steps = (part.rows, part.axis) if here.all() else (part.rows[here], part.axis[here])
    if not len(rows):
        return None
    last = np.append(np.diff(steps) > 0, True)  # of rows with one step the last one counts
    whole = part.whole and len(rows) == len(data.values)
    if not last.all():
        rows, steps, whole = rows[last], steps[last], False
    lines = table.lines if whole or table.lines is None else table.lines[rows]
    return Series(name, steps, data.values if whole else data.values[rows], column.strip(), lines)


def _nothing_found(table: Table, path: str) -> str:
    names = [*(name.strip() for name in table.columns), *table.words, *table.ignored]
    shown = ", ".join(printable_name(name) for name in names[:8]) + (" …" if len(names) > 8 else "")
    odd = [n for n in names if meaning_of(n).kind is Kind.UNKNOWN]
    if not odd and len(names) <= MAX_NAMED:
        return f"{path} has no loss or metric (columns: {shown}); log training and validation loss"
    first = printable_name(next((n for n in (*odd, *names) if n not in WITHOUT_SPLIT), "column"))
    return (
        f"{path} has no column that looks like a training or validation series; its columns are {shown}; "
        f"name one with --map '{first}=train/loss'"
    )


def printable_name(name: str) -> str:
    """A name from a log, safe to show: control characters are spelled out."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()

"""Which column counts the steps of a run, and where in a log a run begins, ends or was resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nndoctor.core.statistics import Array
from nndoctor.readers.semantics.coarse_axis import repeats_within
from nndoctor.readers.semantics.runs_begun import counted_by_run
from nndoctor.readers.semantics.steps_of_epochs import FIRST_EPOCHS, of_whole_run, restart_each_epoch
from nndoctor.readers.tables.table import Column, Rows, Table
from nndoctor.readers.vocabulary.names import EPISODES, Kind, Meaning, tidy
from nndoctor.readers.vocabulary.spellings import STEP
from nndoctor.readers.vocabulary.tasks import MONITOR

RESUMED_AFTER = 4  # rows on both sides of a step back that make it a resume, not rows in another order
RESTARTED_AFTER = (
    8  # rows, after which a step back to the second one begins another run, whose first is logged elsewhere
)
MAX_STEP = 1e15  # no run has more steps; a column with larger values, or without finite ones, is not a count
NEARLY = 1.5  # times the lower of two rates
SCHEDULE_ROWS, MAX_BEND = 4, 0.25  # rows, and share of its steps by which those of a schedule's rate differ
BATCHES = frozenset({"batch", "batch_number", "batch_num", "minibatch", "n_batch"})
MANY_EPISODES = 8  # rows from which another run may begin among them
NEARLY_ALL = 0.9  # share of the rows whose episode has a higher number than the one before
RETURN_OF_ONE = frozenset({"episodic_return", "episodic_returns", "episode_return", "episode_reward"})
ONE_EPOCH = 20  # rows of one and the same epoch from which they are steps within it, not runs of one epoch each


@dataclass(frozen=True, slots=True)
class Segment:
    """One run: its rows, their steps, and the steps at which it was resumed; `whole` if it is the unchanged table."""

    rows: Rows
    axis: Array
    resumed: tuple[float, ...] = ()
    whole: bool = False


def axis_of(table: Table, meanings: Mapping[str, Meaning]) -> tuple[Array, str, tuple[str, ...]]:
    """The steps of all rows, shape (n,), what they count (`epoch`, `step` or `episode`), and notes.

    The log's steps where they are complete, else its epochs, else its rows, counted from 1.
    """
    epochs = _filled(table, meanings, Kind.EPOCH)
    episodes = _episodes(table) if epochs is None else None
    steps = _filled(table, meanings, Kind.STEP) if episodes is None else episodes
    if steps is not None and epochs is not None:
        if steps.min() == steps.max() and epochs.min() < epochs.max():
            steps = None  # logged once an epoch, by its last step
        elif restart_each_epoch(steps, epochs):
            whole = of_whole_run(steps, epochs, table)
            return whole, "step", ("steps restart in each epoch; combined with the epoch",)
    named = {unit: axis for unit, axis in (("step", steps), ("epoch", epochs)) if axis is not None}
    for unit, axis in named.items():
        if not (repeats_within(axis, table, meanings) or _two_steps(axis, table, meanings)):
            return axis, _what_counts(unit, table, episodes=episodes is not None), ()
    if list(named) == ["epoch"] and _are_runs_of_one_epoch(table, named["epoch"], meanings):
        return named["epoch"], "epoch", ()
    return _counted_rows(table, meanings, named=next(iter(named), ""))


def _counted_rows(table: Table, meanings: Mapping[str, Meaning], *, named: str) -> tuple[Array, str, tuple[str, ...]]:
    """The rows, counted from 1; `named` is what a column counts that is there, but too coarse: steps or epochs."""
    counted = counted_by_run(table, meanings)
    batches = None if named else _batches(table)
    if batches is not None:
        return batches, "step", ()
    if _of_episodes(table):
        return counted, "episode", ()
    if named:
        return counted, "step", (f"several rows per {named}; using row numbers",)
    unit = "epoch" if _validated_in_every_row(table, meanings) else "step"
    return counted, unit, ("no step or epoch column; using row numbers",)


def _batches(table: Table) -> Array | None:
    """A count of batches that goes on through the whole log, as steps do; one that starts over in each epoch is none."""
    for name, column in table.columns.items():
        if tidy(name) in BATCHES and column.full and _counts(column) and bool((np.diff(column.values) > 0).all()):
            return column.values
    return None


def _are_runs_of_one_epoch(table: Table, epochs: Array, meanings: Mapping[str, Meaning]) -> bool:
    """Whether all rows are of the same epoch, the first, and each is a run of its own."""
    if "fits_of_one_epoch" in table.facts:
        return False
    same = bool((epochs == epochs[0]).all()) and epochs[0] in FIRST_EPOCHS and not _two_steps(epochs, table, meanings)
    return same and _one_row_runs(table) and not _follows_a_schedule(table, meanings) and not _printed_in_a_row(table)


def _printed_in_a_row(table: Table) -> bool:
    """Whether the rows are line upon line of a printed log: a loop within the epoch prints them, and nothing of another run is between."""
    return table.rows >= SCHEDULE_ROWS and _one_below_the_other(table)


def _one_below_the_other(table: Table) -> bool:
    """Whether the rows are of a printed text, each on the line below the one before."""
    return table.format == "text" and table.lines is not None and bool((np.diff(table.lines) == 1).all())


def _follows_a_schedule(table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether the learning rate goes one way from row to row in steps that are much alike: the rows are steps of one run.

    Three rows are enough where they are printed one below the other.
    """
    column = next((table.columns[name] for name, meaning in meanings.items() if meaning.metric == "lr"), None)
    least = SCHEDULE_ROWS - _one_below_the_other(table)
    if column is None or not column.full or table.rows < least:
        return False
    moves = np.diff(column.values)
    one_way = bool((moves > 0).all() or (moves < 0).all())
    return one_way and bool(np.abs(np.diff(moves)).max() <= MAX_BEND * np.abs(moves).max())


def _two_steps(axis: Array, table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether the only two rows, of one epoch, are printed one below the other with nearly the same rate: those of a search differ more."""
    column = next((table.columns[name] for name, meaning in meanings.items() if meaning.metric == "lr"), None)
    if len(axis) != 2 or axis[0] != axis[1] or column is None or not column.full:
        return False
    low, high = sorted(np.abs(column.values))
    return bool(low < high < NEARLY * low) and _one_below_the_other(table)


def _validated_in_every_row(table: Table, meanings: Mapping[str, Meaning]) -> bool:
    """Whether every row holds both training and validation values, as rows that are epochs do."""
    split = {
        meaning.split: table.columns[name].full for name, meaning in meanings.items() if meaning.kind is Kind.SERIES
    }
    return split.get("train", False) and split.get("validation", False)


def segments(
    rows: Rows,
    axis: Array,
    presence: Sequence[NDArray[np.bool_]],
    kind: str,
    told: Sequence[NDArray[np.bool_]] = (),
) -> list[Segment]:
    """Cut these rows at restarts, join them at resumes, sort them if they are merely out of order.

    `presence` says which rows hold each series, `told` the same of losses and metrics alone: rates and times may stand beside each of a run's splits.
    """
    if not presence:
        return []
    full = any(present.all() for present in presence)
    held = np.ones(len(axis), dtype=np.bool_) if full else np.logical_or.reduce(list(presence))
    if len(rows) == len(held) and held.all() and bool((axis[1:] > axis[:-1]).all()):
        return [Segment(rows, axis, whole=True)]
    rows = rows[held[rows]]
    x, told = axis[rows], told or presence
    begun_again = kind == "text" and _ends_before_its_start(x, rows, told)
    if len(np.unique(x)) == len(x) and not (begun_again or _resumed_with_a_gap(x, rows, told)):
        order = np.argsort(x, kind="stable")
        return [Segment(rows[order], x[order])]
    starts = [0, *_restarts(x, rows, told, each_row=kind == "keras-csv"), len(x)]
    return [_joined_at_resume(rows[a:b], x[a:b]) for a, b in pairwise(starts) if b > a]


def _one_row_runs(table: Table) -> bool:
    return table.format == "keras-csv" or table.rows <= ONE_EPOCH


def _resumed_with_a_gap(x: Array, rows: Rows, presence: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether distinct steps go back now and then, into the run or to the start of another, with rows before and after that hold a series in common.

    Without one they are two lists of one run: of its evaluations, and of its training.
    """
    back = np.flatnonzero(np.diff(x) < 0) + 1
    blocks = np.split(np.arange(len(x)), back)
    if len(blocks) < 2 or min(map(len, blocks)) < RESUMED_AFTER:
        return False
    # A resumed run repeats a stretch of steps; rows that fill each other's gaps without one repeated are in another order.
    gaps = np.diff(np.sort(x))
    if np.allclose(gaps, gaps[0]):
        return False
    return all(_goes_on(x, rows, presence, before, after) for before, after in pairwise(blocks))


def _ends_before_its_start(x: Array, rows: Rows, presence: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether rows in order are followed by a few last ones, of the same series, that count from below the first: an evaluation, or another run."""
    back = np.flatnonzero(np.diff(x) < 0) + 1
    if len(back) != 1 or not len(x) - back[0] < RESUMED_AFTER <= back[0] or x[-1] >= x[0]:
        return False
    return any(held[rows[: back[0]]].any() and held[rows[back[0] :]].any() for held in presence)


def _goes_on(
    x: Array, rows: Rows, presence: Sequence[NDArray[np.bool_]], before: NDArray[np.intp], after: NDArray[np.intp]
) -> bool:
    """Whether two blocks of rows hold a series in common, and the later one is not wholly before the earlier one."""
    common = any(held[rows[before]].any() and held[rows[after]].any() for held in presence)
    return common and bool(x[after[-1]] > x[before[0]])


def _restarts(x: Array, rows: Rows, presence: Sequence[NDArray[np.bool_]], *, each_row: bool) -> list[int]:
    """Where the steps fall to their start or below it, after many rows to the second, or their first one is logged again in full."""
    cuts: list[int] = []
    start = 0
    for i in np.flatnonzero(np.diff(x) <= 0) + 1:
        back = x[i] < x[i - 1] and x[i] <= x[start + (i - start >= RESTARTED_AFTER)]
        alone = i - start == 1 and (each_row or len(x) <= ONE_EPOCH or np.any(np.diff(x) < 0))
        again = x[i] == x[i - 1] == x[start] and alone and _hold_the_same(rows[i - 1 : i + 1], presence)
        if back or again or _starts_over(x, int(i)):
            cuts.append(int(i))
            start = int(i)
    return cuts


def _hold_the_same(two: Rows, presence: Sequence[NDArray[np.bool_]]) -> bool:
    """Whether two rows hold the same series; of a step and of the epoch that ends with it they differ."""
    return any(held[two].all() for held in presence) and all(held[two[0]] == held[two[1]] for held in presence)


def _starts_over(x: Array, at: int) -> bool:
    """Whether the steps go back to the first of a count with longer steps: to 10, 20, 30 after every one up to 199."""
    stride = x[at]
    later = x[at : at + RESUMED_AFTER]
    before = x[max(0, at - RESUMED_AFTER) : at]
    alike = min(len(later), len(before)) == RESUMED_AFTER and bool((np.diff(later) == stride).all())
    return alike and stride > 1 and bool((np.diff(before) < stride).all() and (np.diff(before) > 0).all())


def _joined_at_resume(rows: Rows, x: Array) -> Segment:
    """Where the steps go back, the earlier values from that step on are dropped: the later value counts."""
    back = np.flatnonzero(np.diff(x) < 0) + 1
    if not len(back):
        return Segment(rows, x)
    lowest_later = np.minimum.accumulate(x[::-1])[::-1]  # a row is kept only if no later row is at or before its step
    after = np.append(lowest_later[1:], np.inf)
    block = np.searchsorted(back, np.arange(len(x)), side="right")
    last_of_block = np.append(back, len(x))[block] - 1
    keep = x < after[last_of_block]
    return Segment(rows[keep], x[keep], tuple(float(x[i]) for i in back))


def _filled(table: Table, meanings: Mapping[str, Meaning], kind: Kind) -> Array | None:
    """The fullest column of a kind; a gap takes the value above it. None if no column counts."""
    columns = [table.columns[name] for name, meaning in meanings.items() if meaning.kind is kind]
    full = [c for c in columns if _counts(c)]
    if not full:
        return None
    if len(full) == 1:
        return _forward(full[0])
    most = max(int(c.present.sum()) for c in full)
    full = [c for c in full if int(c.present.sum()) == most]
    best = max(full, key=lambda c: len(np.unique(c.values[c.present])))
    return _forward(best)


def _episodes(table: Table) -> Array | None:
    """A column that numbers the episodes of a game where the steps go back, being each episode's length, or are not logged."""
    steps = [column for name, column in table.columns.items() if tidy(name) in STEP and column.full]
    if any(bool((np.diff(column.values) >= 0).all()) for column in steps):
        return None
    for name, column in table.columns.items():
        if tidy(name) in EPISODES and column.full and _counts(column) and _numbers_rows(column.values):
            return column.values
    return None


def _what_counts(unit: str, table: Table, *, episodes: bool) -> str:
    """`episode` where the steps are those of a game, else the unit itself."""
    return "episode" if unit == "step" and (episodes or _of_episodes(table)) else unit


def _of_episodes(table: Table) -> bool:
    """Whether each row is one episode: the text says so, or the columns are those of Stable-Baselines' monitor, or of the return alone."""
    names = {*table.columns, *table.ignored}
    return "counts_episodes" in table.facts or names >= MONITOR or RETURN_OF_ONE.issuperset(map(tidy, names))


def _numbers_rows(values: Array) -> bool:
    """Whether numbers go up from row to row, but for a few rows where another run begins."""
    up = np.diff(values) > 0
    return bool(up.all()) or (len(up) >= MANY_EPISODES and float(up.mean()) >= NEARLY_ALL)


def _counts(column: Column) -> bool:
    """Whether a column can be an axis: at least half of it is there, and no value is beyond reason."""
    if column.full:
        return bool((np.abs(column.values) < MAX_STEP).all())
    return bool(column.present.mean() >= 0.5 and (np.abs(column.values[column.present]) < MAX_STEP).all())


def _forward(column: Column) -> Array:
    if column.full:
        return column.values
    last = np.maximum.accumulate(np.where(column.present, np.arange(len(column.values)), -1))
    first = int(np.argmax(column.present))
    return column.values[np.where(last < 0, first, last)]

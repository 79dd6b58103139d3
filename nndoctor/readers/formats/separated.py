"""Tables in text: CSV and TSV in every spelling, and their flavours by Keras, Lightning and others."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from nndoctor.core.errors import NotALog, UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables import chunked as large
from nndoctor.readers.tables.below import leaves_gaps
from nndoctor.readers.tables.layout import MAX_FIELD, UPRIGHT, Layout, is_row, is_ruler, layout_of, split
from nndoctor.readers.tables.plain_numbers import parsed
from nndoctor.readers.tables.repeated_headers import resumes
from nndoctor.readers.tables.table import Column, Table, WordColumn, is_words
from nndoctor.readers.vocabulary.names import Kind, meaning_of, tidy

LARGE = 8 << 20  # bytes; beyond, pandas reads faster than its import costs
PIECE = 20_000  # rows that are held as text at a time
MAX_CELL = 200  # lines that one quoted cell may go over; more, and its closing quote is missing
TRIAL_SETTINGS = {
    *("batch_size", "num_epochs", "n_epochs", "max_epochs", "epochs", "hidden_size", "num_layers", "dropout", "seed"),
    *("weight_decay", "optimizer", "trial", "n_layers", "hidden", "lr", "learning_rate", "momentum", "hidden_dim"),
}
EPOCH_SETTINGS = frozenset({"epochs", "num_epochs", "n_epochs", "max_epochs"})
BEST_WORDS = frozenset({"best", "final"})  # in the name of a score of a whole trial

CLASSES = frozenset({"class", "label", "category", "support", "class_name", "classes"})


def sniff(source: Source) -> bool:
    """A header whose cells are mostly words, and rows of as many cells below it."""
    if source.is_dir or not source.is_text or source.start.lstrip()[:1] in ("{", "["):
        return False
    if "\r" in source.start[:4096] or (layout := layout_of(source)) is None:  # a lone one redraws a bar
        return False
    return layout.delimiter != " " or not leaves_gaps(source.start.split("\n"), list(layout.header))


def read(source: Source) -> list[Table]:
    """One table; a large one of plain cells through pandas."""
    layout = layout_of(source)
    if layout is None:
        raise UnreadableLog(f"{source.path} is not a table with a header")
    _refuse_runs_table(layout, source)
    _refuse_classes(layout, source)
    table = _plain(source, layout) if source.size <= LARGE else large.read(source, layout)
    if table is None:
        table = read_rows(source, layout)
    if not table.rows:
        shown = ", ".join(layout.header[:6])
        raise UnreadableLog(f"{source.path} has a header ({shown}) but no rows: the run has not logged anything yet")
    _refuse_trials(table, source)
    return [table]


def _plain(source: Source, layout: Layout) -> Table | None:
    """A table of plain numbers with the header on its first line; None where it is any other, and read row by row."""
    odd = layout.delimiter in " |" or layout.indexed or source.encoding.startswith("utf-16") or not layout.kept
    if odd or not layout.numbers_only:
        return None
    header, _, rows = source.whole().partition(b"\n")
    if not rows.endswith(b"\n") or not is_row(header.decode("latin-1")):
        return None
    found = parsed(rows, layout.delimiter, len(layout.header), layout.kept)
    if found is None:
        return None
    columns = {layout.header[k]: Column(*column) for k, column in zip(layout.kept, found, strict=True)}
    lines = np.arange(2, 2 + len(found[0][0]))
    return Table(columns, layout.format, lines, ignored=layout.ignored)


def read_rows(source: Source, layout: Layout) -> Table:
    """The table by the standard library, row by row: exact for quotes, comments, blank and ragged lines."""
    text = source.text()
    pieces = _Pieces(layout)
    rows: list[list[str]] = []
    at: list[int] = []
    for row, line in _records(text, layout, source.path):
        rows.append(row)
        at.append(line)
        if len(rows) > PIECE:  # the last row is held back: it may be cut off
            pieces.add(rows[:-1], at[:-1])
            rows, at = rows[-1:], at[-1:]
    notes: tuple[str, ...] = ()
    if rows and len(rows[-1]) < len(layout.header) and not text.endswith("\n"):
        rows, at = rows[:-1], at[:-1]
        notes = (CUT,)
    pieces.add(rows, at)
    return pieces.table(notes)


CUT = large.CUT


@dataclass
class _Pieces:
    """Columns as they grow."""

    layout: Layout
    columns: dict[str, list[Column]] = field(default_factory=dict)
    words: dict[str, list[WordColumn]] = field(default_factory=dict)
    lines: list[np.ndarray] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    wide: int = 0

    def add(self, rows: Sequence[Sequence[str]], at: Sequence[int]) -> None:
        """Take in rows, less those that repeat the header."""
        header = [name.strip() for name in self.layout.header]
        known = (header, list(self.layout.below))
        new = [[c.strip().strip("\"'").strip() for c in row] not in known for row in rows]
        self.repeated += [line for line, row_is_new in zip(at, new, strict=True) if not row_is_new]
        rows, lines = list(compress(rows, new)), list(compress(at, new))
        shift = 1 if self.layout.indexed else 0
        width = len(header) + shift
        self.wide += sum(len(row) > width and any(c.strip() for c in row[width:]) for row in rows)
        for position in self.layout.kept:
            name, place = self.layout.header[position], position + shift
            cells = [row[place] if place < len(row) else "" for row in rows]
            if is_words(name):
                self.words.setdefault(name, []).append(WordColumn.of(cells))
            else:
                self.columns.setdefault(name, []).append(Column.of(cells, comma=self.layout.comma))
        self.lines.append(np.asarray(lines, dtype=np.int64))

    def table(self, notes: tuple[str, ...]) -> Table:
        """All pieces as one table."""
        if self.wide:
            notes = (*notes, f"{self.wide} rows have more cells than the header; the extra cells were skipped")
        return Table(
            {name: Column.joined(parts) for name, parts in self.columns.items()},
            self.layout.format,
            np.concatenate(self.lines),
            resumes(self.repeated, self.layout.delimiter),
            notes,
            words={name: WordColumn.joined(parts) for name, parts in self.words.items()},
            ignored=self.layout.ignored,
        )


class _Lines:
    """The lines of a text for a csv reader, comments and blank lines between its rows left out."""

    def __init__(self, text: str, *, piped: bool) -> None:
        self.text, self.piped, self.at, self.line = text, piped, 0, 0
        self.began = 0  # the line on which the row being read begins; 0 between rows

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end + 1
            line, self.at = self.text[self.at : end], end
            self.line += 1
            if self.began:
                return line
            if is_row(line) and not is_ruler(line):
                self.began = self.line
                return line.translate(UPRIGHT).strip().strip("|") if self.piped else line
        raise StopIteration


def _records(text: str, layout: Layout, path: str) -> Iterator[tuple[list[str], int]]:
    """The rows below the header, each with the physical line on which it begins."""
    delimiter, headed = layout.delimiter, not layout.commented
    lines = _Lines(text, piped=delimiter == "|")
    if delimiter == " ":
        rows: Iterator[list[str]] = (split(line, " ") for line in lines)
    else:
        csv.field_size_limit(MAX_FIELD)
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        for k, row in enumerate(rows):
            began, lines.began = lines.began, 0
            if lines.line - began > MAX_CELL:
                raise UnreadableLog(f"{path}, line {began}: a quote is opened but not closed; close or remove it")
            if k or not headed:
                yield row, began
    except csv.Error as error:
        raise NotALog(f"{path}, line {lines.line}: not a table ({error}); is this the right file?") from error


def _refuse_runs_table(layout: Layout, source: Source) -> None:
    if layout.lists_runs:
        raise NotALog(
            f"{source.path} is a W&B table of runs, one row each: export the history of one run, or a panel, instead"
        )


def _refuse_classes(layout: Layout, source: Source) -> None:
    """Refuse a classification report: a row per class of precision and recall, not a training log."""
    names = {tidy(name) for name in layout.header}
    kinds = {meaning_of(name).kind for name in layout.header}
    meanings = [meaning_of(name) for name in layout.header]
    counts = kinds & {Kind.EPOCH, Kind.STEP} or any(what.split or what.metric in ("loss", "lr") for what in meanings)
    if names & CLASSES and not counts:
        raise UnreadableLog(f"{source.path} has one row per class and no epoch or step, so it is not a training log")


def _refuse_trials(table: Table, source: Source) -> None:
    """A table with one row a trial has settings that change from row to row, or a best value, and no axis."""
    kinds = {meaning_of(name).kind: column for name, column in reversed(list(table.columns.items()))}
    epochs = kinds.get(Kind.EPOCH)
    if table.rows < 2 or Kind.STEP in kinds or (epochs is not None and _grows(epochs)):
        return
    names = [*table.columns, *table.words, *table.ignored]
    settings = [name for name in names if tidy(name) in TRIAL_SETTINGS and _changes(table, name)]
    if _are_of_trials(
        list(map(tidy, names)), {tidy(name) for name in settings}, len(settings), counts=epochs is not None
    ):
        shown = ", ".join(settings[:4])
        raise NotALog(
            f"{source.path} is a table of trials ({shown} change from row to row), not the log of a run: "
            "use nndoctor sweep, or give the log of one trial"
        )


def _grows(column: Column) -> bool:
    """Whether every value is above the one before it."""
    return bool(np.all(np.diff(column.values[column.present]) > 0))


def _are_of_trials(names: list[str], settings: set[str], number: int, *, counts: bool) -> bool:
    """Whether columns are those of trials, by the names of all and of the settings that change; `counts`: one is an epoch."""
    best = any(not BEST_WORDS.isdisjoint(name.split("_")) for name in names)
    epochs_as_setting = not EPOCH_SETTINGS.isdisjoint(names)
    if number >= 2 and (epochs_as_setting or not counts):
        return True
    return best and (number > 0 or (epochs_as_setting and not settings <= {"lr", "learning_rate"}))


def _changes(table: Table, name: str) -> bool:
    if name in table.words:
        return len(table.words[name].words) > 1
    column = table.columns.get(name)
    return column is None or len(np.unique(column.values[column.present])) > 1


READER = Reader(
    "csv",
    "tables with a header: CSV, TSV, semicolons, decimal commas; Keras CSVLogger, Lightning metrics.csv",
    sniff,
    read,
)

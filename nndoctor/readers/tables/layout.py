"""The shape of a text table, from its first bytes: delimiter, header, the columns to keep."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, dropwhile, islice, pairwise

from nndoctor.core.bounded import Bounded
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.table import is_words
from nndoctor.readers.vocabulary.names import SPLITS, Kind, depends_on_others, meaning_of, tidy
from nndoctor.readers.vocabulary.spellings import EACH, ELAPSED

DELIMITERS = (",", "\t", ";", "|")
COMMENTS = ("#", "//", "sep=")  # the last is Excel's word to itself
SAMPLE_LINES = 40  # lines
DECIMAL = re.compile(r"[-+]?(0,\d+|\d+,(\d{1,2}|\d{4,}))([eE][-+]?\d+)?\s*%?")  # a comma that parts no thousands
RULED = set("|-:+=_ \r\n─━═┏┳┓┡╇┩├┼┤┣╋┫└┴┘┗┻┛╞╪╡╭┬╮╰╯┌┐╔╦╗╠╬╣╚╩╝╟╫╢│┃║")
DASHES = re.compile(r"[-=]{3,}(?:\s+[-=]{3,})+")  # below the names of a table aligned by blanks
UPRIGHT = str.maketrans("│┃║", "|||")
SAID = re.compile(
    r"[:=]\s*[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf)(?:/\d+)?$", re.IGNORECASE
)  # `loss=0.4` is a cell, and no name
TIME_BEHIND = re.compile(
    r"\s\(\d+:\d\d(?::\d\d)?\)\s*$"
)  # how long an epoch took, as early fastai prints it: `1 1.04 0.98 (00:13)`
MAX_FIELD = 1 << 26  # characters
MAX_COLUMNS = 4096  # columns whose names are read
MAX_REMEMBERED = 256  # headers whose layout is remembered
MAX_HEADER_BYTES = 4 << 20  # bytes of a header
FITTING = 0.6  # the share of rows with as many cells as the header, which a few printed lines may interrupt


@dataclass(frozen=True)
class Layout:
    """How a table is cut: `kept` are the positions of columns that mean something, `indexed` a nameless first column.

    `below` is the second line of a header that goes over two, as MATLAB prints it. `decimal` says that quoted cells
    hold decimal commas between delimiters that are commas themselves, `commented` that the header is a comment, so that
    the first row is one of numbers.
    """

    delimiter: str
    header: tuple[str, ...]
    kept: tuple[int, ...]
    indexed: bool = False
    below: tuple[str, ...] = ()
    decimal: bool = False
    commented: bool = False

    @cached_property
    def numbers_only(self) -> bool:
        """Whether no kept column holds words."""
        return not any(is_words(self.header[k]) for k in self.kept)

    @cached_property
    def lists_runs(self) -> bool:
        """Whether this is the table of runs that W&B exports, a row a run."""
        return {"name", "state", "created", "runtime"} <= {tidy(name) for name in self.header}

    @property
    def comma(self) -> bool:
        """Whether a comma may be a decimal comma."""
        return self.decimal or self.delimiter != ","

    @cached_property
    def ignored(self) -> tuple[str, ...]:
        """The unrecognized columns, in order."""
        kept = set(self.kept)
        left = (name for k, name in enumerate(self.header[:MAX_COLUMNS]) if k not in kept)
        return tuple(name for name in left if meaning_of(name).kind is Kind.UNKNOWN)

    @cached_property
    def format(self) -> str:
        """The flavour, by the header."""
        names = {tidy(name) for name in self.header}
        logged = any(n.endswith(("_step", "_epoch")) or n.startswith(("train_", "val_", "valid_")) for n in names)
        if {"epoch", "step"} <= names and logged:
            return "lightning-csv"
        if "loss" in names and ("epoch" in names or "val_loss" in names):
            return "keras-csv"
        return "tsv" if self.delimiter == "\t" else "csv"


def layout_of(source: Source) -> Layout | None:
    """The layout of a text that is a table, else None; of many tables with one header it is found once."""
    header = source.above_plain_rows
    if header is None:
        return _found(source)
    key = (header, source.kept)
    if key not in _KNOWN:
        _KNOWN[key] = _found(source)
    return _KNOWN[key]


def _found(source: Source) -> Layout | None:
    text = source.start if "\n" in source.start else source.beginning(MAX_HEADER_BYTES)
    rows_of_text = islice(filter(is_row, text.split("\n")[:-1] or [text]), SAMPLE_LINES + 1)
    lines = list(dropwhile(is_ruler, rows_of_text))
    if not lines:
        return None
    commented = _commented(text, lines[0])
    lines = [*commented, *lines]
    delimiter = delimiter_of(lines)
    first, below, rows = _heads(split(lines[0], delimiter), _rows(lines, delimiter), delimiter)
    if not rows and len(first) > MAX_COLUMNS:
        return None  # a long line of words, and nothing below it
    header = unique([cell.strip().strip("\"'").strip() for cell in first])
    if not _is_header(header, rows, delimiter):
        return None
    indexed = bool(rows) and all(len(row) == len(header) + 1 and row[-1].strip() for row in rows)
    decimal = any(DECIMAL.fullmatch(cell.strip()) for cell in chain.from_iterable(rows))
    kept = _kept(header, rows, source)
    return Layout(delimiter, tuple(header), kept, indexed, below, decimal, bool(commented))


Cells = list[str]


def _heads(first: Cells, rows: list[Cells], delimiter: str) -> tuple[Cells, tuple[str, ...], list[Cells]]:
    """The names, the second line of them if there is one, and the rows below."""
    if delimiter != "|" or not rows or not _is_second_header(first, rows[0]):
        return first, (), rows
    both = [f"{upper} {lower}" for upper, lower in zip(first, rows[0], strict=True)]
    return both, tuple(cell.strip() for cell in rows[0]), rows[1:]


def _kept(header: Cells, rows: list[Cells], source: Source) -> tuple[int, ...]:
    """The columns that are read: those whose names or cells tell of a run, and those that the user named."""
    timed = _timed(header, rows)
    names = enumerate(header[:MAX_COLUMNS])
    return tuple(k for k, name in names if _worth(name) or name in source.kept or k == timed)


def _commented(text: str, first: str) -> list[str]:
    """The header in a comment above a first row of numbers, as NumPy's savetxt writes it; else none."""
    above = text[: text.index(first)].rstrip().rpartition("\n")[2].strip() if first in text else ""
    if not above.startswith("#"):
        return []
    line = above.lstrip("#").strip()
    delimiter = delimiter_of([line, first.strip()])
    names, cells = split(line, delimiter), split(first.strip(), delimiter)
    fits = len(names) == len(cells) > 1 and all(map(is_number, cells)) and not any(map(is_number, names))
    return [line] if fits else []


def _rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The cells of the lines after the first, without rulers and repeated headers."""
    again = lines[0].strip() if all(cell.strip() for cell in split(lines[0], delimiter)) else None
    return [split(line, delimiter) for line in lines[1:] if not is_ruler(line) and line.strip() != again]


def _timed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The position of the only column of times in seconds."""
    names = [tidy(name) for name in header[:MAX_COLUMNS]]
    at = next((names.index(name) for name in (*ELAPSED, *EACH) if name in names), None)
    if at is None or not all(len(row) > at and is_number(row[at]) for row in rows):
        return None
    return at


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line."""
    if delimiter == " ":
        return cells_between_blanks(line)
    if delimiter == "|":
        line = line.translate(UPRIGHT).strip().strip("|")
    csv.field_size_limit(MAX_FIELD)
    return next(csv.reader([line.replace("\r", " ")], delimiter=delimiter, skipinitialspace=True), [])


def cells_between_blanks(line: str, most: int = -1) -> list[str]:
    """The cells of a line that blanks part, `most` + 1 of them at most; a time in brackets at its end has no name, and is none."""
    return (TIME_BEHIND.sub("", line) if line.rstrip().endswith(")") else line).split(maxsplit=most)


def rows_of(text: str) -> list[list[str]]:
    """The rows of comma-separated text with quotes; a lone carriage return within a cell is a blank."""
    csv.field_size_limit(MAX_FIELD)
    return list(csv.reader(text.replace("\r", " ").split("\n")))


def is_row(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    bare = line.strip()
    return bool(bare) and not bare.startswith(COMMENTS)


def is_ruler(line: str) -> bool:
    """Whether a line only draws the lines of a text table: `|---|:-:|`, `-----  -------`."""
    drawn = bool(set(line) & set("|+─━═")) or DASHES.fullmatch(line.strip()) is not None
    return set(line) <= RULED and len(line.strip()) > 2 and drawn


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that cuts the first lines most evenly; a blank where nothing else does."""
    best, most = " ", 0.0
    for delimiter in DELIMITERS:
        counts = [len(split(line, delimiter)) for line in lines]
        usual, often = Counter(counts).most_common(1)[0]
        even = often / len(counts) * usual
        if usual > 1 and counts[0] > 1 and even > most:
            best, most = delimiter, even
    return best


def unique(names: Sequence[str]) -> list[str]:
    """Unique names: repeated ones get a number appended."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return result


_KNOWN: Bounded[tuple[bytes, tuple[str, ...]], Layout | None] = Bounded(MAX_REMEMBERED)


def _worth(name: str) -> bool:
    return _tells(name) or meaning_of(name).kind is Kind.MACHINE or depends_on_others(name)


def _tells(name: str) -> bool:
    """Whether a name shows that the table is a log: a loss, a metric, an axis or a word column."""
    kinds = (Kind.SERIES, Kind.PART, Kind.EPOCH, Kind.STEP)
    return is_words(name) or tidy(name) in SPLITS or meaning_of(name).kind in kinds


def _is_second_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a row holds only words, some of them below words."""
    cells = [cell for cell in second if cell.strip()]
    return len(first) == len(second) and len(cells) > 1 and not any(map(is_number, cells))


def _is_header(header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Words above rows of as many cells, of which some are numbers."""
    filled = [cell for cell in header if cell]
    named = _names(filled, rows)
    if not named or len(named) < len(filled) / 2 or (delimiter == "|" and len(named) < len(filled)):
        return False  # `| loss | 0.4 |` is a row of a table that was cut off above
    if any(name.endswith(":") and is_number(cell) for name, cell in pairwise(filled)) or _alternates(filled):
        return False  # names and their numbers, parted by tabs
    known = any(map(_tells, header[:MAX_COLUMNS]))
    blanks = delimiter == " "  # any two lines of prose are a table with blanks
    if blanks and not (known and len(named) == len(header)):
        return False
    return _fit(header, rows, mostly_numbers=blanks) if rows else known


def _alternates(cells: Sequence[str]) -> bool:
    """Whether a row goes name, number, name, number."""
    return len(cells) > 2 and all(is_number(cell) == bool(k % 2) for k, cell in enumerate(cells))


def _names(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The cells that are names: no numbers, and no `loss=0.4` unless the rows below hold none (`loss_group:0` is a name)."""
    plain = bool(rows) and not any(SAID.search(cell.strip()) for cell in chain.from_iterable(rows))
    return [cell for cell in cells if not is_number(cell) and (plain or not SAID.search(cell))]


def _fit(header: Sequence[str], rows: Sequence[Sequence[str]], *, mostly_numbers: bool) -> bool:
    """Whether most rows have a cell for each name, and numbers among them."""
    least = [len(row) // 2 if mostly_numbers else 0 for row in rows]
    fitting = sum(
        abs(len(row) - len(header)) <= 1 and sum(map(is_number, row)) > numbers
        for row, numbers in zip(rows, least, strict=True)
    )
    return fitting >= FITTING * len(rows)


def is_number(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        return number(cell, comma=True) is not None
    except ValueError:
        return False

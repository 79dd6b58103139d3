"""Tables in text: CSV and TSV in every spelling, and their flavours by Keras, Lightning and others."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

import numpy as np

from nndoctor.errors import UnreadableLog
from nndoctor.readers import large
from nndoctor.readers.cells import number
from nndoctor.readers.names import Kind, meaning, tidy
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Column, Table, constants

DELIMITERS = (",", "\t", ";", "|")
LARGE = 8 << 20  # bytes; beyond, pandas reads faster than its import costs


def sniff(source: Source) -> bool:
    """A header whose cells are mostly words, and a row of as many cells below it."""
    if source.is_dir or not source.is_text or source.start.lstrip()[:1] in ("{", "["):
        return False
    lines = _lines(source.start)[:40]
    if not lines:
        return False
    delimiter = delimiter_of(lines)
    header = [c for c in _split(lines[0], delimiter) if c.strip()]
    words = [c for c in header if not _is_number(c)]
    if (
        not header
        or len(words) < max(1, len(header) / 2)
        or (len(header) == 1 and meaning(header[0]).kind is Kind.UNKNOWN)
    ):
        return False
    kinds = [meaning(c).kind for c in header]
    widths = [len(_split(line, delimiter)) for line in lines[1:]]
    fitting = sum(abs(w - len(_split(lines[0], delimiter))) <= 1 for w in widths)
    return fitting >= 0.6 * len(widths) and (len(header) >= 2 or kinds[0] is Kind.SERIES)


def read(source: Source) -> list[Table]:
    """One table; a large one of plain cells through pandas."""
    lines = _lines(source.start)
    delimiter = delimiter_of(lines[:40])
    if source.size > LARGE and delimiter != " ":
        return [large.read(source, delimiter, _flavour([c.strip() for c in _split(lines[0], delimiter)], delimiter))]
    rows, numbers = _rows(source, delimiter)
    header = _unique([c.strip().strip("\"'").strip() for c in rows[0]])
    body, at = _body(rows, numbers, header)
    notes: tuple[str, ...] = ()
    if body and len(body[-1]) < len(header) and not source.text().endswith(("\n", "\r")):
        body, at = body[:-1], at[:-1]
        notes = ("the last line is cut off and was left out",)
    if not body:
        raise UnreadableLog(
            f"{source.path} has a header ({', '.join(header[:6])}) and no rows below it: the run has logged nothing yet"
        )
    columns = list(zip(*(row + [""] * (len(header) - len(row)) for row in body), strict=False))[: len(header)]
    comma = delimiter != ","
    table = {name: Column.of(cells, comma) for name, cells in zip(header, columns, strict=True)}
    _refuse_trials(table, source)
    facts = constants(dict(zip(header, columns, strict=True)))
    return [Table(table, _flavour(header, delimiter), np.asarray(at, dtype=np.int64), facts, notes)]


def delimiter_of(lines: list[str]) -> str:
    """The delimiter that cuts the first lines most evenly; a blank where nothing else does."""
    best, most = " ", 0.0
    for delimiter in DELIMITERS:
        counts = [len(_split(line, delimiter)) for line in lines]
        usual, often = Counter(counts).most_common(1)[0]
        if usual > 1 and often / len(counts) * usual > most and counts[0] > 1:
            best, most = delimiter, often / len(counts) * usual
    return best


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "//"))]


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])


def _rows(source: Source, delimiter: str) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    for row, line in _parsed(source.text(), delimiter, source.path):
        if any(cell.strip() for cell in row) and not row[0].lstrip().startswith(("#", "//")):
            rows.append(row)
            numbers.append(line)
    return rows, numbers


def _parsed(text: str, delimiter: str, path: str) -> Iterator[tuple[list[str], int]]:
    """Rows, each with the physical line on which it begins."""
    text = text.replace("\r\r\n", "\r\n")
    if delimiter == " ":
        yield from ((line.split(), k) for k, line in enumerate(text.splitlines(), 1) if line.strip())
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    csv.field_size_limit(1 << 26)
    before = 0
    try:
        for row in reader:
            if row:
                yield row, before + 1
            before = reader.line_num
    except csv.Error as error:
        raise UnreadableLog(f"{path}, line {reader.line_num}: not a table ({error}); is it the right file?") from error


def _body(rows: list[list[str]], numbers: list[int], header: list[str]) -> tuple[list[list[str]], list[int]]:
    """The rows below the header; a header that is repeated is no row."""
    same = [c.strip() for c in rows[0]]
    kept = [(row, n) for row, n in zip(rows[1:], numbers[1:], strict=True) if [c.strip() for c in row] != same]
    return [row[: len(header)] for row, _ in kept], [n for _, n in kept]


def _unique(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return result


def _is_number(cell: str) -> bool:
    try:
        number(cell, comma=True)
    except ValueError:
        return False
    return True


def _flavour(header: list[str], delimiter: str) -> str:
    names = {tidy(name) for name in header}
    if (
        "epoch" in names
        and "step" in names
        and any(n.endswith(("_step", "_epoch")) or n.startswith(("train_", "val_", "valid_")) for n in names)
    ):
        return "lightning-csv"
    if "epoch" in names and any(n.removeprefix("val_") in names for n in names if n.startswith("val_")):
        return "keras-csv"
    return "tsv" if delimiter == "\t" else "csv"


def _refuse_trials(table: dict[str, Column], source: Source) -> None:
    """A table with one row a trial has settings that change from row to row, and no axis."""
    kinds = {name: meaning(name) for name in table}
    if (
        any(said.kind in (Kind.EPOCH, Kind.STEP) for said in kinds.values())
        or next(iter(table.values())).values.size < 2
    ):
        return
    settings = {
        "batch_size",
        "num_epochs",
        "n_epochs",
        "max_epochs",
        "hidden_size",
        "num_layers",
        "dropout",
        "weight_decay",
        "optimizer",
        "trial",
        "n_layers",
        "hidden",
        "seed",
    }
    found = [name for name in table if tidy(name) in settings]
    if len(found) >= 2 or (found and any("best" in tidy(name) for name in table)):
        raise UnreadableLog(
            f"{source.path} is a table of trials ({', '.join(found[:4])} change from row to row), not the log of a run: give the log of one trial"
        )


READER = Reader(
    "csv",
    "tables with a header: CSV, TSV, semicolons, decimal commas; Keras CSVLogger, Lightning metrics.csv",
    sniff,
    read,
)

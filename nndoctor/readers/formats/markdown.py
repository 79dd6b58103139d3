"""A table of results within prose: the model cards that the Hugging Face Trainer writes, and other Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.layout import is_number, is_ruler, split, unique
from nndoctor.readers.tables.table import Table, from_cells
from nndoctor.readers.vocabulary.names import Kind, meaning_of

COMMENT = re.compile(r"^\s*(?:%+|#+|>+|//)\s+(?=[|+])")  # before a table that is pasted into a program or a reply
STROKES = tuple("|-=+:├╞╟")  # with which a ruler begins


def sniff(source: Source) -> bool:
    """A header with an axis and a series between upright strokes, a ruler below it, and two rows."""
    if source.is_dir or not source.is_text or "|" not in source.start:
        return False
    return next(_tables(_lines(source.start)), None) is not None


def read(source: Source) -> list[Table]:
    """One table for each one in the text that describes a run."""
    return [
        from_cells(cells, "markdown", range(first, first + len(next(iter(cells.values())))))
        for cells, first in _tables(_lines(source.text()))
    ]


def _lines(text: str) -> list[str]:
    """The lines of a text, those of a table that is commented out without the sign in front."""
    return [COMMENT.sub("", line) if "|" in line else line for line in text.split("\n")]


def _tables(lines: list[str]) -> Iterator[tuple[dict[str, list[str]], int]]:
    """The columns of each such table, and the line of its first row."""
    for at in range(1, len(lines) - 2):
        if lines[at].lstrip()[:1] not in STROKES or not is_ruler(lines[at]) or "|" not in lines[at - 1]:
            continue
        header = unique(_header(lines[at - 2] if at > 1 else "", lines[at - 1]))
        kinds = {meaning_of(name).kind for name in header}
        if Kind.SERIES not in kinds or kinds.isdisjoint((Kind.STEP, Kind.EPOCH)):
            continue
        rows = _rows(lines[at + 1 :], len(header))
        if len(rows) > 1:
            yield {name: [row[k] for row in rows] for k, name in enumerate(header)}, at + 2


def _rows(lines: list[str], width: int) -> list[list[str]]:
    """The cells of the first lines that have so many between upright strokes."""
    cells = (split(line, "|") if "|" in line else [] for line in lines)
    return [[cell.strip() for cell in row] for row in takewhile(lambda row: len(row) == width, cells)]


def _header(above: str, line: str) -> list[str]:
    """The column names; if a line of words with as many cells precedes them, both are joined, as MATLAB prints them."""
    names = [name.strip() for name in split(line, "|")]
    upper = [name.strip() for name in split(above, "|")] if "|" in above and not is_ruler(above) else []
    if len(upper) != len(names) or any(map(is_number, upper)) or not all(upper):
        return names
    return [f"{one} {other}".strip() for one, other in zip(upper, names, strict=True)]


READER = Reader("markdown", "tables of results in Markdown, such as Hugging Face model cards", sniff, read)

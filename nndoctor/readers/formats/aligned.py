"""A table aligned by blanks within other text: what Chainer, spaCy, MATLAB and fastai print below a preface."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.below import below, starts
from nndoctor.readers.tables.layout import cells_between_blanks, is_number, unique
from nndoctor.readers.tables.table import Table, from_cells
from nndoctor.readers.vocabulary.names import Kind, meaning_of

QUOTED = re.compile(r"^[\s\"'`]*[\"'`][\s\"'`#]*")  # before a table that is pasted in quotes
RULER = re.compile(r"^\s*([-_=─]+\s+)+[-_=─]+\s*$")
MIN_ROWS = 2
MAX_COLUMNS = 64
MAX_TRIED = 4  # headers whose rows are searched for gaps
TWO_WORDS = re.compile(r"\b(train|training|valid|validation|test) (loss|accuracy|error)\b", re.IGNORECASE)  # as pasted
SPACY_NAMES = {
    "E": "epoch",
    "#": "step",
    "Itn": "epoch",
    "Itn.": "epoch",
    "NER Loss": "train_loss",
    "N.Loss": "train_loss",
}  # spaCy's words
SPACY = re.compile(r"^(?:(?P<part>LOSS) \w+|\w+_(?P<metric>[FPR])|(?P<score>SCORE)|NER (?P<of_second>[FPR])\.?)$")
METRICS = {"F": "f1", "P": "precision", "R": "recall"}


def sniff(source: Source) -> bool:
    """A header of words that names an axis and a series, and two rows of as many numbers below it."""
    return not source.is_dir and source.is_text and _found(source.start.split("\n")) is not None


def read(source: Source) -> list[Table]:
    """One table with the rows that fit the header, whatever was printed between them."""
    found = _found(source.text().split("\n"))
    if found is None:
        raise UnreadableLog(f"{source.path} has no table of numbers with a header")
    header, rows, lines = found
    rows = _without_first_loss(header, rows)
    return [from_cells({name: [row[k] for row in rows] for k, name in enumerate(header)}, "aligned", lines)]


def _without_first_loss(header: list[str], rows: list[list[str]]) -> list[list[str]]:
    """The rows, spaCy's first without its loss: that is a sum over the batches since the row before, at step 0 over one batch."""
    if "SCORE" not in header or "train_loss" not in header or rows[0][header.index("step")] != "0":
        return rows
    at = header.index("train_loss")
    return [[*rows[0][:at], "", *rows[0][at + 1 :]], *rows[1:]]


def _found(lines: list[str]) -> tuple[list[str], list[list[str]], list[int]] | None:
    """The first header that names an axis and a series, the cells of its rows and the lines that they are on."""
    lines = [_unquoted(line) for line in lines]
    rows_of = _rows_by_width(lines)
    tried = 0
    for at in range(len(lines) - 1):
        ruler = lines[at + 1] if RULER.match(lines[at + 1]) else ""
        # The cut with rows of as many cells first: below any other, they would leave names without a number.
        for header in sorted(_headers(lines[at], ruler), key=lambda names: len(names) not in rows_of):
            places = rows_of.get(len(header), [])
            places = places[bisect_left(places, at + 1 + bool(ruler)) :]
            if (tried >= MAX_TRIED and len(places) < MIN_ROWS) or not _names_axis_and_series(header):
                continue
            tried += 1
            rows = {} if ruler else _with_gaps(lines, at, len(header))
            rows = dict(sorted((rows | {k: cells_between_blanks(lines[k]) for k in places}).items()))
            if len(rows) >= MIN_ROWS or _holds_a_lost_loss(header, list(rows.values())):
                return unique(header), list(rows.values()), [k + 1 for k in rows]
    return None


def _unquoted(line: str) -> str:
    """A line without the quotation marks around a pasted table, its columns where they were."""
    if not line.lstrip().startswith(('"', "'", "`")) and not line.endswith(('"', "'", "`")):
        return line
    return QUOTED.sub(lambda found: " " * len(found[0]), line).rstrip("\"'` ")


def _holds_a_lost_loss(header: list[str], rows: list[list[str]]) -> bool:
    """Whether a loss is NaN: then one row is enough to report."""
    losses = [k for k, name in enumerate(header) if meaning_of(name).metric == "loss"]
    return any(row[k].lower() == "nan" for row in rows for k in losses)


def _with_gaps(lines: list[str], at: int, width: int) -> dict[int, list[str]]:
    """The rows below a header that leave some of its columns empty."""
    columns = starts(lines[at])
    if len(columns) != width:
        return {}
    found = {k: below(columns, line) for k, line in enumerate(lines[at + 1 :], at + 1)}
    return {k: [cells.get(column, "") for column in range(width)] for k, cells in found.items() if cells}


def _rows_by_width(lines: list[str]) -> dict[int, list[int]]:
    """For each number of cells the lines of so many, mostly numbers; every line is looked at once, whatever the headers."""
    found: dict[int, list[int]] = {}
    for k, line in enumerate(lines):
        cells = cells_between_blanks(line, MAX_COLUMNS)
        if cells and len(cells) <= MAX_COLUMNS and is_number(cells[0]) and sum(map(is_number, cells)) > len(cells) / 2:
            found.setdefault(len(cells), []).append(k)
    return found


def _headers(line: str, ruler: str) -> list[list[str]]:
    """The names, cut where a ruler below them has its gaps; without one at blanks, or where there are two and more."""
    if ruler:
        starts = [match.start() for match in re.finditer(r"\S+", ruler)]
        cuts = [[line[a:b].strip() for a, b in pairwise([0, *starts[1:], max(len(line), len(ruler))])]]
    else:
        ways = (line.split(), re.split(r"\s{2,}", line.strip()), TWO_WORDS.sub(r"\1_\2", line).split())
        cuts = list({len(names): names for names in ways}.values())
    return [[_spelled_out(name) for name in names] for names in cuts]


def _spelled_out(name: str) -> str:
    found = SPACY.match(name)
    if found is None:
        return SPACY_NAMES.get(name, name)
    if found["part"]:
        return "train_loss" if name.endswith((" NER", " TEXTCAT", " TAGGER", " PARSER")) else name
    metric = found["metric"] or found["of_second"]
    return f"dev_{METRICS[metric]}" if metric else name


def _names_axis_and_series(header: list[str]) -> bool:
    kinds = [meaning_of(name).kind for name in header]
    if any(not name or is_number(name) for name in header):
        return False
    return Kind.SERIES in kinds and any(kind in (Kind.EPOCH, Kind.STEP) for kind in kinds)


READER = Reader("aligned", "tables aligned with spaces: Chainer, spaCy, MATLAB's trainnet, fastai", sniff, read)

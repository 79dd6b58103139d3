"""Small tables that are printed for each epoch, splits across or down, line by line as names and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from nndoctor.readers.tables.cells import MISSING, number
from nndoctor.readers.tables.layout import UPRIGHT
from nndoctor.readers.vocabulary.names import SPLITS, Kind, meaning_of

LABEL = re.compile(r"(?:.*(?:\s{2,}|\s-\s|:\s))?(?P<label>\S.*)")  # what a logger puts before it is left out
DIGIT = re.compile(r"\d")
COCO = ("AP50", "AP75")
COCO_HEADER = re.compile(r"^\s*\|\s*AP\s*\|\s*AP50\s*\|\s*AP75\s*\|")
MAX_COLUMNS = 32  # columns
APART = re.compile(r"\s*[,;\t]\s*|\s{2,}")  # between the names of a header, and between the numbers below it
DELIMITED = re.compile(r"[,;\t|]")
DECORATION = "*#=-_ \t\r"
MAX_HEADER = 400  # characters
MIN_NAMES = 2  # losses and metrics in a header


def rows_as_pairs(lines: Iterable[str]) -> Iterator[str]:
    """The lines; a row of such a table as `train loss: 0.4, train accuracy: 0.9`.

    AllenNLP prints the splits across and the metrics down, Ludwig the other way round.
    """
    across: Sequence[str] = ()
    for line in lines:
        if "|" not in line and "\u2502" not in line:
            yield line
            continue
        if COCO_HEADER.match(line):
            across = COCO
            continue
        if not across and DIGIT.search(line, line.find("|") + 1):
            yield line  # neither a header nor below one
            continue
        cells = [cell.strip() for cell in line.translate(UPRIGHT).strip().strip("|").split("|")]
        if not 2 <= len(cells) <= MAX_COLUMNS:
            yield line
        elif not any(map(str.isdigit, "".join(cells[1:]))) and not _values(cells[1:]):
            first = _label(cells[0])
            names = (first, *cells[1:]) if first.lower() in SPLITS else cells[1:]
            across = names if any(map(_is_metric, names)) else across
            yield line
        else:
            yield _named(_label(cells[0]), across, cells[1:]) or _coco(across, cells) or line


def named_above(lines: Iterable[str]) -> Iterator[str]:
    """The lines; those of numbers below one of as many names (`train_loss,train_acc,valid_loss`) with each number by its name."""
    names: list[str] = []
    for line in lines:
        if names:
            cells = _below(line, len(names))
            if len(cells) == len(names) and _values(cells):
                yield ", ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if name)
                names = names if DELIMITED.search(line) else []  # tables aligned by blanks have a reader of their own
                continue
            names = []
        if not DIGIT.search(line):
            names = _header(line.strip(DECORATION))
        yield line


def _below(line: str, columns: int) -> list[str]:
    """The cells of a line below such a header; between bars, what follows its last column (the time) is left out."""
    if "|" not in line:
        return APART.split(line.strip())
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return cells if _values(cells) else cells[:columns]


def _header(line: str) -> list[str]:
    """The names in a line that holds nothing else; none where too few of them are known."""
    names = APART.split(line) if 0 < len(line) < MAX_HEADER else []
    known = sum(map(_is_series, names))
    return names if known >= MIN_NAMES and 2 * known > len(names) else []


def _is_series(name: str) -> bool:
    return meaning_of(name).kind is Kind.SERIES


def _coco(across: Sequence[str], cells: Sequence[str]) -> str:
    """The row below `| AP | AP50 | AP75 |` (detectron2): the mAP of the evaluation; the empty text for any other."""
    if across is not COCO or len(cells) <= len(COCO) or not _values(cells):
        return ""
    return f"validation mAP: {cells[0]}, validation mAP50: {cells[1]}"


def _named(label: str, across: Sequence[str], values: Sequence[str]) -> str:
    """A row as names and numbers; the empty text where it is no row of such a table."""
    if len(across) != len(values) or not label or label[:1].isdigit() or not _values(values):
        return ""
    if all(name.lower() in SPLITS for name in across):
        pairs = [(f"{name} {label}", value) for name, value in zip(across, values, strict=True)]
    elif label.lower() in SPLITS:
        pairs = [(f"{label} {name}", value) for name, value in zip(across, values, strict=True)]
    else:
        return ""
    return ", ".join(f"{name}: {value}" for name, value in pairs if value.lower() not in MISSING)


def _is_metric(name: str) -> bool:
    return name.lower() in SPLITS or meaning_of(name).kind is Kind.SERIES


def _label(cell: str) -> str:
    found = LABEL.fullmatch(cell)
    return found["label"] if found else ""


def _values(cells: Sequence[str]) -> bool:
    """Whether each cell holds a number or a placeholder for a missing one."""
    try:
        return all(number(cell) is not None or cell.lower() in MISSING for cell in cells)
    except ValueError:
        return False

"""What TensorBoard's page downloads: a CSV of one tag, whose name is only in the file's name."""

from __future__ import annotations

import re
from dataclasses import replace

from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.layout import rows_of
from nndoctor.readers.tables.table import Table, from_cells

HEADER = re.compile(r'"?Wall time"?,"?Step"?,"?Value"?\s*\n')
TAG = re.compile(r"(?:^|[-_])tag-(?P<tag>.+?)(?: ?\(\d+\))?\.csv$", re.IGNORECASE)
SPLIT = re.compile(r"(?:^|[-_.])(train|val|valid|validation|test|eval)(?:[-_.]|$)", re.IGNORECASE)


def sniff(source: Source) -> bool:
    """Its header."""
    return not source.is_dir and source.is_text and HEADER.match(source.start) is not None


def read(source: Source) -> list[Table]:
    """One table with a row a step; the column is called as the tag is, or `Value` where the file was renamed."""
    rows = [row for row in rows_of(source.text())[1:] if len(row) == 3]
    name = _name(source.name)
    cells = {"step": [row[1] for row in rows], name: [row[2] for row in rows]}
    table = from_cells(cells, "tensorboard-csv", list(range(2, len(rows) + 2)))
    return [replace(table, notes=("this file has one curve of the run; the other tags are in separate files",))]


def _name(file: str) -> str:
    """`run-1_train-tag-epoch_loss.csv` -> `train/loss`: the split may be in the run's name only."""
    found = TAG.search(file)
    if found is None or "Value" in file:
        return "Value"
    tag = found["tag"].removeprefix("epoch_")
    split = SPLIT.search(file[: found.start()])
    return f"{split[1].lower()}/{tag}" if split and not SPLIT.search(tag) else tag


READER = Reader("tensorboard-csv", "CSV files downloaded from TensorBoard, one tag each", sniff, read)

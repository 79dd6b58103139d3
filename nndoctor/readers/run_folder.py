"""The run folder that nndoctor's recorder writes: the run's table, its layers and its facts."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nndoctor.errors import UnreadableLog
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Table, from_cells
from nndoctor.run import LAYER, Fact, FactValue
from nndoctor.run_folder import LAYERS, TABLE, Block, blocks, facts, is_folder, whole_length
from nndoctor.series import Series

MOST_LAYERS = 20_000  # a hostile file could name more than memory holds


def sniff(source: Source) -> bool:
    """A folder with a run.csv and a run.json that the recorder wrote."""
    return TABLE in source.entries and is_folder(Path(source.path))


def read(source: Source) -> list[Table]:
    """The table with the layers' series beside it; what was cut off by a crash is left out, and said."""
    folder = Path(source.path)
    columns, lines, notes = _rows(folder / TABLE)
    said = _facts(facts(folder))
    more: dict[str, Series] = {}
    layers = folder / LAYERS
    if layers.is_file():
        try:
            found, cut = list(blocks(layers)), whole_length(layers) < layers.stat().st_size
        except OSError as error:
            raise UnreadableLog(f"{layers} cannot be read: {error.strerror or error}") from error
        more = _series(found)
        notes += ["the layers' file is cut off: what stands before the cut was read"] if cut else []
        if found:
            said["layers"] = Fact(found[-1].layers)
    return [replace(from_cells(columns, "nndoctor-run", lines, said, tuple(notes)), more=more)]


def _rows(path: Path) -> tuple[dict[str, list[str | None]], list[int], list[str]]:
    """The columns, each row's line, and a note where the last line is cut off."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreadableLog(f"{path} cannot be read: {error.strerror or error}") from error
    whole = text[: text.rfind("\n") + 1]
    rows = list(csv.reader(whole.splitlines()))
    if len(rows) < 2:
        raise UnreadableLog(f"{path} holds no step yet; wanted at least two, let the run go on")
    names = rows[0]
    columns = {name: [row[k] if k < len(row) and row[k] else None for row in rows[1:]] for k, name in enumerate(names)}
    notes = ["the last line is cut off and was left out"] if len(whole) < len(text) else []
    return columns, list(range(2, len(rows) + 1)), notes


def _series(found: list[Block]) -> dict[str, Series]:
    """One series for each layer and statistic; where steps go back the later samples stand."""
    found = [b for b in found if len(b.layers) <= MOST_LAYERS]
    gathered: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for block in found:
        for s, statistic in enumerate(block.statistics):
            for k, layer in enumerate(block.layers):
                values = block.values[s, k]
                if not np.isnan(values).all():
                    name = f"{LAYER}{layer}/{statistic}"
                    gathered.setdefault(name, []).append((block.steps, values))
    return {name: _one(name, parts) for name, parts in gathered.items()}


def _one(name: str, parts: list[tuple[np.ndarray, np.ndarray]]) -> Series:
    steps = np.concatenate([s for s, _ in parts]).astype(np.float64)
    values = np.concatenate([v for _, v in parts]).astype(np.float64)
    lowest_later = np.minimum.accumulate(np.append(steps, np.inf)[::-1])[::-1][1:]
    stands = (steps < lowest_later) & ~np.isnan(values)
    return Series(name, steps[stands], values[stands], name)


def _facts(found: Mapping[str, object]) -> dict[str, Fact]:
    """The facts that are single values or lists of one kind; of an object each entry is a fact `name:key`."""
    said: dict[str, Fact] = {}
    for name, value in found.items():
        if isinstance(value, Mapping):
            entries = {f"{name}:{key}": _value(v) for key, v in value.items()}
        else:
            entries = {name: _value(value)}
        said.update({key: Fact(v) for key, v in entries.items() if v is not None})
    return said


def _value(value: object) -> FactValue | None:
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        if all(isinstance(v, str) for v in value):
            return tuple(str(v) for v in value)
        if all(isinstance(v, (int, float)) for v in value):
            return tuple(float(v) for v in value)
    return None


READER = Reader(
    "nndoctor-run", "the folder that nndoctor's recorder writes (run.csv, layers.bin, run.json)", sniff, read
)

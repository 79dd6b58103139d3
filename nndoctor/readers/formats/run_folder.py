"""The run folder that nndoctor's recorder writes: the run's table, its layers and its facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.recorded import layer_series, recorded_facts
from nndoctor.core.run import Fact
from nndoctor.core.run_folder import FACTS, LAYERS, PRIMARY, TABLE, blocks, facts, whole_length
from nndoctor.core.series import Series
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.cells import number_or_nan
from nndoctor.readers.tables.layout import rows_of
from nndoctor.readers.tables.table import Table, from_cells

OWN = re.compile(r"lr_\d+|noise_scale|peak_memory")  # columns that need no reading of names


def sniff(source: Source) -> bool:
    """A folder with a run.json that the recorder wrote."""
    return FACTS in source.entries and PRIMARY in facts(Path(source.path))


def read(source: Source) -> list[Table]:
    """The table and the layers' series; data truncated by a crash is left out with a note."""
    folder = Path(source.path)
    columns, lines, notes = _rows(folder / TABLE)
    known = facts(folder)
    run_facts = recorded_facts(known)
    notes += _notes(known)
    more = _own(columns)
    layers = folder / LAYERS
    if layers.is_file():
        try:
            found, cut = list(blocks(layers)), whole_length(layers) < layers.stat().st_size
        except OSError as error:
            raise UnreadableLog(f"{layers} cannot be read: {error.strerror or error}") from error
        more |= layer_series(found)
        notes += ["the layer file is truncated; the part before the cut was read"] if cut else []
        if found:
            run_facts["layers"] = Fact(found[-1].layers)
    return [replace(from_cells(columns, "nndoctor-run", lines, run_facts, tuple(notes)), more=more)]


def _notes(known: Mapping[str, object]) -> list[str]:
    """What the recorder could not see or do, and what happened on the way, as sentences."""
    lines = []
    failed, hidden, again, skipped = (
        known.get(name) for name in ("recorder_failed", "not_seen", "replaced_modules", "skipped_steps")
    )
    if failed:
        lines.append(f"the recording ended early: {failed}")
    if hidden:
        lines.append(f"not recorded: {hidden}")
    if again:
        lines.append("a module was replaced during training; from then on the values are those of the new one")
    if skipped:
        lines.append(f"the gradient scaler skipped {skipped} steps whose gradients were not finite")
    return lines


def _own(columns: dict[str, list[str | None]]) -> dict[str, Series]:
    """The recorder's own columns as series, taken out of the table: rates of further groups, noise scale, memory."""
    steps = columns.get("step", [])
    found: dict[str, Series] = {}
    for name in [name for name in columns if OWN.fullmatch(name)]:
        cells = columns.pop(name)
        rows = [(s, v) for s, v in zip(steps, cells, strict=False) if s is not None and v is not None]
        pairs = [(number_or_nan(s), number_or_nan(v)) for s, v in rows]
        kept = np.array([(s, v) for s, v in pairs if np.isfinite(s) and not np.isnan(v)]).reshape(-1, 2)
        if len(kept):
            order = np.argsort(kept[:, 0], kind="stable")
            found[name] = Series(name, kept[order, 0], kept[order, 1], name)
    return found


def _rows(path: Path) -> tuple[dict[str, list[str | None]], list[int], list[str]]:
    """The columns, each row's line, and a note where the last line is cut off."""
    if not path.exists():
        raise UnreadableLog(f"{path.parent} has fewer than two steps so far; wait for the run to continue")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UnreadableLog(f"{path} cannot be read: {error.strerror or error}") from error
    whole = text[: text.rfind("\n") + 1]
    rows = [row for row in rows_of(whole) if row]
    if len(rows) < 2:
        raise UnreadableLog(f"{path} has fewer than two steps so far; wait for the run to continue")
    names = rows[0]
    columns = {name: [row[k] if k < len(row) and row[k] else None for row in rows[1:]] for k, name in enumerate(names)}
    notes = ["the last line is incomplete and was skipped"] if len(whole) < len(text) else []
    return columns, list(range(2, len(rows) + 1)), notes


READER = Reader(
    "nndoctor-run", "the folder that nndoctor's recorder writes (run.csv, layers.bin, run.json)", sniff, read
)

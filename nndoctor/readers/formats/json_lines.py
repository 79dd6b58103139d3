"""JSON lines, or one JSON array of objects: one record a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source, pieces
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.json_items import items
from nndoctor.readers.tables.json_shapes import lists_within, rows_within
from nndoctor.readers.tables.long_rows import widened
from nndoctor.readers.tables.plain_json import parsed
from nndoctor.readers.tables.table import Table, flatten, from_records, is_words, joined
from nndoctor.readers.vocabulary.names import Kind, meaning_of

CUT = "the last line is incomplete and was skipped"


def sniff(source: Source) -> bool:
    """A first line that is a whole object, or an array that begins with one."""
    if source.is_dir or not source.is_text:
        return False
    start = source.start.lstrip()
    if start.startswith("["):
        return start[1:].lstrip().startswith("{")
    if not start.startswith("{"):
        return False
    first, _, rest = start.partition("\n")
    record = _loaded(first)
    if not isinstance(record, dict):
        return False
    if rest.lstrip().startswith("{"):
        return True
    return (
        rows_within(record) is None
        and any(meaning_of(n).kind is Kind.SERIES for n in flatten(record))
        and not (lists_within(record))
    )


def read(source: Source) -> list[Table]:
    """One table; a last line that is cut off is left out, other lines that are no object are counted."""
    if quick := _plain(source):
        return [quick]
    if source.start.lstrip().startswith("["):
        return [_array(source.text(), source.path)]
    parts: list[Table] = []
    odd: list[int] = []
    before = last = 0
    trained = 0.0
    for text in pieces(source):
        rows: list[Mapping[str, object]] = []
        lines: list[int] = []
        for number, line in enumerate(text.split("\n"), before + 1):
            if not line.strip():
                continue
            record = _loaded(line)
            if isinstance(record, dict):
                rows.append(_of_mm(record, trained))
                lines.append(number)
                trained = _step_of(record, trained)
            else:
                odd.append(number)
        before += text.count("\n")
        if rows:
            long = widened(rows)
            parts.append(from_records(rows, "jsonl", lines) if long is None else from_records(long, "jsonl"))
            last = lines[-1]
    if not parts:
        return [from_records([], "jsonl", [])]
    return [replace(joined(parts), notes=_notes(odd, last))]


def _plain(source: Source) -> Table | None:
    """A table of flat objects of numbers; None where there is anything else, and it is read line by line."""
    if not source.head.startswith(b"{"):
        return None
    with source.open() as file:
        found = parsed(file)
    if found is None:
        return None
    columns, rows, cut = found
    if not columns or {"step", "data_time"} <= columns.keys() or any(map(is_words, columns)):
        return None
    return Table(columns, "jsonl", np.arange(1, 1 + rows), notes=(CUT,) if cut else ())


def _of_mm(record: dict[str, object], trained: float) -> dict[str, object]:
    """Mmdetection counts a validation's own batches in `iter`; mmengine does not name the split, and may count epochs in `step`.

    `trained` is the step of the last training record: an evaluation whose `step` is smaller counts epochs, and is moved there.
    """
    if record.get("mode") in ("val", "test") and {"iter", "epoch"} <= record.keys():
        return {name: value for name, value in record.items() if name not in ("iter", "lr")}
    if _mm_evaluates(record):
        named = {name if name == "step" else f"val/{name}": value for name, value in record.items()}
        step = record["step"]
        return {**named, "step": trained} if isinstance(step, (int, float)) and step < trained else named
    return record


def _mm_evaluates(record: Mapping[str, object]) -> bool:
    """Whether a record of mmengine is that of an evaluation: it has a step and times, and neither a rate nor a loss."""
    return {"step", "data_time"} <= record.keys() and "lr" not in record and not any("loss" in name for name in record)


def _step_of(record: Mapping[str, object], before: float) -> float:
    """The step of a training record of mmengine; of any other record the step before."""
    step = record.get("step")
    return (
        float(step)
        if isinstance(step, (int, float)) and "data_time" in record and not _mm_evaluates(record)
        else before
    )


def _notes(odd: list[int], last: int) -> tuple[str, ...]:
    if not odd:
        return ()
    if len(odd) == 1 and odd[0] > last:
        return (CUT,)
    if len(odd) == 1:
        return (f"line {odd[0]} is not a JSON object and was skipped",)
    return (f"{len(odd)} lines are not JSON objects and were skipped (first: line {odd[0]})",)


def _loaded(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _array(text: str, path: str) -> Table:
    records: list[Mapping[str, object]] = []
    lines: list[int] = []
    notes: tuple[str, ...] = ()
    try:
        for item, line in items(text, text.index("[")):
            if isinstance(item, dict):
                records.append(item)
                lines.append(line)
    except (ValueError, RecursionError) as error:
        if not records:
            raise UnreadableLog(f"{path} is not a valid JSON array ({error}); is it truncated?") from error
        notes = (f"the array is truncated after line {lines[-1]}; the rest was skipped",)
    long = widened(records)
    return from_records(records if long is None else long, "json", lines if long is None else None, notes=notes)


READER = Reader("jsonl", "JSON lines or an array of objects, one per row", sniff, read)

"""JSON objects one below the other, each over several lines: records of Chainer's or ESPnet's log, pasted or pretty-printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, flatten, from_records
from nndoctor.readers.vocabulary.names import Kind, meaning_of

START = re.compile(r"^[ \t]*\{[ \t]*\r?$", re.MULTILINE)  # a brace on a line of its own
MIN_OBJECTS = 2  # objects that are a log
MAX_BROKEN = 64  # places at which no object can be read, before the rest is given up
CUT = "the last object is incomplete; what is left of it was read, and its step is taken from those before"
AXES = (Kind.EPOCH, Kind.STEP)


def sniff(source: Source) -> bool:
    """Two objects, the first with a loss or a metric by its name and without a list of values."""
    if source.is_dir or not source.is_text or START.match(source.start.lstrip()) is None:
        return False
    found = [record for record, _, _ in islice(_objects(source.start), MIN_OBJECTS)]
    if len(found) < MIN_OBJECTS or any(isinstance(value, (list, dict)) for value in found[0].values()):
        return False
    return any(meaning_of(name).kind is Kind.SERIES for name in flatten(found[0]))


def read(source: Source) -> list[Table]:
    """One table with a row an object and the line on which it begins; what is printed between them is left out."""
    rows: list[Mapping[str, object]] = []
    lines: list[int] = []
    notes: tuple[str, ...] = ()
    for record, line, whole in _objects(source.text()):
        rows.append(record if whole else {**_axes_after(rows), **record})
        lines.append(line)
        notes = () if whole else (CUT,)
    if not rows:
        raise UnreadableLog(f"{source.path} has no complete JSON object; is it truncated?")
    return [from_records(rows, "json-objects", lines, notes=notes)]


def _axes_after(rows: list[Mapping[str, object]]) -> dict[str, object]:
    """The epoch and the step that follow those of the last two objects."""
    if len(rows) < MIN_OBJECTS:
        return {}
    before, last = rows[-MIN_OBJECTS:]
    pairs = ((name, before.get(name), value) for name, value in last.items() if meaning_of(name).kind in AXES)
    return {name: 2 * b - a for name, a, b in pairs if isinstance(a, (int, float)) and isinstance(b, (int, float))}


def _objects(text: str) -> Iterator[tuple[dict[str, object], int, bool]]:
    """Each object, the line on which it begins, and whether it is whole; only the last may not be."""
    decoder = json.JSONDecoder()
    end = broken = counted = 0
    line = 1
    for start in START.finditer(text):
        at = text.index("{", start.start())
        if at < end or broken >= MAX_BROKEN:
            continue
        line, counted = line + text.count("\n", counted, at), at
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            broken += 1
            rest = _completed(text[at:]) if START.search(text, at + 1) is None else None
            if rest:
                yield rest, line, False
            continue
        yield found, line, True


def _completed(text: str) -> dict[str, object] | None:
    """An object that breaks off behind one of its pairs; None for any other."""
    for part in (text, text.rpartition("\n")[0]):
        try:
            found = json.loads(part.rstrip().rstrip(",") + "}")
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


READER = Reader("json-objects", "JSON objects one below the other, each over several lines", sniff, read)

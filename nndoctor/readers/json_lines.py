"""JSON lines, or one JSON array of objects: one record a row."""

from __future__ import annotations

import json
from collections.abc import Mapping

from nndoctor.errors import UnreadableLog
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Table, from_records


def sniff(source: Source) -> bool:
    """A first line that is a whole object, or an array that begins with one."""
    if source.is_dir or not source.is_text:
        return False
    start = source.start.lstrip()
    if start.startswith("["):
        return start[1:].lstrip().startswith("{")
    if not start.startswith("{"):
        return False
    line = start.splitlines()[0].strip()
    return line.endswith("}") and isinstance(_loaded(line), dict) and "\n" in start.strip()


def read(source: Source) -> list[Table]:
    """One table; a last line that is cut off is left out, other lines that are no object are counted."""
    text = source.text()
    if text.lstrip().startswith("["):
        records = _array(text, source.path)
        return [from_records([r for r in records if isinstance(r, dict)], "json", None)]
    rows: list[Mapping[str, object]] = []
    lines: list[int] = []
    odd: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        record = _loaded(line)
        if isinstance(record, dict):
            rows.append(record)
            lines.append(number)
        else:
            odd.append(number)
    return [from_records(rows, "jsonl", lines, notes=_notes(odd, lines))]


def _notes(odd: list[int], lines: list[int]) -> tuple[str, ...]:
    if not odd:
        return ()
    if len(odd) == 1 and odd[0] > lines[-1]:
        return ("the last line is cut off and was left out",)
    return (f"{len(odd)} lines are not JSON objects and were left out, the first is line {odd[0]}",)


def _loaded(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _array(text: str, path: str) -> list[object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(
            f"{path} begins like a JSON array and is not one ({error}); if it was cut off, write JSON lines instead"
        ) from error
    return list(found)


READER = Reader("jsonl", "JSON lines or an array of objects, one record a row", sniff, read)

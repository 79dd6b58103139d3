"""Jupyter notebooks: what their cells printed, each cell that printed a log as one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import ESCAPES, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, from_records


def sniff(source: Source) -> bool:
    """A JSON object with cells that says its notebook format, at its start or, as most do, at its end."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    return '"cells"' in source.start and ('"nbformat"' in source.start or '"cell_type"' in source.start)


def read(source: Source) -> list[Table]:
    """One table for each cell whose output is a log. Raises UnreadableLog where none is."""
    from nndoctor.readers.text.decisive import is_log  # patterns that only a printed log needs
    from nndoctor.readers.text.records import records

    try:
        found = json.loads(source.text())
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(f"{source.path} is not a complete notebook ({error})") from error
    tables: list[Table] = []
    for number, text in _printed(found):
        rows = records(text.split("\n"))
        if is_log(rows):
            tables.append(replace(from_records([row.row for row in rows], "notebook"), label=f"cell {number}"))
    if not tables:
        raise UnreadableLog(
            f"{source.path} is a notebook without a printed log in its outputs; run it, or give the log itself"
        )
    return tables


def _printed(found: object) -> Iterator[tuple[int, str]]:
    """The number of each cell, from 1, and what it printed."""
    cells = found.get("cells") if isinstance(found, Mapping) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
        outputs = cell.get("outputs") if isinstance(cell, Mapping) else None
        texts = (
            [_text(output) for output in outputs if isinstance(output, Mapping)] if isinstance(outputs, list) else []
        )
        yield number, ESCAPES.sub("", "".join(texts))


def _text(output: Mapping[str, object]) -> str:
    text = output.get("text") if output.get("output_type") == "stream" else None
    return "".join(map(str, text)) if isinstance(text, list) else str(text or "")


READER = Reader("notebook", "Jupyter notebooks: the logs that their cells printed", sniff, read)

"""A folder with a JSON file for each epoch or step, its number in the name: AllenNLP's `metrics_epoch_3.json`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, flatten, from_records
from nndoctor.readers.vocabulary.names import Kind, meaning_of

NAMED = re.compile(r"(?P<stem>.*?(?P<axis>epoch|step|iteration|iter))[-_=]?(?P<number>\d+)\.json", re.IGNORECASE)
MIN_FILES = 2  # files
MAX_FILES = 10_000


def sniff(source: Source) -> bool:
    """Two such files or more, of which the first holds a loss or a metric by its name."""
    files = _files(source)
    return len(files) >= MIN_FILES and any(
        meaning_of(n).kind is Kind.SERIES for n in flatten(_held(source, files[0][1]))
    )


def read(source: Source) -> list[Table]:
    """One table with a row per file; a truncated file is left out with a note."""
    rows: list[Mapping[str, object]] = []
    odd: list[str] = []
    for number, name, axis in _files(source):
        held = _held(source, name)
        if held:
            rows.append(
                {axis: number, **{key: value for key, value in held.items() if meaning_of(key).kind is not Kind.EPOCH}}
            )
        else:
            odd.append(name)
    if not rows:
        raise UnreadableLog(
            f"{source.path} has one file per epoch, but none is a complete JSON object; is the copy complete?"
        )
    notes = (f"files that are not complete JSON objects were skipped: {len(odd)} (first: {odd[0]})",) if odd else ()
    return [from_records(rows, "numbered-json", notes=notes)]


def _files(source: Source) -> list[tuple[int, str, str]]:
    """The number, the name and the axis of each file of the stem that most have, in order."""
    named = [name for name, folder in source.entries.items() if not folder and name[-5:].lower() == ".json"]
    found = [match for name in named if (match := NAMED.fullmatch(name))]
    if len(found) < MIN_FILES:
        return []
    stem, _ = Counter(match["stem"] for match in found).most_common(1)[0]
    own = [match for match in found if match["stem"] == stem]
    return sorted((int(match["number"]), match.string, match["axis"].lower()) for match in own)[:MAX_FILES]


def _held(source: Source, name: str) -> Mapping[str, object]:
    """What a small file holds; nothing where it is no JSON object."""
    head = Source(str(Path(source.path) / name))
    if head.size > HEAD:
        return {}
    try:
        found = json.loads(head.start)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


READER = Reader("numbered-json", "folders with one JSON file per epoch: AllenNLP's metrics_epoch_3.json", sniff, read)

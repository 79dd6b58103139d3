"""What a run printed, each line wrapped in a JSON object: container logs, JSON loggers, log exports of clouds."""

from __future__ import annotations

import json

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source, pieces
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.table import Table, flatten, from_records, joined
from nndoctor.readers.vocabulary.names import Kind, meaning_of

TEXTS = ("log", "message", "msg", "textPayload", "text", "line", "content", "MESSAGE", "body")
SAMPLE_LINES = 400  # lines


def sniff(source: Source) -> bool:
    """JSON lines in which one text each says an epoch or a step, with a loss or a metric by its name."""
    if source.is_dir or not source.is_text or not source.start.startswith("{"):
        return False
    from nndoctor.readers.text.decisive import is_log  # patterns that only a printed log needs
    from nndoctor.readers.text.records import records

    lines = source.start.split("\n")[:SAMPLE_LINES]
    return (
        _text(lines[0]) is not None
        and not _has_own_metrics(lines)
        and is_log(records([_text(line) or "" for line in lines]))
    )


def read(source: Source) -> list[Table]:
    """One table, a row for each epoch or step that the texts tell of, with the line it begins on."""
    from nndoctor.readers.text.decisive import has_metric
    from nndoctor.readers.text.ranks import lines_of_one_rank
    from nndoctor.readers.text.records import records

    parts: list[Table] = []
    before = 0
    for text in pieces(source):
        lines = [_text(line) or "" for line in text.split("\n")]
        found = records(lines_of_one_rank(lines, has_metric).lines)
        if found:
            rows = [record.row for record in found]
            parts.append(from_records(rows, "wrapped-text", [record.line + before for record in found]))
        before += text.count("\n")
    if not parts:
        raise UnreadableLog(
            f"{source.path} has no line with a loss or a metric; expected 'epoch 1 loss 0.5' or the like"
        )
    return [joined(parts)]


def _has_own_metrics(lines: list[str]) -> bool:
    """Whether an object says a loss or a metric by a key of its own: then it is read by its keys."""
    for line in lines:
        try:
            found = json.loads(line) if line.startswith("{") else None
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and any(meaning_of(name).kind is Kind.SERIES for name in flatten(found)):
            return True
    return False


def _text(line: str) -> str | None:
    """The text that one object holds, in one line; None where it holds none."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    text = next((found[key] for key in TEXTS if isinstance(found.get(key), str)), None)
    return None if text is None else " ".join(text.split("\n"))


READER = Reader(
    "wrapped-text", "printed lines wrapped in JSON objects: container logs, JSON loggers, clouds' exports", sniff, read
)

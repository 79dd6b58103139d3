"""Why a file is no run log that can be read, in one line with what to do instead."""

from __future__ import annotations

import re

from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.semantics.assemble import visible
from nndoctor.readers.tables.layout import is_number

JSON_INSTEAD = "which can run code when read, so it is not; write json.dump(history.history, file) instead"
NO_LOG = {
    b"\x89HDF": "an HDF5 file of weights or arrays",
    b"\x93NUMPY": "a NumPy array without names",
    b"\x89PNG": "a picture; nndoctor reads the numbers behind it",
    b"\xff\xd8\xff": "a picture; nndoctor reads the numbers behind it",
    b"%PDF": "a PDF; nndoctor reads the numbers behind it",
}
PICKLED = re.compile(rb"\x80[\x02-\x05]|\(dp\d|\(lp\d|ccopy_reg|c__builtin__")
TRACEBACK = "Traceback (most recent call last)"
RAISED = re.compile(
    r"^(?:\[?rank\d+\]?:\s*)?([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)\b.{0,120})", re.MULTILINE
)


WANTED = "wanted CSV, TSV, JSON, JSON lines, event files or what the run printed ('nndoctor formats' lists all)"


def unrecognised(source: Source) -> str:
    """The line for a source that no reader takes."""
    path, head = source.path, source.head
    if source.is_dir:
        return f"{path}: no run log in this folder; wanted a file such as metrics.csv, log.jsonl or trainer_state.json"
    if PICKLED.match(head):
        return f"{path} is a pickle, {JSON_INSTEAD}"
    kind = next((what for magic, what in NO_LOG.items() if head.startswith(magic)), None)
    if kind is not None:
        return f"{path} is {kind}; {WANTED}"
    if not source.is_text:
        return f"{path} is binary and no format that nndoctor knows; {WANTED}"
    return _crashed(source) or _no_table(source)


def _crashed(source: Source) -> str | None:
    """The error with which a run ended before it had logged anything."""
    text = source.start if TRACEBACK in source.start else source.beginning(HEAD * 16)
    if TRACEBACK not in text:
        return None
    raised = RAISED.findall(text[text.index(TRACEBACK) :])
    what = f" ({visible(raised[-1].strip())})" if raised else ""
    return f"{source.path} holds no curve: the run ended with an error before it had logged two rows{what}"


def _no_table(source: Source) -> str:
    first = next((line for line in source.start.splitlines() if line.strip()), "").strip()
    cells = [cell for cell in re.split(r"[,;\t| ]+", first) if cell]
    if first.startswith("[") and cells and is_number(cells[0].strip("[]")):
        return f'{source.path} is a list of numbers without a name; name it, as in {{"loss": [0.9, 0.7, 0.6]}}'
    if sum(map(is_number, cells)) > len(cells) / 2:
        return (
            f"{source.path} has no header: its first line is '{visible(first[:40])}'; "
            "put the columns' names above it, as in epoch,loss,val_loss"
        )
    return (
        f"{source.path} is no table that nndoctor can read (it begins '{visible(first[:60])}'); "
        "wanted a header and rows of numbers, JSON or JSON lines"
    )

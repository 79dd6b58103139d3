"""Weights & Biases: the `run-<id>.wandb` file of an offline or interrupted run."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.io.protobuf import blocks, fields
from nndoctor.readers.io.source import MAX_TEXT, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.tables.table import Table, from_records

MAGIC = b":W&B"
BLOCK = 32768  # bytes; no piece of a record goes over the end of a block
PIECE = struct.Struct("<IHB")  # checksum, length, and which piece of a record it is
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
HISTORY, CONFIG, RUN = 2, 5, 17  # fields of a record
CUT = "the file is truncated or damaged after {} of {} bytes; the part before was read"


def sniff(source: Source) -> bool:
    """The file's own first bytes."""
    return source.head.startswith(MAGIC)


def read(source: Source) -> list[Table]:
    """One table with a row for each call of `wandb.log`; a truncated file as far as it goes."""
    if source.size > MAX_TEXT:
        raise UnreadableLog(
            f"{source.path} is larger than {MAX_TEXT >> 30} GB; export the run's history as CSV instead"
        )
    with source.open() as file:
        data = file.read()
    rows: list[Mapping[str, object]] = []
    facts: dict[str, Fact] = {}
    read_to = 0
    try:
        for record, end in _records(data):
            _take(record, rows, facts)
            read_to = end
        whole = not data[read_to:].strip(b"\0")
    except ValueError:
        whole = False
    notes = () if whole else (CUT.format(read_to, len(data)),)
    if not rows:
        raise UnreadableLog(f"{source.path} has no history: the run ended before it logged anything with wandb.log")
    return [from_records(rows, "wandb", facts=facts, notes=notes)]


def _records(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The records, and where each ends; ends where the data does. Raises ValueError for pieces out of order."""
    at, parts = 7, bytearray()  # which grows in place: a record may come in millions of pieces
    while at + PIECE.size <= len(data):
        left = BLOCK - at % BLOCK
        if left < PIECE.size:
            at += left
            continue
        _, length, kind = PIECE.unpack_from(data, at)
        if kind == 0 and length == 0:  # the rest of a block that was set aside
            at += left
            continue
        end = at + PIECE.size + length
        if kind not in (FULL, FIRST, MIDDLE, LAST) or (kind in (MIDDLE, LAST)) != bool(parts):
            raise ValueError("pieces are out of order")
        if end > len(data):
            return
        parts += data[at + PIECE.size : end]
        at = end
        if kind in (FULL, LAST):
            yield bytes(parts), at
            parts = bytearray()


def _take(record: bytes, rows: list[Mapping[str, object]], facts: dict[str, Fact]) -> None:
    for number, value in fields(record):
        if not isinstance(value, bytes):
            continue
        if number == HISTORY:
            rows.append(_row(value))
        elif number == CONFIG:
            _setting_facts(value, facts)
        elif number == RUN:
            for config in blocks(value, 4):
                _setting_facts(config, facts)


def _row(history: bytes) -> dict[str, object]:
    row: dict[str, object] = {}
    for number, value in fields(history):
        if number == 1 and isinstance(value, bytes):
            name, found = _item(value)
            if not (isinstance(found, Mapping) and "_type" in found):  # a histogram, an image
                row[name] = found
        elif number == 2 and isinstance(value, bytes):
            for inner, step in fields(value):
                if inner == 1 and isinstance(step, int):
                    row.setdefault("_step", step)
    return row


def _setting_facts(config: bytes, facts: dict[str, Fact]) -> None:
    """The settings in a config that are facts of a run."""
    named = (_item(item) for item in blocks(config, 1))
    facts.update(settings_as_facts((name, value) for name, value in named if not name.startswith("_wandb")))


def _item(data: bytes) -> tuple[str, object]:
    """The name and the value of one item; a nested name is joined by slashes."""
    names: list[str] = []
    value: object = None
    for number, found in fields(data):
        if number in (1, 2) and isinstance(found, bytes):
            names.append(found.decode(errors="replace"))
        elif number == 16 and isinstance(found, bytes):
            try:
                value = json.loads(found)
            except RecursionError as error:
                raise ValueError("nested too deep") from error
    return "/".join(names), value


READER = Reader("wandb", "Weights & Biases run-<id>.wandb files, truncated ones too", sniff, read)

"""The scalars in a TensorBoard event file: its records, and the numbers in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nndoctor.readers.source import Source
from nndoctor.readers.wire import fields, varint

HEADER = struct.Struct("<QI")  # the length of a record and its checksum; another checksum follows the record
FLOAT = struct.Struct("<f")
MOST_RECORD = 1 << 20  # bytes of a record that may hold a scalar; larger ones hold graphs and images
# By TensorFlow's number of a data type: its numpy type, and the field in which a lone value stands instead of its bytes.
TYPES = {1: ("<f4", 5), 2: ("<f8", 6), 3: ("<i4", 7), 9: ("<i8", 10), 19: ("<f2", 13)}


@dataclass(slots=True)
class Session:
    """The points of one stretch in which no tag's steps go back: tag -> steps and values."""

    points: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)

    def add(self, tag: str, step: int, value: float) -> bool:
        """Take in a point; False where its step goes back and it belongs to another session."""
        held = self.points.get(tag)
        if held is None:
            self.points[tag] = ([step], [value])
            return True
        if step < held[0][-1]:
            return False
        held[0].append(step)
        held[1].append(value)
        return True


def sessions(source: Source) -> tuple[list[Session], str]:
    """The sessions of a file in order, and where it is broken off, else the empty text."""
    found = [Session()]
    read = 0
    try:
        for record, at in _records(source):
            read = at
            for tag, step, value in _scalars(record):
                if not found[-1].add(tag, step, value):
                    found.append(Session())
                    found[-1].add(tag, step, value)
    except ValueError:
        note = f"{source.name} is broken after {read} of {source.size} bytes: read up to there"
        return [session for session in found if session.points], note
    return [session for session in found if session.points], ""


def is_events(source: Source) -> bool:
    """Whether the first record says that it is TensorFlow's file of events, or, with that name, holds a scalar."""
    head = source.head
    if len(head) < HEADER.size:
        return False
    length, _ = HEADER.unpack_from(head)
    first = head[HEADER.size : HEADER.size + length]
    if not 9 <= length <= 4096 or len(first) < length:
        return False
    try:
        return b"brain.Event:" in first or ("tfevents" in source.name and bool(_scalars(first)))
    except ValueError:
        return False


def _records(source: Source) -> Iterator[tuple[bytes, int]]:
    """The records and how many bytes were read after each. Raises ValueError where one is cut off."""
    at, size = 0, source.size
    with source.open() as file:
        while header := file.read(HEADER.size):
            if len(header) < HEADER.size:
                raise ValueError("the header is cut off")
            length = HEADER.unpack(header)[0]
            if at + HEADER.size + length + 4 > size:
                raise ValueError("the record is cut off")
            at += HEADER.size + length + 4
            if length > MOST_RECORD:
                file.seek(at)
                continue
            yield file.read(length + 4)[:-4], at


def _scalars(record: bytes) -> list[tuple[str, int, float]]:
    quick = _quick(record)
    return [quick] if quick is not None else list(_slow(record))


def _quick(record: bytes) -> tuple[str, int, float] | None:
    """The one float of a record laid out as nearly all are; None for any other layout."""
    try:
        if record[0] != 0x09:
            return None
        step, at = varint(record, 10) if record[9] == 0x10 else (0, 9)
        tag = at + 6
        end = tag + record[at + 5]
        if record[at] != 0x2A or record[at + 2] != 0x0A or record[at + 4] != 0x0A or record[end] != 0x15:
            return None
        if end + 5 != len(record) or record[at + 1] >= 128 or record[at + 1] != len(record) - at - 2:
            return None
        return record[tag:end].decode(errors="replace"), step, FLOAT.unpack_from(record, end + 1)[0]
    except (IndexError, ValueError):
        return None


def _slow(record: bytes) -> Iterator[tuple[str, int, float]]:
    step = 0
    summaries: list[bytes] = []
    for number, value in fields(record):
        if number == 2 and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, value in fields(summary):
            if number == 1 and isinstance(value, bytes):
                tag, scalar = _point(value)
                if scalar is not None:
                    yield tag, step, scalar


def _point(data: bytes) -> tuple[str, float | None]:
    tag, scalar = "", None
    for number, value in fields(data):
        if isinstance(value, int):
            continue
        if number == 1:
            tag = value.decode(errors="replace")
        elif number == 2 and len(value) == 4:
            scalar = float(FLOAT.unpack(value)[0])
        elif number == 8:
            scalar = _tensor(value)
    return tag, scalar


def _tensor(data: bytes) -> float | None:
    """The number in a tensor that holds just one; None for text and for arrays."""
    held = dict(fields(data))
    kind, lone = TYPES.get(int(held.get(1) or 0) if not isinstance(held.get(1), bytes) else 0, ("", 0))
    if not kind:
        return None
    raw = held.get(4) or held.get(lone)
    if isinstance(raw, int):
        return float(raw)
    if raw is None or len(raw) != np.dtype(kind).itemsize:
        return None
    return float(np.frombuffer(raw, kind)[0])

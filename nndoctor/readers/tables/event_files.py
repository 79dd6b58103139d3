"""The scalars in a TensorBoard event file: its records, and the numbers in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nndoctor.readers.io.protobuf import fields
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.plain_numbers import stretches

HEADER = struct.Struct("<QI")  # the length of a record and its checksum; another checksum follows the record
FRAME = HEADER.size + 4
BLOCK = 4 << 20  # bytes decoded at a time
PAD = 320  # bytes that may be looked at past a block's end: a tag says in one byte how long it is
MAX_SESSIONS = 500
FLOAT = struct.Struct("<f")
MAX_RECORD = 1 << 20  # bytes of a record that may hold a scalar; larger ones hold graphs and images
# By TensorFlow's number of a data type: its numpy type, and the field that holds a single value instead of its bytes.
TYPES = {1: ("<f4", 5), 2: ("<f8", 6), 3: ("<i4", 7), 9: ("<i8", 10), 19: ("<f2", 13)}


Points = tuple[NDArray[np.int64], NDArray[np.float64]]
Session = dict[str, Points]  # of one stretch in which no tag's steps go back: tag -> steps and values


@dataclass(slots=True)
class _Gathered:
    """All points in the order of the file: for each the number of its tag, its step and its value."""

    tags: dict[str, int] = field(default_factory=dict)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=list)

    def add(self, block: bytes, starts: list[int], lengths: list[int]) -> int:
        """Take in the records that begin at these places of a block, as many as are whole; gives their number."""
        text = np.frombuffer(block + bytes(PAD), dtype=np.uint8)
        at, length = np.asarray(starts), np.asarray(lengths)
        quick, first, last, step = _laid_out(text, at, length)
        slow, whole = self._slowly(block, starts, lengths, np.flatnonzero(~quick).tolist())
        if whole < len(starts):
            kept = int(quick[:whole].sum())
            quick, first, last, step = quick[:whole], first[:kept], last[:kept], step[:kept]
        _, one, which = np.unique(stretches(text, first, last), return_index=True, return_inverse=True)
        names = [block[first[k] : last[k]].decode(errors="replace") for k in one.tolist()]
        numbers = np.array([self._number(name) for name in names], dtype=np.int64)[which.ravel()]
        values = np.ndarray((len(text) - 3,), "<f4", text, strides=(1,))[last + 1].astype(np.float64)
        if slow:
            places, *others = (np.asarray(column) for column in zip(*slow, strict=True))
            order = np.argsort(np.append(np.flatnonzero(quick), places), kind="stable")
            numbers, step, values = (
                np.append(ours, theirs)[order] for ours, theirs in zip((numbers, step, values), others, strict=True)
            )
        self.parts.append((numbers, step, values))
        return whole

    def _slowly(
        self, block: bytes, starts: list[int], lengths: list[int], odd: list[int]
    ) -> tuple[list[tuple[int, int, int, float]], int]:
        """The points in records of other layouts, each with its record's place, and how many records are whole."""
        found: list[tuple[int, int, int, float]] = []
        for k in odd:
            try:
                points = list(_slow(block[starts[k] : starts[k] + lengths[k]]))
            except ValueError:
                return found, k
            found += [(k, self._number(tag), step, value) for tag, step, value in points]
        return found, len(starts)

    def _number(self, tag: str) -> int:
        return self.tags.setdefault(tag, len(self.tags))

    def sessions(self) -> list[Session]:
        """Cut where a tag's steps go back; a file in which they go back ever so often is not cut at all."""
        if not self.tags:
            return []
        numbers, steps, values = (np.concatenate(column) for column in zip(*self.parts, strict=True))
        order = np.argsort(numbers.astype(np.min_scalar_type(len(self.tags))), kind="stable")
        cuts = _cuts(numbers[order], steps[order], order)
        found: list[Session] = [{} for _ in range(len(cuts) + 1)]
        ends = np.searchsorted(numbers[order], np.arange(len(self.tags) + 1))
        for tag, start, end in zip(self.tags, ends[:-1], ends[1:], strict=True):
            places = order[start:end]
            for session, part in zip(found, np.split(places, np.searchsorted(places, cuts)), strict=True):
                if len(part):
                    session[tag] = (steps[part], values[part])
        return [session for session in found if session]


def _cuts(numbers: NDArray[np.int64], steps: NDArray[np.int64], order: NDArray[np.int64]) -> list[int]:
    """Where in the file a tag's step is below the one before it in the same stretch."""
    back = np.flatnonzero((numbers[1:] == numbers[:-1]) & (steps[1:] < steps[:-1]))
    cuts: list[int] = []
    for at, before in sorted(zip(order[back + 1].tolist(), order[back].tolist(), strict=True)):
        if before >= (cuts[-1] if cuts else 0):
            cuts.append(at)
    return cuts if len(cuts) < MAX_SESSIONS else []


def sessions(source: Source) -> tuple[list[Session], str]:
    """The sessions of a file in order, and where it is broken off, else the empty text."""
    gathered = _Gathered()
    read = 0
    try:
        for block, starts, lengths, end in _blocks(source):
            whole = gathered.add(block, starts, lengths) if starts else 0
            if whole < len(starts):
                read += starts[whole] - HEADER.size
                return gathered.sessions(), _broken(source, read)
            read = end
    except ValueError:
        return gathered.sessions(), _broken(source, read)
    return gathered.sessions(), ""


def _broken(source: Source, read: int) -> str:
    return f"{source.name} is damaged after {read} of {source.size} bytes; the part before was read"


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
        return b"brain.Event:" in first or ("tfevents" in source.name and any(True for _ in _slow(first)))
    except ValueError:
        return False


def _blocks(source: Source) -> Iterator[tuple[bytes, list[int], list[int], int]]:
    """Blocks of the file, where in each its records begin, how long they are, and where in the file the last one ends.

    Raises ValueError where a record is cut off.
    """
    at, size = 0, source.size
    with source.open() as file:
        while at < size:
            file.seek(at)
            block = file.read(BLOCK)
            starts, lengths, place = _within(block)
            if not place:  # not one whole record
                if len(block) < HEADER.size:
                    raise ValueError("the header is cut off")
                place = HEADER.unpack_from(block)[0] + FRAME
                if at + place > size:
                    raise ValueError("the record is cut off")
            at += place
            yield block, starts, lengths, at


def _within(block: bytes) -> tuple[list[int], list[int], int]:
    """The records that are complete in a block, and the end of the last; longer ones hold graphs and images."""
    starts: list[int] = []
    lengths: list[int] = []
    unpack, place, whole = HEADER.unpack_from, 0, len(block)
    while place + FRAME <= whole:
        length = unpack(block, place)[0]
        if place + length + FRAME > whole:
            break
        if length <= MAX_RECORD:
            starts.append(place + HEADER.size)
            lengths.append(length)
        place += length + FRAME
    return starts, lengths, place


def _laid_out(
    text: NDArray[np.uint8], at: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which records hold one float as nearly all do: time, step, tag, value; of those the tag's place and the step."""
    counted = text[at + 9] == 0x10
    place = at + 9 + counted
    step = np.zeros(len(at), dtype=np.int64)
    going = counted.copy()
    for shift in range(0, 35, 7):
        byte = text[place]
        step |= np.where(going, (byte & 127).astype(np.int64) << shift, 0)
        place += going
        going &= byte >= 128
        if not going.any():
            break
    tag = place + 6
    end = tag + text[place + 5]
    good = (text[at] == 0x09) & ~going & (end + 5 == at + length) & (text[end] == 0x15)
    good &= (text[place] == 0x2A) & (text[place + 2] == 0x0A) & (text[place + 4] == 0x0A)
    good &= (text[place + 1] < 128) & (text[place + 1] == at + length - place - 2)
    return good, tag[good], end[good], step[good]


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

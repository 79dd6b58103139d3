"""Protocol buffers on the wire: the fields of one message, without a schema."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the position after it. Raises ValueError where the data ends or has no end."""
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise ValueError("the message is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number of over ten bytes")


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a message: int for a varint, bytes otherwise. Raises ValueError where it is broken."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == VARINT:
            number, at = varint(data, at)
            yield key >> 3, number
            continue
        if kind == BYTES:
            length, at = varint(data, at)
        elif kind in WIDTHS:
            length = WIDTHS[kind]
        else:
            raise ValueError(f"no field is of kind {kind}")
        if at + length > len(data):
            raise ValueError("the message is cut off")
        yield key >> 3, data[at : at + length]
        at += length


def blocks(data: bytes, number: int) -> Iterator[bytes]:
    """The values of one field that are messages or bytes."""
    return (value for found, value in fields(data) if found == number and isinstance(value, bytes))

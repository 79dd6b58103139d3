"""The changes that the fuzzer makes: to bytes, lines and cells, and to the structure of tables."""

from __future__ import annotations

import random
from collections.abc import Callable

Log = dict[str, bytes]  # paths below the folder that is the log, and their contents; one path is a file alone
Change = Callable[[bytes, bytes, random.Random], bytes]

WORDS = (
    *(b"nan", b"-inf", b"1e999", b"", b"null", b"[]", b"{}", b'"', b"'", b"\n", b"\r", b",", b"\t", b"\0", b"\xff\xfe"),
    *(b"epoch", b"loss", b"val_loss", b"step", b"\x1b[2K", b"%", b"1_0", b"9" * 400, b"[" * 2000, b'{"a":' * 500),
    *(b"\xf0\x9f\x98\x80", b"\xe2\x94\x82", b"-1", b"0", b"9223372036854775808", b"1e308", b"\x80" * 12, b"|---" * 40),
)


def mutated(log: Log, others: list[Log], dice: random.Random) -> Log:
    """A log after one to eight random changes to its bytes, words, lines, cells or columns."""
    log = dict(log)
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        name, other = dice.choice(list(log)), dice.choice(others)
        log[name] = dice.choice(CHANGES)(log[name], next(iter(other.values())), dice)
    return log


def _flip(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    if not data:
        return data
    at = dice.randrange(len(data))
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _word(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(WORDS) + data[at + dice.choice((0, 1, 4)) :]


def _cell(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """One cell replaced: between two delimiters."""
    marks = [k for k, byte in enumerate(data[:8000]) if byte in b",\t:; \n"]
    if len(marks) < 2:
        return data
    k = dice.randrange(len(marks) - 1)
    return data[: marks[k] + 1] + dice.choice(WORDS) + data[marks[k + 1] :]


def _lines(data: bytes, other: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    a, b = sorted(dice.randrange(len(lines) + 1) for _ in range(2))
    kind = dice.randrange(4)
    if kind == 0:
        return b"\n".join(lines[:a] + lines[b:])
    if kind == 1:
        return b"\n".join(lines[:b] + lines[a:b] + lines[b:])
    if kind == 2:
        dice.shuffle(lines)
        return b"\n".join(lines)
    return b"\n".join(lines[:a] + other.split(b"\n")[: dice.randrange(20)] + lines[a:])


def _graft(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]


def _table(data: bytes) -> list[list[bytes]]:
    """The cells of a table with commas or tabs; empty for anything else."""
    mark = b"\t" if b"\t" in data[:200] else b","
    rows = [line.split(mark) for line in data.split(b"\n")]
    return rows if len(rows) > 3 and len(rows[0]) > 1 else []


def _joined(rows: list[list[bytes]], data: bytes) -> bytes:
    return b"\n".join((b"\t" if b"\t" in data[:200] else b",").join(row) for row in rows)


def _column_ends(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A column that is empty from some row on."""
    rows = _table(data)
    if not rows:
        return data
    column, first = dice.randrange(len(rows[0])), dice.randrange(1, len(rows))
    cut = [[b"" if j == column and k >= first else cell for j, cell in enumerate(row)] for k, row in enumerate(rows)]
    return _joined(cut, data)


def _rows_swapped(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    if len(lines) > 3:
        a, b = dice.randrange(1, len(lines)), dice.randrange(1, len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _other_unit(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A column times a factor: percent, milli-units, absurd magnitudes."""
    rows = _table(data)
    if not rows:
        return data
    column, factor = dice.randrange(len(rows[0])), dice.choice((100.0, 0.01, -1.0, 1e-300, 1e300, 0.0))
    return _joined([[_scaled(c, factor) if j == column else c for j, c in enumerate(row)] for row in rows], data)


def _scaled(cell: bytes, factor: float) -> bytes:
    try:
        return repr(float(cell) * factor).encode()
    except ValueError:
        return cell


def _split(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """The second part of a file that was cut in two, with its header or without."""
    head, _, rest = data.partition(b"\n")
    lines = rest.split(b"\n")
    kept = b"\n".join(lines[dice.randrange(len(lines)) :])
    return kept if dice.random() < HEADERLESS else head + b"\n" + kept


HEADERLESS = 0.3
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _cut, _word, _cell, _cell, _lines, _lines, _graft),
    *(_column_ends, _rows_swapped, _other_unit, _split),
)

"""The files of a run folder: a plain table of the run, a compact one of its layers, and its facts.

`run.csv` holds a row a step. `run.json` holds facts. `layers.bin` holds records, each one `NNDR`, a letter, the payload's
length and its CRC-32 (little-endian, 4 bytes each), then the payload, deflated: `L` is a JSON object with the names of the
layers and of their statistics; `B` is a block of n samples: n (int32), the steps (n of int64), then one column of n
float32 values for every layer of every statistic of the latest `L`, shape (statistics, layers, n). A record that is cut
off or damaged ends the file: everything before it is complete.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TABLE, LAYERS, FACTS = "run.csv", "layers.bin", "run.json"
HEAD = struct.Struct("<4scII")
MAGIC = b"NNDR"
NAMES, BLOCK = b"L", b"B"
MAX_RECORD = 64 << 20  # bytes of one record inflated: a block of 32 samples of ten thousand layers holds less
PRIMARY = "recorder"  # the key by which a run.json is known for ours


@dataclass(frozen=True, slots=True)
class Block:
    """Samples at n steps: values of shape (statistics, layers, n), NaN where a layer lacks a statistic."""

    layers: tuple[str, ...]
    statistics: tuple[str, ...]
    steps: NDArray[np.int64]
    values: NDArray[np.float32]


def names_record(layers: Sequence[str], statistics: Sequence[str]) -> bytes:
    """The record that names what the blocks after it hold."""
    return _record(NAMES, json.dumps({"layers": list(layers), "statistics": list(statistics)}).encode())


def block_record(steps: Sequence[int], values: NDArray[np.float32]) -> bytes:
    """The record of n samples; values have shape (statistics, layers, n)."""
    head = struct.pack("<i", len(steps)) + np.asarray(steps, dtype="<i8").tobytes()
    return _record(BLOCK, head + np.ascontiguousarray(values, dtype="<f4").tobytes())


def _record(kind: bytes, payload: bytes) -> bytes:
    packed = zlib.compress(payload, 1)
    return HEAD.pack(MAGIC, kind, len(packed), zlib.crc32(packed)) + packed


def blocks(path: Path) -> Iterator[Block]:
    """The whole blocks of a layer file in their order; it ends before the first damaged one. Raises OSError."""
    layers: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    for kind, payload in _records(path):
        if kind == NAMES:
            try:
                named = json.loads(payload)
                layers = tuple(str(name) for name in named["layers"])
                statistics = tuple(str(name) for name in named["statistics"])
            except (ValueError, KeyError, TypeError):
                return
        elif kind == BLOCK:
            block = _block(payload, layers, statistics)
            if block is None:
                return
            yield block


def whole_length(path: Path) -> int:
    """The bytes of a layer file up to the end of its last whole record. Raises OSError."""
    return sum(HEAD.size + packed for packed, _, _ in _packed(path))


def _records(path: Path) -> Iterator[tuple[bytes, bytes]]:
    for _, kind, packed in _packed(path):
        opened = zlib.decompressobj()
        try:
            payload = opened.decompress(packed, MAX_RECORD)
        except zlib.error:
            return
        if opened.unconsumed_tail:
            return
        yield kind, payload


def _packed(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    with path.open("rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            magic, kind, length, check = HEAD.unpack(head)
            if magic != MAGIC or length > MAX_RECORD:
                return
            packed = file.read(length)
            if len(packed) < length or zlib.crc32(packed) != check:
                return
            yield length, kind, packed


def _block(payload: bytes, layers: tuple[str, ...], statistics: tuple[str, ...]) -> Block | None:
    (n,) = struct.unpack_from("<i", payload) if len(payload) >= 4 else (-1,)
    if n < 0 or len(payload) != 4 + 8 * n + 4 * n * len(layers) * len(statistics):
        return None
    steps = np.frombuffer(payload, dtype="<i8", count=n, offset=4).astype(np.int64)
    flat = np.frombuffer(payload, dtype="<f4", offset=4 + 8 * n).astype(np.float32)
    return Block(layers, statistics, steps, flat.reshape(len(statistics), len(layers), n))


def is_folder(path: Path) -> bool:
    """Whether a folder is a run folder: a table, and facts that the recorder wrote."""
    return (path / TABLE).is_file() and PRIMARY in facts(path)


def facts(path: Path) -> Mapping[str, object]:
    """What `run.json` says; nothing where it is absent or damaged."""
    try:
        found = json.loads((path / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

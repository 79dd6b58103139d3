"""The `.wandb` file of Weights & Biases, written byte by byte as its format says."""

from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nndoctor
from nndoctor.core.errors import NNDoctorError, UnreadableLog
from nndoctor.readers.io.source import Source

BLOCK = 32768


def varint(number: int) -> bytes:
    """A number as protocol buffers write it."""
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def chunk(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def item(name: str, value: object) -> bytes:
    """A name and its value in JSON; a nested name as wandb writes it."""
    keys = [chunk(1, name.encode())] if "/" not in name else [chunk(2, part.encode()) for part in name.split("/")]
    return chunk(1, b"".join(keys) + chunk(16, json.dumps(value).encode()))


def history(step: int, **values: object) -> bytes:
    """The record of one `wandb.log`."""
    return chunk(2, b"".join(item(k, v) for k, v in values.items()) + chunk(2, b"\x08" + varint(step)))


def file_of(*records: bytes) -> bytes:
    """Records cut into pieces that end where blocks end."""
    data = b":W&B\xe1\xbe\x00"
    for whole in records:
        record, begun = whole, False
        while True:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += b"\0" * left
                continue
            piece, record = record[: left - 7], record[left - 7 :]
            kind = (3 if record else 4) if begun else (2 if record else 1)
            data += struct.pack("<IHB", 0, len(piece), kind) + piece
            begun = True
            if not record:
                break
    return data


def run_in(data: bytes):
    """The one run in a file."""
    (run,) = nndoctor.read(Source("run-x.wandb", data))
    return run


ROWS = [history(k, loss=3.0 - k, val_loss=4.0 - k, _runtime=k) for k in range(3)]
CONFIG = chunk(17, chunk(1, b"id") + chunk(4, item("batch_size", 64) + item("layers", [1, 2])))


def test_history_and_settings():
    """What was logged at each step, and the settings of the run."""
    run = run_in(file_of(CONFIG, *ROWS))
    assert run.format == "wandb"
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]
    assert run.series["validation/loss"].steps.tolist() == [0, 1, 2]
    assert run.facts["batch_size"].value == 64
    assert not run.notes


def test_records_over_the_ends_of_blocks():
    """Console output of any size between the rows, in pieces, changes nothing."""
    noise = [chunk(4, b"x" * size) for size in (32700, 100_000, 5, 32750)]
    run = run_in(file_of(*(record for pair in zip(noise, [CONFIG, *ROWS], strict=True) for record in pair)))
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]


def test_nested_names_nan_and_pictures():
    """`epoch/loss` is nested, NaN is JSON here, and a histogram is no number."""
    rows = [
        history(k, **{"epoch/loss": [2.0, 1.0, math.nan][k], "weights": {"_type": "histogram", "bins": 3}})
        for k in range(3)
    ]
    run = run_in(file_of(*rows))
    assert run.series["train/loss"].values[:2].tolist() == [2, 1]
    assert math.isnan(run.series["train/loss"].values[-1])
    assert not run.unknown


def test_a_truncated_file():
    """A file that was cut off is read as far as it goes, and a note says so."""
    data = file_of(*ROWS, chunk(4, b"x" * 1000))
    run = run_in(data[:-500])
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]
    assert any("truncated" in note for note in run.notes)


def test_a_run_that_logged_nothing():
    """A valid file without history is refused in words."""
    with pytest.raises(UnreadableLog, match="no history"):
        nndoctor.read(Source("run-x.wandb", file_of(CONFIG)))


WHOLE = file_of(CONFIG, *ROWS)


@given(st.lists(st.tuples(st.integers(4, len(WHOLE) - 1), st.integers(0, 255)), max_size=4), st.integers(4, len(WHOLE)))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(changes, end):
    """A damaged file is read, or refused as a user's mistake is."""
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    try:
        runs = nndoctor.read(Source("run-x.wandb", bytes(data[:end])))
    except NNDoctorError:
        return
    assert all(run.series or run.fact("task") for run in runs)  # of a game no loss is a series

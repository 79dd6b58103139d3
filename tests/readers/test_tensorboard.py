"""TensorBoard: event files and run folders, written byte by byte as the format says."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nndoctor
from nndoctor.core.errors import NNDoctorError, UnreadableLog
from nndoctor.readers import is_log
from nndoctor.readers.io.find import find
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables.event_files import sessions


def varint(number: int) -> bytes:
    """A number as protocol buffers write it."""
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def chunk(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(tag: str, value: float) -> bytes:
    """A value as `add_scalar` writes it."""
    return chunk(1, chunk(1, tag.encode()) + b"\x15" + struct.pack("<f", value))


def tensor(tag: str, value: float, kind: str = "<f4", number: int = 1) -> bytes:
    """A value as Keras writes it: a tensor without a shape, its bytes, and the plugin's name."""
    inside = b"\x08" + varint(number) + chunk(2, b"") + chunk(4, np.asarray(value, kind).tobytes())
    return chunk(1, chunk(1, tag.encode()) + chunk(8, inside) + chunk(9, chunk(1, chunk(1, b"scalars"))))


def record(data: bytes) -> bytes:
    """A record with its length; the checksums are not looked at."""
    return struct.pack("<QI", len(data), 0) + data + b"\0\0\0\0"


def event(step: int, *values: bytes) -> bytes:
    """An event of values at a step; step 0 is left out, as the writers do."""
    at = b"\x10" + varint(step) if step else b""
    return record(b"\x09" + struct.pack("<d", 1.7e9 + step) + at + chunk(5, b"".join(values)))


VERSION = record(b"\x09" + struct.pack("<d", 1.7e9) + chunk(3, b"brain.Event:2"))


def values_of(path) -> dict[str, list[float]]:
    """The values of every series of the one run."""
    (run,) = nndoctor.read(path)
    return {name: [round(v, 5) for v in s.values.tolist()] for name, s in run.series.items()}


def write(folder, *events: bytes, name: str = "events.out.tfevents.1.host.0"):
    """An event file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(VERSION + b"".join(events))
    return path


def test_scalars_of_one_file(tmp_path):
    """Tags are series, each at its own steps."""
    events = [event(10 * k, scalar("train/loss", 3 - k)) for k in range(3)] + [event(20, scalar("eval/loss", 1.5))]
    (run,) = nndoctor.read(str(write(tmp_path, *events)))
    assert run.format == "tensorboard"
    assert run.series["train/loss"].steps.tolist() == [0, 10, 20]
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]
    assert run.series["validation/loss"].steps.tolist() == [20]


def test_keras_folders(tmp_path):
    """train/ and validation/ hold the same tags as tensors; the evaluation by iterations is the same once more."""
    for split, first in (("train", 3.0), ("validation", 4.0)):
        events = [event(k, tensor("epoch_loss", first - k), tensor("epoch_accuracy", k / 4)) for k in range(3)]
        write(tmp_path / split, *events, event(900, tensor("evaluation_loss_vs_iterations", 9.0)))
    assert values_of(str(tmp_path)) == {
        "train/loss": [3, 2, 1],
        "train/accuracy": [0, 0.25, 0.5],
        "validation/loss": [4, 3, 2],
        "validation/accuracy": [0, 0.25, 0.5],
    }


def test_folders_of_add_scalars(tmp_path):
    """`Loss_train` and `Loss_val` are splits, too."""
    write(tmp_path / "Loss_train", *(event(k, scalar("Loss", 3 - k)) for k in range(3)))
    write(tmp_path / "Loss_val", *(event(k, scalar("Loss", 4 - k)) for k in range(3)))
    assert values_of(str(tmp_path)) == {"train/loss": [3, 2, 1], "validation/loss": [4, 3, 2]}


def test_nested_folders_of_add_scalars(tmp_path):
    """TensorboardX writes `loss/train` and `loss/val` beside the run's own file."""
    write(tmp_path, *(event(k, scalar("lr", 0.1)) for k in range(3)))
    write(tmp_path / "loss" / "train", *(event(k, scalar("loss", 3 - k)) for k in range(3)))
    write(tmp_path / "loss" / "val", *(event(k, scalar("loss", 4 - k)) for k in range(3)))
    assert values_of(str(tmp_path)) == {"lr": [0.1] * 3, "train/loss": [3, 2, 1], "validation/loss": [4, 3, 2]}


@pytest.mark.parametrize(("kind", "number"), [("<f4", 1), ("<f8", 2), ("<i4", 3), ("<i8", 9), ("<f2", 19)])
def test_kinds_of_tensor(tmp_path, kind, number):
    """Floats and integers of any width."""
    assert values_of(str(write(tmp_path, *(event(k, tensor("loss", 3 - k, kind, number)) for k in range(3)))))[
        "train/loss"
    ] == [3, 2, 1]


def test_text_and_arrays_are_no_scalars(tmp_path):
    """A file that holds no number says so."""
    words = chunk(1, chunk(1, b"args") + chunk(8, b"\x08\x07" + chunk(8, b"lr=0.1")))
    array = chunk(1, chunk(1, b"loss") + chunk(8, b"\x08\x01" + chunk(4, b"\0" * 8)))
    with pytest.raises(UnreadableLog, match="no scalar"):
        nndoctor.read(str(write(tmp_path, event(1, words), event(2, array))))


def test_a_resumed_run_in_two_files_is_one(tmp_path):
    """The second file goes on from within the first: what it logs again stands."""
    write(tmp_path, *(event(k, scalar("loss", 9 - k)) for k in range(8)), name="events.out.tfevents.1")
    write(tmp_path, *(event(k, scalar("loss", 0.5)) for k in range(6, 9)), name="events.out.tfevents.2")
    assert values_of(str(tmp_path))["train/loss"] == [9, 8, 7, 6, 5, 4, 0.5, 0.5, 0.5]


def test_two_runs_in_one_folder_are_two(tmp_path):
    """A second file from the first step on is another run."""
    for k in (1, 2):
        write(tmp_path, *(event(e, scalar("loss", k * (9 - e))) for e in range(5)), name=f"events.out.tfevents.{k}")
    runs = nndoctor.read(str(tmp_path))
    assert [run.series["train/loss"].values.tolist() for run in runs] == [[9, 8, 7, 6, 5], [18, 16, 14, 12, 10]]


def test_files_of_other_tags_are_joined(tmp_path):
    """An evaluation with a file of its own belongs to the run."""
    write(tmp_path, *(event(k, scalar("train/loss", 3 - k)) for k in range(3)), name="events.out.tfevents.1")
    write(tmp_path, event(2, scalar("eval/loss", 1.5)), name="events.out.tfevents.2")
    assert values_of(str(tmp_path)) == {"train/loss": [3, 2, 1], "validation/loss": [1.5]}


def test_nan_is_kept_and_a_missing_step_is_counted(tmp_path):
    """A NaN is the run's own; a writer that was never told the step has its points counted."""
    path = write(tmp_path, *(event(0, scalar("loss", v)) for v in (3, 2, math.nan)))
    (run,) = nndoctor.read(str(path))
    assert run.series["train/loss"].steps.tolist() == [0, 1, 2]
    assert np.isnan(run.series["train/loss"].values[-1])


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_broken_tail(tmp_path, cut):
    """What is whole is read, and a note says that the rest is not."""
    path = write(tmp_path, *(event(k, scalar("loss", 9 - k)) for k in range(5)))
    path.write_bytes(path.read_bytes()[:-cut])
    (run,) = nndoctor.read(str(path))
    assert run.series["train/loss"].values.tolist() == [9, 8, 7, 6]
    assert any("damaged after" in note for note in run.notes)


def test_a_broken_record_inside(tmp_path):
    """Reading ends where the bytes make no sense."""
    whole = [event(k, scalar("loss", 9 - k)) for k in range(5)]
    path = write(tmp_path, *whole[:3], record(b"\xff" * 30), *whole[3:])
    assert values_of(str(path))["train/loss"] == [9, 8, 7]


def test_a_run_folder_is_found_as_one(tmp_path):
    """Below a folder of runs each run's folder counts once, with all its files."""
    for name in ("a", "b"):
        for split in ("train", "validation"):
            write(tmp_path / name / split, *(event(k, tensor("epoch_loss", 3 - k)) for k in range(3)))
    sources, errors = find([str(tmp_path)], is_log)
    assert sorted(source.name for source in sources) == ["a", "b"]
    assert not errors


def test_the_runs_table_next_to_its_events_is_read_instead(tmp_path):
    """Ultralytics leaves results.csv and events in one folder: one run, from the table."""
    write(tmp_path / "exp", event(0, scalar("train/box_loss", 1)))
    (tmp_path / "exp" / "results.csv").write_text("epoch,train/loss\n0,1\n1,0.5\n")
    sources, _ = find([str(tmp_path)], is_log)
    assert [source.name for source in sources] == ["results.csv"]


WHOLE = VERSION + b"".join(event(k, scalar("loss", 9 - k), tensor("acc", k / 9)) for k in range(6))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(WHOLE)))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_the_reader(changes, end):
    """A damaged file is read, or refused as a user's mistake is."""
    data = bytearray(WHOLE)
    for at, byte in changes:
        data[at] = byte
    try:
        runs = nndoctor.read(Source("events.out.tfevents.1", bytes(data[:end])))
    except NNDoctorError:
        return
    assert all(run.series for run in runs)


def test_files_of_the_real_writer(tmp_path):
    """What torch.utils.tensorboard writes is read exactly."""
    pytest.importorskip("tensorboard")
    writer = pytest.importorskip("torch.utils.tensorboard").SummaryWriter(str(tmp_path))
    for k in range(5):
        writer.add_scalar("Loss/train", 1 / (k + 1), k)
        writer.add_scalar("Loss/val", 1.5 / (k + 1), k)
    writer.close()
    found = values_of(str(tmp_path))
    assert found["train/loss"] == [round(float(np.float32(1 / (k + 1))), 5) for k in range(5)]
    assert len(found["validation/loss"]) == 5


def test_a_file_of_nothing_but_what_keras_says_twice_is_refused(tmp_path):
    """The evaluation by iterations repeats the epochs' values: alone it leaves no curve."""
    path = tmp_path / "events.out.tfevents.1.host.0"
    path.write_bytes(VERSION + b"".join(event(k, scalar("evaluation_loss_vs_iterations", 0.5)) for k in range(5)))
    with pytest.raises(UnreadableLog, match="no scalar"):
        nndoctor.read(str(path))


def test_steps_that_jump_to_and_fro_take_no_time(tmp_path):
    """Tens of thousands of steps back are no runs of their own."""
    path = tmp_path / "events.out.tfevents.1.host.0"
    path.write_bytes(VERSION + b"".join(event(k + 50 * (k % 2), scalar("loss", 0.5)) for k in range(20_000)))
    (run,) = nndoctor.read(str(path))
    assert len(run.series["train/loss"]) > 19_000


def test_long_tags_steps_and_other_layouts_stand_in_their_order(tmp_path):
    """Records of one float, of two, and with steps of many bytes, mixed, cut into blocks of the file."""
    tag = "train/" + "loss_" * 22 + "loss"
    path = tmp_path / "events.out.tfevents.1.host.0"
    parts = [
        event(k * 10**7, scalar(tag, k)) if k % 3 else event(k * 10**7, scalar(tag, k), scalar("lr", 0.1))
        for k in range(300)
    ]
    path.write_bytes(VERSION + b"".join(parts))
    gathered, _ = sessions(Source(str(path)))
    steps, values = gathered[0][tag]
    assert steps.tolist() == [k * 10**7 for k in range(300)]
    assert values.tolist() == list(range(300))
    assert len(gathered[0]["lr"][0]) == 100


@pytest.mark.parametrize("end", range(1, 40))
def test_a_tag_that_claims_to_be_longer_than_the_file_is_no_tag(tmp_path, end):
    """The last record of a file may say anything of its lengths."""
    path = tmp_path / "events.out.tfevents.1.host.0"
    lying = b"\x09" + bytes(8) + b"\x10\x05\x2a\x7f\x0a\x7f\x0a\xff" + b"x" * end
    path.write_bytes(VERSION + event(1, scalar("loss", 1)) + event(2, scalar("loss", 2)) + record(lying))
    (run,) = nndoctor.read(str(path))
    assert run.series["train/loss"].values.tolist() == [1, 2]

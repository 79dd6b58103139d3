"""The contract of every reader: it has a sample in tests/readers/samples.py, which it alone reads, with the right numbers."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

import nndoctor
from nndoctor.core.errors import NNDoctorError
from nndoctor.readers import READERS
from nndoctor.readers.io.source import Source
from tests.readers.one_run import TRAIN
from tests.readers.samples import SAMPLES

every_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
LOSS = {"ruled-tables": "total_loss"}  # the losses of reinforcement learning have names of their own
REFUSED = {"aim"}  # recognized so that the message can say which address reads it


def sample(reader, folder):
    """The sample of a reader, written."""
    if reader.name == "columnar" and find_spec("pyarrow") is None:
        pytest.skip("needs pyarrow")
    return SAMPLES[reader.name](folder)


def test_every_reader_has_a_sample():
    """A new reader gets one, in the order in which readers are tried."""
    assert list(SAMPLES) == [reader.name for reader in READERS]


@every_reader
def test_a_reader_is_the_first_to_recognize_its_sample(tmp_path, reader):
    """No reader that is tried earlier takes it."""
    source = Source(str(sample(reader, tmp_path)))
    assert next(other.name for other in READERS if other.sniff(source)) == reader.name


@pytest.mark.parametrize("reader", [r for r in READERS if r.name not in REFUSED], ids=lambda reader: reader.name)
def test_a_reader_reads_the_numbers_of_its_sample(tmp_path, reader):
    """The training loss, value for value."""
    (run,) = nndoctor.read(sample(reader, tmp_path))
    assert run.series[LOSS.get(reader.name, "train/loss")].values.tolist() == pytest.approx(TRAIN, rel=1e-6)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_format_says_what_to_do(tmp_path, name):
    """One line with the address that reads it."""
    with pytest.raises(NNDoctorError, match=f"{name}:"):
        nndoctor.read(SAMPLES[name](tmp_path))


@every_reader
def test_a_cut_sample_is_read_or_refused_in_one_line(tmp_path, reader):
    """The first half of every file: a program that was killed."""
    path = sample(reader, tmp_path)
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2])
    try:
        runs = nndoctor.read(path)
    except NNDoctorError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either end is right
    else:
        assert all(len(run.series) for run in runs)

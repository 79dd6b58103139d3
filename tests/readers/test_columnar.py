"""Parquet and Feather files are read where pyarrow is installed, and name what is missing where it is not."""

from __future__ import annotations

import sys

import pytest

import nndoctor
from nndoctor.core.errors import MissingExtra, NNDoctorError, UnreadableLog

ROWS = 12
TRAIN = [2.0 * 0.8**k for k in range(ROWS)]
COLUMNS = {
    "_step": list(range(ROWS)),
    "train/loss": TRAIN,
    "val/loss": [loss + 0.1 if k % 2 else None for k, loss in enumerate(TRAIN)],
    "name": ["a"] * ROWS,
    "image": [{"path": "x.png"}] * ROWS,
}


def written(folder, ending):
    """A file of these columns."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    path = folder / f"history.{ending}"
    table = pa.table(COLUMNS)
    parquet.write_table(table, path) if ending == "parquet" else feather.write_feather(table, str(path))
    return path


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_a_history_is_read(tmp_path, ending):
    """Steps, losses and missing cells are those of the table."""
    (run,) = nndoctor.read(str(written(tmp_path, ending)))
    assert run.series["train/loss"].values.tolist() == pytest.approx(TRAIN)
    assert run.series["validation/loss"].steps.tolist() == [1, 3, 5, 7, 9, 11]


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_a_broken_file_is_refused_in_words(tmp_path, ending):
    """Cut off, or with a changed byte in its middle, it is read or refused."""
    path = written(tmp_path, ending)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableLog, match="is it whole"):
        nndoctor.read(str(path))
    for at in range(4, len(whole), 37):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            assert nndoctor.read(str(path))
        except NNDoctorError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "history.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(MissingExtra, match=r"nndoctor\[parquet\]"):
        nndoctor.read(str(path))

"""Plain numbers parsed all at once are the numbers that `float` reads, and what is not plain is left to the row reader."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nndoctor
from nndoctor.readers.tables import cell_spans as places
from nndoctor.readers.tables import plain_numbers as plain
from nndoctor.readers.tables.plain_numbers import parsed

DECIMALS = st.from_regex(r"-?([0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,15})", fullmatch=True)
SPELLED = st.one_of(
    st.floats(allow_nan=False).map(repr), st.integers().map(str), st.floats(-1e9, 1e9).map("{:.6f}".format)
)
CELLS = st.one_of(
    DECIMALS, SPELLED, st.sampled_from(["nan", "-inf", "1e-05", "1E+3", "0", "-0.0", "00012", "5.", "inf"])
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=40))
def test_values_are_those_of_float(rows):
    """Every spelling of a number is read to the last bit."""
    data = "".join(",".join(row) + "\n" for row in rows).encode()
    found = parsed(data, ",", 3, (0, 2))
    assert found is not None
    for (values, present), column in zip(found, (0, 2), strict=True):
        assert present.all()
        assert values.tobytes() == np.array([float(row[column]) for row in rows]).tobytes() or any(
            "nan" in row[column] for row in rows
        )


@pytest.mark.parametrize(
    "cell", ["-", ".", "-.", "1.2.3", "1-2", "--1", "1/2", ":", "1 2", "x", "12345678.1234567.", "+"]
)
def test_what_is_no_number_is_never_made_one(cell):
    """A cell that holds no number gives none: its table goes to the row reader, or the cell counts as empty."""
    found = parsed(f"1,2\n{cell},2\n".encode(), ",", 2, (0, 1))
    assert found is None or not found[0][1][1]


def test_empty_cells_are_no_values():
    """Lightning's sparse rows: what is empty is not present."""
    found = parsed(b"1,,3\n,2,\n", ",", 3, (0, 1, 2))
    assert found is not None
    assert [present.tolist() for _, present in found] == [[True, False], [False, True], [True, False]]
    assert math.isnan(found[1][0][0])


@pytest.mark.parametrize(
    "data", [b"1,2\n3\n", b"1,2\n\n3,4\n", b"1,2,3\n4\n", b'1,"2"\n', b"#1,2\n", b"1,1_0\n", b"1,\r2\n"]
)
def test_ragged_and_quoted_tables_are_left_to_the_row_reader(data):
    """Rows of other lengths, quotes, comments, underscores and a lone carriage return are not plain."""
    assert parsed(data, ",", 2, (0, 1)) is None


def test_windows_line_ends_are_plain():
    """What a spreadsheet on Windows writes is read as quickly, its empty last cells, too."""
    found = parsed(b"1,2\r\n3,\r\n", ",", 2, (0, 1))
    assert found is not None
    assert [present.tolist() for _, present in found] == [[True, True], [True, False]]
    assert found[1][0][0] == 2.0


def test_pieces_join_without_a_seam(monkeypatch):
    """A table that is parsed in many pieces is that of one piece."""
    rows = "".join(f"{k},{k * 0.37:.5f}\n" for k in range(500)).encode()
    whole = parsed(rows, ",", 2, (0, 1))
    monkeypatch.setattr(plain, "PIECE", 64)
    parts = parsed(rows, ",", 2, (0, 1))
    assert whole is not None
    assert parts is not None
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(whole, parts, strict=True))


def test_one_header_above_other_rows_is_another_layout(tmp_path):
    """What is remembered of a header holds for rows that fit it: those with an index in front are read by their own."""
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("epoch,loss,val_loss\n" + "".join(f"{k},{1 / (k + 1)},0.5\n" for k in range(9)), encoding="utf-8")
    second.write_text("epoch,loss,val_loss\n" + "".join(f"7,{k},{k + 2},0.5\n" for k in range(9)), encoding="utf-8")
    assert nndoctor.read(str(first))[0].series["train/loss"].values[0] == 1.0
    assert nndoctor.read(str(second))[0].series["train/loss"].values.tolist() == [k + 2 for k in range(9)]


@given(
    st.lists(st.tuples(CELLS, st.just(""), CELLS), min_size=1, max_size=300), st.sampled_from([(0, 1, 2), (1,), (2,)])
)
def test_few_cells_are_found_where_many_are(rows, kept):
    """A list of all marks and a bit for each byte lead to the same places."""
    text = np.frombuffer(plain.PAD + "".join(",".join(row) + "\n" for row in rows).encode(), dtype=np.uint8)
    listed = places.places(text, len(plain.PAD), ",", 3, kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "MAX_LISTED", 0)
        followed = places.places(text, len(plain.PAD), ",", 3, kept)
    assert listed is not None
    assert followed is not None
    assert [p.tolist() for p in listed] == [p.tolist() for p in followed]

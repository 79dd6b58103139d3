"""A large table read in pieces is the table that the row reader reads, and what is not plain is left to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndoctor.readers.formats import separated
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables import chunked as large
from nndoctor.readers.tables.layout import layout_of

NUMBERS = st.one_of(
    st.floats(-50, 50).map(repr),
    st.floats(0, 2).map("{:.4f}".format),
    st.sampled_from(["", "nan", "-inf", "1e-05", "0.1" + "0" * 70, "7"]),
)
TEXT = st.text("abc xyz", max_size=80)
ROWS = st.lists(st.tuples(NUMBERS, TEXT, NUMBERS, NUMBERS), min_size=2, max_size=60)
WHOLE = "\n".join(f"{k},{1 / (k + 1)},x,0.5" for k in range(9))


def both(text: str, piece: int):
    source = Source("run.csv", text.encode())
    layout = layout_of(source)
    assert layout is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "PIECE", piece)
        return large._numbers(source, layout), separated.read_rows(source, layout)


@given(ROWS, st.sampled_from([100, 300, 1 << 16]), st.booleans())
def test_pieces_are_the_rows(rows, piece, ended):
    """Cells of any length, empty cells and a last line without an end are read as row by row, to the last bit."""
    text = "step,loss,note,val_loss\n" + "\n".join(f"{k},{a},{t},{b}" for k, (a, t, b, _) in enumerate(rows))
    ours, theirs = both(text + "\n" * ended, piece)
    assert ours is not None
    assert list(ours.columns) == list(theirs.columns)
    assert ours.lines.tolist() == theirs.lines.tolist()
    for name, column in theirs.columns.items():
        assert np.array_equal(ours.columns[name].present, column.present)
        np.testing.assert_array_equal(ours.columns[name].values[column.present], column.values[column.present])


@pytest.mark.parametrize("piece", [64, 1 << 16])
def test_a_last_line_that_is_cut_off_is_left_out_and_reported(piece):
    """A run that still writes, or was killed while it did, has half a line at its end."""
    ours, _ = both(f"step,loss,note,val_loss\n{WHOLE}\n9,0.", piece)
    assert ours is not None
    assert ours.lines.tolist() == list(range(2, 11))
    assert ours.notes == (large.CUT,)


@pytest.mark.parametrize(
    "odd", ['9,"0.1",x,0.5', "# done", "9,0.1,//,0.5", "9,0.1", "", "9,0.1,x,0.5,1", "9,bad,x,0.5"]
)
def test_what_is_not_plain_is_left_to_the_row_reader(odd):
    """Quotes, comments, blank lines and ragged rows."""
    assert both(f"step,loss,note,val_loss\n{WHOLE}\n{odd}\n{WHOLE}\n", 64)[0] is None


def test_windows_line_ends_are_plain():
    """A carriage return before the newline belongs to the line's end, wherever a piece was cut."""
    text = f"step,loss,note,val_loss\n{WHOLE}\n".replace("\n", "\r\n")
    for piece in range(40, 80):
        ours, theirs = both(text, piece)
        assert ours is not None
        assert ours.columns["val_loss"].values.tolist() == theirs.columns["val_loss"].values.tolist()

"""Plain JSON lines parsed all at once say what `json` says, and what is not plain is left to it."""

from __future__ import annotations

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nndoctor
from nndoctor.readers.formats import json_lines
from nndoctor.readers.io.source import Source
from nndoctor.readers.tables import plain_json
from nndoctor.readers.tables.plain_json import parsed as parsed_file

NUMBERS = st.one_of(st.integers(-(10**20), 10**20), st.floats(), st.none())
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["step", "loss", "eval/loss", "a_very_long_name_of_a_metric"]), NUMBERS)
)


def parsed(data):
    """The columns of these bytes, or None."""
    found = parsed_file(io.BytesIO(data))
    return None if found is None else found[0]


@given(ROWS)
def test_columns_are_those_of_json(rows):
    """Missing keys, nulls, NaN and infinities: each is what the json module makes of it."""
    rows = [row for row in rows if row]
    columns = parsed("".join(json.dumps(row) + "\n" for row in rows).encode())
    assert columns is not None
    for name in {name for row in rows for name in row}:
        column = columns[name]
        assert column.present.tolist() == [row.get(name) is not None for row in rows]
        for value, row in zip(column.values, rows, strict=True):
            printed = row.get(name)
            assert printed is None or (math.isnan(value) if printed != printed else value == float(printed))  # noqa: PLR0124


@pytest.mark.parametrize(
    "line",
    [
        '{"loss": "0.5"}', '{"loss": 1, "name": "a"}', '{"loss": {"train": 1}}', '{"loss": [1, 2]}', "{}", "", '{"loss": true}',
        '{"loss" : 1}', '{"loss": 1}{"loss": 2}', '{"a:b": 1, "c,d": 2}', '{"loss": 1_0}', '{"loss": 1', '["loss", 1]',
        '{"lo\\"ss": 1}', '"{": 1}',
    ],
)  # fmt: skip
def test_lines_that_are_not_plain_are_left_to_json(line):
    """Strings, nests, lists, odd spacing and broken lines are never guessed at."""
    data = f'{{"loss": 1}}\n{line}\n{{"loss": 2}}\n'.encode()
    columns = parsed(data)
    assert columns is None or columns["loss"].values.tolist() == [1.0, json.loads(line)["loss"], 2.0]


def test_pieces_join_without_a_seam(monkeypatch):
    """Lines that are parsed in many pieces are those of one piece, keys that come late included."""
    rows = [{"step": k, "loss": 1 / (k + 1), **({"eval_loss": 0.5} if k > 300 else {})} for k in range(400)]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    whole = parsed(data)
    monkeypatch.setattr(plain_json, "PIECE", 100)
    parts = parsed(data)
    assert whole is not None
    assert parts is not None
    for name, column in whole.items():
        assert column.present.tolist() == parts[name].present.tolist()
        assert column.values[column.present].tolist() == parts[name].values[column.present].tolist()


@pytest.mark.parametrize(("ending", "rows"), [("\n", 4), ("", 4), ('\n{"epoch": 5, "lo', 4), ('\n{"epoch": 5}', 5)])
def test_a_last_line_counts_if_it_is_whole(tmp_path, ending, rows):
    """A log that is being written is read as far as its lines are whole."""
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(f'{{"epoch": {k}, "loss": {1 / k}}}' for k in range(1, 5)) + ending, encoding="utf-8")
    (table,) = json_lines.read(Source(str(log)))
    assert table.rows == rows
    assert bool(table.notes) == ('"lo' in ending)


def test_a_nan_of_the_run_is_kept(tmp_path):
    """A bare NaN is a value that the run produced; a missing key is none."""
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": NaN}\n{"step": 3, "lr": 0.1}\n', encoding="utf-8")
    (run,) = nndoctor.read(str(log))
    assert run.series["train/loss"].steps.tolist() == [1, 2]
    assert math.isnan(run.series["train/loss"].values[1])

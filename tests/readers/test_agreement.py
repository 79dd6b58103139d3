"""The same run in other clothes gives the same series: formats, orders, delimiters, and the way of large files."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.formats import separated
from nndoctor.readers.io.source import Source
from nndoctor.readers.semantics.assemble import assemble
from nndoctor.readers.tables import chunked as large
from nndoctor.readers.tables.layout import layout_of

NAMES = ["epoch", "loss", "val_loss", "accuracy", "val_accuracy", "lr"]


def a_run(n=12, seed=0):
    """A healthy run, column by column."""
    noise = np.random.default_rng(seed).normal(0, 0.01, (4, n))
    k = np.arange(n)
    fall = np.exp(-k / 4)
    rise = 0.9 * (1 - fall) + 0.05
    rows = np.round([k, 2 * fall + noise[0], 2 * fall + 0.3 + noise[1], rise, rise - 0.04, 0.1 * 0.9**k], 6)
    return dict(zip(NAMES, rows.tolist(), strict=True))


def csv(columns, delimiter=","):
    """Columns as a text table."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join(delimiter.join(map(str, row)) for row in [tuple(columns), *rows]) + "\n"


def records(columns):
    """Columns as one dict a row."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def trainer_state(columns):
    """Columns as the Trainer writes them: training and evaluation on entries of their own."""
    history = []
    for r in records(columns):
        history.append({"step": r["epoch"], "loss": r["loss"], "accuracy": r["accuracy"], "learning_rate": r["lr"]})
        history.append({"step": r["epoch"], "eval_loss": r["val_loss"], "eval_accuracy": r["val_accuracy"]})
    history.append({"step": 11, "train_loss": 0.7, "train_runtime": 9.0})
    return json.dumps({"log_history": history, "max_steps": 11}, indent=1)


def read(text, name="log"):
    """The one run in a text."""
    (run,) = nndoctor.read(Source(name, text if isinstance(text, bytes) else text.encode()))
    return run


def assert_same(one, other):
    """Both runs hold the same series."""
    assert set(one.series) == set(other.series)
    for name, series in one.series.items():
        np.testing.assert_allclose(series.values, other.series[name].values, rtol=1e-12)
        np.testing.assert_array_equal(series.steps, other.series[name].steps)


WRITERS = {
    "tsv": lambda c: csv(c, "\t"),
    "semicolons": lambda c: csv(c, ";"),
    "decimal commas": lambda c: csv(c, ";").replace(".", ","),
    "jsonl": lambda c: "\n".join(map(json.dumps, records(c))) + "\n",
    "json array": lambda c: json.dumps(records(c), indent=2),
    "keras history": json.dumps,
    "wrapped history": lambda c: json.dumps({"history": c, "params": {"epochs": 12}}),
    "trainer state": trainer_state,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_one_run_in_every_format_is_one_run(kind):
    """CSV, TSV, JSON lines, histories and trainer states of one run hold equal series."""
    assert_same(read(csv(a_run())), read(WRITERS[kind](a_run())))


def test_a_frame_and_a_dict_are_that_run_too():
    """What is in memory reads as what is on disk."""
    for found in (pd.DataFrame(a_run()), a_run(), pd.DataFrame(a_run()).set_index("epoch")):
        (run,) = nndoctor.read(found)
        assert_same(read(csv(a_run())), run)


def test_a_frame_shows_a_broken_run_from_empty_cells():
    """NaNs to the end are the run's own; NaNs between values are empty cells."""
    nan = math.nan
    (run,) = nndoctor.read(pd.DataFrame({"loss": [3, 2, nan, nan], "val_loss": [nan, 2, nan, 1]}))
    assert np.isnan(run.series["train/loss"].values).tolist() == [False, False, True, True]
    assert run.series["validation/loss"].values.tolist() == [2, 1]


def test_two_level_results_of_boosting():
    """XGBoost's two evaluation sets are training and validation."""
    (run,) = nndoctor.read({"validation_0": {"mlogloss": [3, 2, 1]}, "validation_1": {"mlogloss": [4, 3, 2]}})
    assert run.series["train/loss"].values.tolist() == [3, 2, 1]
    assert run.series["validation/loss"].values.tolist() == [4, 3, 2]


def test_json_lines_with_bare_nan_and_a_cut_last_line():
    """Python's json writes NaN bare, and a killed run half a line."""
    run = read('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": NaN}\n{"step": 3, "loss": "NaN"}\n{"step": 4, "lo')
    assert np.isnan(run.series["train/loss"].values).tolist() == [False, True, True]
    assert run.series["train/loss"].lines.tolist() == [1, 2, 3]
    assert any("incomplete" in note for note in run.notes)


def test_a_trainer_state_that_is_cut_off_is_read_as_far_as_it_goes():
    """A checkpoint copied too early still shows its curve."""
    text = trainer_state(a_run())
    run = read(text[: len(text) // 2])
    assert 3 < len(run.series["train/loss"]) < 12
    assert any("truncated" in note for note in run.notes)


def test_lines_of_a_trainer_state_are_those_of_its_entries():
    """The line of a point is where its entry begins."""
    text = trainer_state(a_run())
    line = read(text).series["validation/loss"].lines[3]
    assert '"eval_loss"' in "".join(text.split("\n")[line - 1 : line + 4])


@given(st.permutations(NAMES))
@settings(max_examples=25, deadline=None)
def test_the_order_of_columns_does_not_matter(order):
    """Columns are known by name."""
    columns = a_run()
    assert_same(read(csv(columns)), read(csv({name: columns[name] for name in order})))


@given(st.permutations(range(12)))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_does_not_matter_where_epochs_are_unique(order):
    """Rows sorted otherwise are the same run, unless they look like a resume: one step back, four rows either side."""
    back = [k for k in range(1, 12) if order[k] < order[k - 1]]
    if len(back) == 1 and 4 <= back[0] <= 8 and order[back[0]] > order[0]:
        return
    columns = a_run()
    assert_same(read(csv(columns)), read(csv({name: [column[k] for k in order] for name, column in columns.items()})))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_percent_or_fraction_does_not_matter(seed):
    """Accuracies in percent are the accuracies."""
    columns = a_run(seed=seed)
    percent = {name: [100 * v for v in c] if "accuracy" in name else c for name, c in columns.items()}
    assert_same(read(csv(columns)), read(csv(percent)))


CELL = st.one_of(
    st.floats(-1e6, 1e6).map(lambda v: f"{v + 0.0:.6g}"),  # pandas reads -0 as the integer 0
    st.sampled_from(["nan", "NaN", "", "inf", "-inf", "Infinity", "-", "null", "oops", "1e-5", " 2.5", "7", "12%"]),
)


ROWS = st.lists(st.tuples(CELL, CELL, st.sampled_from(["SGD", "Adam", ""])), min_size=1, max_size=30)
TAILS = st.sampled_from(["\n", "", "\n99", "\n99,1", "\n99,1,2,SGD\n"])
PLACE = st.integers(0, 60)  # of an oddity; past the end there is none


@given(ROWS, TAILS, st.booleans(), st.tuples(PLACE, PLACE, PLACE, PLACE))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_large_files_read_as_small_ones(rows, tail, windows, places):
    """The way through pandas and the way through the standard library agree on every oddity, or pandas declines."""
    short, quoted, again, blank = places
    lines = [f"{k},{a},{b},{word}" for k, (a, b, word) in enumerate(rows)]
    if short < len(lines):
        lines[short] = str(short)
    if quoted < len(lines):
        lines[quoted] = f'{quoted},"1.5",2,"SGD"'
    if again < len(lines):
        lines.insert(again, "epoch,loss,val_loss,optimizer")
    if blank < len(lines):
        lines.insert(blank, "")
    text = "\n".join(["epoch,loss,val_loss,optimizer", *lines]) + tail
    source = Source(
        "run.csv", text.replace("\n", "\r\n" if windows else "\n").encode("utf-8-sig" if windows else "utf-8")
    )
    layout = layout_of(source)
    if layout is None:
        return
    other = large.read(source, layout)
    if other is None:
        assert quoted < len(rows)
        return
    assert outcome(separated.read_rows(source, layout)) == outcome(other)


def outcome(table):
    """All that a table leads to, as plain values."""
    try:
        runs = assemble(table, "run.csv", {})
    except UnreadableLog as error:
        return str(error)
    return [
        (
            {
                n: (s.steps.tolist(), list(map(repr, s.values.tolist())), s.lines.tolist())
                for n, s in run.series.items()
            },
            dict(run.facts),
            run.notes,
            run.unknown,
            run.format,
        )
        for run in runs
    ]


def test_a_file_beyond_the_limit_goes_through_pandas(tmp_path, monkeypatch):
    """A large file gives the run that the rows give, and its settings."""
    frame = pd.DataFrame(a_run(n=5000))
    frame["optimizer"] = "Adam"
    frame["junk"] = "text"
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    path = tmp_path / "run.csv"
    path.write_text(buffer.getvalue())
    small = nndoctor.read(path)[0]
    monkeypatch.setattr(separated, "LARGE", 1000)
    monkeypatch.setattr(large, "ROWS", 700)
    monkeypatch.setattr(separated, "read_rows", None)
    big = nndoctor.read(path)[0]
    assert_same(small, big)
    assert big.fact("optimizer") == "Adam"
    assert big.unknown == ("junk",)

"""The picture in the terminal: what it draws, marks and names, and that no series breaks it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.plots.curves import PlotSize, draw

FALLING = Run.drawn(train_loss="2.0..0.5*20", validation_loss="2.0..1.0*10 1.0..1.4*10")


def text(lines):
    """The picture without its styles."""
    return ["".join(words for words, _ in line) for line in lines]


def cells(lines, style):
    """All characters of one style."""
    return "".join(words for line in lines for words, message in line if message == style)


def run_of(**series):
    """A run of series given as numbers: train_loss=[...]."""
    names = {key: key.replace("_", "/", 1) for key in series}
    return Run({name: Series.of(name, series[key]) for key, name in names.items()})


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("drawing", [True, False])
def test_the_picture_fits_its_paper(width, drawing):
    """No line is longer than the page."""
    lines = text(draw(FALLING, PlotSize(width, drawing=drawing)))
    assert len(lines) == 10
    assert max(map(len, lines)) <= width


def test_a_falling_curve_goes_from_the_top_left_to_the_bottom_right():
    """The first row holds the start of the line and the last row its end."""
    lines = text(draw(run_of(train_loss=[3, 2, 1]), PlotSize(60, labelled=False)))[:8]
    starts = [len(line) - len(line[line.index("┤" if "┤" in line else "│") + 1 :].lstrip()) for line in lines]
    assert starts == sorted(set(starts))
    assert len(lines[-1].rstrip()) == 60


def test_the_curves_are_named_with_the_level_at_their_end():
    """The legend stands where the lines end, in their style."""
    lines = draw(FALLING, PlotSize(80))
    assert "train loss 0.5" in cells(lines, "train")
    assert "validation loss 1.4" in cells(lines, "validation")


def test_the_best_validation_and_the_span_are_marked():
    """The axis carries the arrow and the evidence, and the line below says where the best is."""
    *_, axis, below = draw(FALLING, PlotSize(80), span=(10.0, 19.0))
    assert cells([axis], "mark").count("▲") == 1
    assert cells([axis], "mark").count("━") > 15
    assert "▲ best at 9" in text([below])[0]


def test_without_a_span_nothing_else_is_marked():
    """Only evidence is drawn as evidence."""
    *_, axis, _ = draw(FALLING, PlotSize(80))
    assert cells([axis], "mark") == "▲"


def test_values_that_are_not_finite_are_marked_where_they_stand():
    """A run that ends in NaN is drawn to its last step, not to its last number."""
    *_, axis, below = draw(run_of(train_loss=[2, 1, 0.5, 0.4, math.nan, math.inf]), PlotSize(80))
    assert "×" in cells([axis], "error")
    assert "× not finite" in text([below])[0]
    assert text([below])[0].endswith("5")


def test_a_wide_ratio_is_drawn_on_a_log_axis_that_says_so():
    """A thousandfold fall in equal ratios is a straight line: after 4 of 7 rows it has fallen by 10 to the 12/7."""
    lines = text(draw(run_of(train_loss=np.geomspace(10, 0.01, 81)), PlotSize(80, labelled=False)))
    assert "log axis" in lines[-1]
    label, _, drawn = lines[4].partition("┤")
    assert float(label) == pytest.approx(10 ** (1 - 3 * 4 / 7), rel=0.01)
    assert drawn.index(drawn.strip()) == pytest.approx(72 / 2, abs=2)  # of 72 columns
    assert "log axis" not in text(draw(FALLING, PlotSize(80)))[-1]


def test_plain_pictures_are_ascii_and_tell_the_curves_apart():
    """Where braille cannot be shown, train is * and validation o."""
    lines = draw(FALLING, PlotSize(80, drawing=False), span=(10.0, 19.0))
    assert "\n".join(text(lines)).isascii()
    assert "*" in cells(lines, "train")
    assert "o" in cells(lines, "validation")
    assert "=" in cells(lines, "mark")
    assert "^" in cells(lines, "mark")


def test_a_single_spike_among_thousands_of_points_is_seen():
    """Every column shows its highest value."""
    values = np.ones(5000)
    values[2500] = 9.0
    assert text(draw(run_of(train_loss=values), PlotSize(60)))[0].strip("9 ┤│")


def test_a_constant_has_one_label_next_to_its_line():
    """Three times the same number on an axis says nothing."""
    lines = text(draw(run_of(train_loss=[2.303] * 9), PlotSize(60)))[:8]
    (labelled,) = [line for line in lines if "┤" in line]
    assert labelled.split()[0] == "2.303"
    assert "train loss" in labelled


@pytest.mark.parametrize("run", [Run({}), run_of(train_loss=[1, 2]), run_of(lr=[0.1] * 9)])
def test_no_curve_no_picture(run):
    """Under three points of a loss or a metric there is nothing to draw."""
    assert draw(run, PlotSize(80)) == []


def test_a_run_without_a_loss_shows_its_metric():
    """An accuracy is drawn where no loss is logged."""
    assert "train accuracy" in cells(draw(run_of(train_accuracy=[0.1, 0.5, 0.9]), PlotSize(80)), "train")


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(numbers, min_size=3, max_size=60),
    st.lists(numbers, max_size=60),
    st.lists(numbers, max_size=60),
    st.lists(st.floats(0, 1e15), min_size=60, max_size=60),
    st.integers(40, 130),
    st.booleans(),
)
def test_no_series_breaks_the_picture(train, validation, rate, steps, width, drawing):
    """Huge, tiny, equal, negative and not finite values are drawn or left out, without a warning, within the width."""
    steps = sorted(steps)
    series = {
        name: Series.of(name, values, steps[: len(values)])
        for name, values in (("train/loss", train), ("validation/loss", validation), ("lr", rate))
        if values
    }
    lines = draw(Run(series), PlotSize(width, drawing=drawing), span=(steps[0], steps[-1]))
    assert all(len(line) <= width for line in text(lines))
    assert len(lines) in (0, 10, 11)


@pytest.mark.parametrize(("drawing", "high", "low"), [(True, "█", "▁"), (False, "#", "_")])
def test_a_changing_learning_rate_is_a_row_below(drawing, high, low):
    """A rate cut to nothing halfway is high in the left half and low in the right, and its peak is told."""
    run = Run.drawn(train_loss="2..1*20", lr="0.1*10 0.0001*10")
    last = draw(run, PlotSize(80, drawing=drawing))[-1]
    row = last[1][0]
    assert set(row) == {high, low}
    assert row.count(high) == pytest.approx(len(row) / 2, abs=2)
    assert row.index(low) == row.count(high)
    assert "at most 0.1" in text([last])[0]


def test_a_constant_learning_rate_needs_no_row():
    """What never changes is not drawn."""
    assert len(draw(Run.drawn(train_loss="2..1*20", lr="0.1*20"), PlotSize(80))) == 10

"""A series' own arithmetic."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import nndoctor
from nndoctor.analysis.convergence import CERTAIN, confidence_between
from nndoctor.core import statistics as curve
from nndoctor.core.series import Series, reduced_to_extremes

MOST = 16
NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=90)


@given(st.dictionaries(st.sampled_from("abcdef"), NUMBERS))
def test_slim_curves_are_the_extremes_of_each(drawn):
    """However many are looked through together, each keeps its own lowest and highest points, and tells of the whole."""
    many = {name: Series.of(name, values) for name, values in drawn.items()}
    small = reduced_to_extremes(many, MOST)
    assert list(small) == list(many)
    for name, whole in many.items():
        x, y = (whole.steps, whole.values) if len(whole) <= MOST else curve.extremes(whole.x, whole.y, MOST)
        assert len(small[name]) <= MOST
        assert np.array_equal(small[name].steps, x)
        assert np.array_equal(small[name].values, y, equal_nan=True)
        assert small[name].summary == whole.summary


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=600), st.floats(0, 1))
def test_medians_and_quantiles_are_those_of_numpy(values, share):
    """To the last bit."""
    y = np.array(values)
    with np.errstate(over="ignore"):
        assert curve.median(y) == np.median(y)
        assert curve.quantile(y, share) == np.quantile(y, share)


@given(st.lists(st.floats(-1e6, 1e6), max_size=120), st.integers(0, 30).map(lambda k: 2 * k + 1))
def test_a_rolling_median_is_the_median_of_each_window(values, window):
    """The window cut at both ends."""
    y = np.array(values)
    half = window // 2
    wanted = [np.median(y[max(0, k - half) : k + half + 1]) for k in range(len(y))] if len(y) > 2 else values
    assert curve.rolling_median(y, window).tolist() == wanted


def test_confidence_bears_a_limit_beyond_what_is_certain():
    """A limit of the user's own may lie where the rule's would be certain already."""
    assert confidence_between(0.7, 0.6, 0.6) == CERTAIN
    assert (
        confidence_between(0.5, 0.5, 1.0)
        < confidence_between(0.9, 0.5, 1.0)
        < confidence_between(1.5, 0.5, 1.0)
        == CERTAIN
    )


def test_a_share_is_printed_as_its_log_has_it():
    """In percent with the sign, or as a fraction; a percentage becomes the nearest fraction."""
    in_percent, as_share = (
        nndoctor.read({"loss": [2.0, 1.0, 0.5], "val_acc": values})[0].series["validation/accuracy"]
        for values in ([76.13, 84.62, 89.93], [0.7613, 0.8462, 0.8993])
    )
    assert in_percent.values.tolist() == as_share.values.tolist() == [0.7613, 0.8462, 0.8993]
    assert in_percent.in_log_unit(0.8462, 0.84623) == ("84.62%", "84.623%")
    assert as_share.in_log_unit(0.8462) == ("0.8462",)

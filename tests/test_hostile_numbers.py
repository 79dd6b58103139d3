"""No series that a log can hold makes a rule fail: NaN, infinity, constants, huge and tiny values, few points."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nndoctor.analysis.liveness import MAX_DIGITS, significant_digits
from nndoctor.core.errors import UnreadableLog
from nndoctor.core.formatting import percent
from nndoctor.core.run import Fact, Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import read
from nndoctor.reporters import concise, json, terminal
from nndoctor.reporters.page import Style

VALUES = st.one_of(
    st.floats(-10, 10),
    st.sampled_from([0.0, 1.0, 2.302585, math.nan, math.inf, -math.inf, 1e300, -1e300, 1e308, 1e-300, 5e-324]),
)
NAMES = ["train/loss", "validation/loss", "train/accuracy", "validation/accuracy", "lr", "grad_norm"]
NEEDED = sorted({name for rule in RULES for part in rule.needs for name in part.split("|") if ":" not in name})
"""The series that rules ask for: those of reinforcement learning, generators, detectors and machines, too."""


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Any series under any of the names that rules read."""
    series = {}
    for name in draw(st.lists(st.sampled_from(draw(st.sampled_from([NAMES, NEEDED]))), min_size=1, unique=True)):
        if draw(st.booleans()):
            values = [draw(VALUES)] * draw(st.integers(1, 80))
        else:
            values = draw(st.lists(VALUES, min_size=1, max_size=60))
        series[name] = Series.of(name, values)
    facts = draw(
        st.sampled_from([{}, {"optimizer": Fact("Adagrad"), "num_classes": Fact(10), "target_error": Fact(0.1)}])
    )
    return Run(series, facts, "x.csv", "x.csv", "csv")


@settings(max_examples=150, deadline=None)
@given(runs())
def test_any_series_is_judged_and_reported(run):
    """Every rule ends with symptoms or none, and every reporter prints them."""
    report = diagnose(run, RULES)
    assert report.errors == ()
    assert all(0 <= f.confidence <= 1 for f in report.findings)
    assert len(report.findings) + len(report.cleared) + len(report.skipped) >= sum(
        not rule.on_request for rule in RULES
    )
    assert terminal.render([report], Style())
    assert json.render([report])
    concise.render([report])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_rule_fails_where_a_series_has_no_finite_value(rule):
    """A rule's own examples, each of whose series is NaN throughout by turns."""
    for run in (*rule.sick, *rule.healthy):
        for name, series in run.series.items():
            nothing = Series.of(name, [math.nan] * len(series.values))
            assert diagnose(replace(run, series={**run.series, name: nothing}), RULES).errors == ()


def test_one_huge_value_among_ordinary_ones_is_judged_without_a_warning_of_numpy():
    """The training loss jumps to the largest number that a log can hold, and what is derived from it overflows."""
    validation = [-0.63, -0.57, -0.61, -0.59, -0.58, -0.59, -0.593, -0.611]
    run = Run(
        {
            "train/loss": Series.of("train/loss", [-0.793, -0.797, -0.795, 1e308, -0.794, -0.79, -0.78, -0.804]),
            "validation/loss": Series.of("validation/loss", validation),
        },
        {},
        "x.csv",
        "x.csv",
        "csv",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = diagnose(run, RULES)
        assert terminal.render([report], Style())
    assert report.errors == ()


def test_digits_are_counted_next_to_the_largest_number():
    """Its quotient by the smallest unit would be infinite."""
    assert significant_digits(np.array([1.25, 0.5])) == 3
    with np.errstate(over="ignore"):
        assert significant_digits(np.array([1e308, 0.5])) == MAX_DIGITS


def test_shares_that_are_no_numbers_are_written_all_the_same():
    """A message quotes what the log holds."""
    assert [percent(share) for share in (0.1, 0.005, math.inf, math.nan)] == ["10%", "0.5%", "inf%", "nan%"]


def test_a_table_whose_steps_are_infinite_is_read_or_refused_without_a_warning_of_numpy(tmp_path):
    """Differences between such steps are no numbers."""
    log = tmp_path / "run.csv"
    log.write_text("epoch,train_loss,lr\n" + "".join(f"inf,{3 - k / 10},0.1\n" for k in range(9)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with suppress(UnreadableLog):
            read(log)

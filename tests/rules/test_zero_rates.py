"""A learning rate that is zero in the whole log is named, whatever shows that nothing is learned."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.core.report import Report

FLAT = [4.4548, 4.4621, 4.4634, 4.4603, 4.4618, 4.4587, 4.4609, 4.4571, 4.4598, 4.4616, 4.4583, 4.4602]
FALLS = [4.4, 4.1, 3.9, 3.7, 3.55, 3.45, 3.38, 3.33, 3.3, 3.28, 3.27, 3.26]


def _report(loss: list[float], rate: float, **columns: list[float]) -> Report:
    return nndoctor.diagnose({"epoch": list(range(12)), "train_loss": loss, "lr": 12 * [rate], **columns})


@pytest.mark.parametrize(
    ("loss", "columns", "name"),
    [
        (FLAT, {}, "plateau-at-start"),
        (12 * [4.4548], {}, "no-weight-changes"),
    ],
)
def test_a_rate_of_zero_is_said_and_is_the_only_cause(loss, columns, name):
    found = next(f for f in _report(loss, 0.0, **columns).findings if f.name == name)
    assert "the learning rate is 0 in all 12 rows" in found.message
    assert [cause.name for cause in found.causes] == ["learning rate zero"]
    assert found.remedies[0].name == "check-the-schedule"


def test_a_rate_of_zero_is_said_of_a_validation_that_stays_at_chance():
    columns = {"val_loss": [2.303, 2.304, 2.302] * 4, "val_acc": [0.1, 0.11, 0.09] * 4, "lr": 12 * [0.0]}
    found = nndoctor.diagnose({"epoch": list(range(12)), **columns}).primary
    assert found.name == "stuck-at-chance"
    assert "the learning rate is 0 in all 12 rows" in found.message


def test_a_rate_too_small_for_single_precision_throughout_never_decayed():
    report = _report(FLAT, 1e-12)
    assert "lr-decayed-too-early" not in [f.name for f in report.findings]
    assert "at most 1e-12 in all 12 rows" in report.primary.message


def test_a_rate_printed_as_zero_next_to_a_loss_that_falls_is_no_finding():
    assert not _report(FALLS, 0.0).at_least(Severity.ERROR)
    assert "learning rate is 0" not in " ".join(f.message for f in _report(FALLS, 0.0).findings)

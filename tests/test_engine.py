"""The engine: one broken rule costs nothing else, and a finding that explains others leaves them out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndoctor.core.finding import Cause, Finding, Location, Severity
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.diagnosis.lookup import find
from nndoctor.diagnosis.precedence import explained_by, explanations, in_agreement

RUN = Run.drawn(train_loss="2.3 1.9 4.1 5.2 nan nan nan")


def _breaks(run, **_limits):
    raise ZeroDivisionError(f"of {run.source}")


def test_a_rule_that_raises_is_reported_and_the_others_go_on():
    """The line names the rule, what was raised and where."""
    broken = replace(find("diverged"), check=_breaks)
    report = diagnose(RUN, tuple(broken if rule.name == "diverged" else rule for rule in RULES))
    assert report.primary is not None
    assert report.primary.name == "nan-loss"
    assert len(report.errors) == 1
    assert report.errors[0].startswith(
        "rule NN302 diverged failed on this log: please report ZeroDivisionError: of drawn"
    )
    assert "test_engine.py" in report.errors[0]
    assert "NN302" not in report.cleared


def test_no_rule_raises_on_a_sick_run():
    """Errors are for bugs."""
    assert diagnose(RUN, RULES).errors == ()


@pytest.mark.parametrize(
    ("dead", "explained"),
    [("stuck-at-chance", None), ("nan-loss", "nan-loss"), ("no-weight-changes", "no-weight-changes")],
)
def test_what_kept_a_run_at_chance_is_reported_next_to_it(dead, explained):
    """A run that ends at chance may have learned too slowly; one with NaN or still weights has no such cause."""
    rule = find(dead)
    error = Finding(rule.code, dead, Severity.ERROR, 0.95, "dead", {}, Location(), (), ())
    assert (
        explained_by(find("lr-too-low"), {dead: [error], "lr-too-low": [replace(error, severity=Severity.WARNING)]})
        == explained
    )


def test_of_findings_that_explain_one_another_in_a_circle_the_most_severe_stays():
    """Each is suppressed by the next; without one of them a run in which three rules find something would be called fine."""
    circle = ("lr-too-high", "warmup-unfinished", "plateau-at-start")
    warning = Finding("NN", "", Severity.WARNING, 0.8, "found", {}, Location(), (), ())
    found = {name: [replace(warning, name=name)] for name in circle}
    found["plateau-at-start"] = [replace(warning, name="plateau-at-start", severity=Severity.ERROR)]
    causes = explanations([find(name) for name in circle], found)
    assert set(causes) == {"lr-too-high", "warmup-unfinished"}


def test_a_warmup_that_keeps_a_run_at_chance_is_reported():
    """Flat at ln 2 while the learning rate still rises: the warmup is the cause, and neither hides the other."""
    run = Run.drawn(
        train_loss="0.6932 0.6935 0.6923 0.6931 0.6934 0.6917 0.6926 0.6925 0.6918 0.6929 0.6921",
        validation_loss="0.693*11",
        validation_accuracy="0.54 0.51 0.52 0.50 0.52 0.51 0.53 0.50 0.52 0.51 0.52",
        lr=" ".join(f"{2.5 * k:.1f}e-6" for k in range(1, 12)),
    )
    assert "warmup-unfinished" in [finding.name for finding in diagnose(run, RULES).findings]


@pytest.mark.parametrize(
    ("confidence", "left"), [(0.95, ["dead units"]), (0.7, ["learning rate too low", "dead units"])]
)
def test_a_cause_that_contradicts_a_finding_that_is_nearly_certain_is_left_out(confidence, left):
    causes = (Cause("learning rate too low", 0.6, "", ""), Cause("dead units", 0.4, "", ""))
    stuck = Finding("NN310", "stuck-at-chance", Severity.ERROR, 0.95, "stuck", {}, Location(), causes, ())
    high = replace(stuck, name="lr-too-high", severity=Severity.WARNING, confidence=confidence, causes=())
    agreed = in_agreement({"stuck-at-chance": [stuck], "lr-too-high": [high]})
    assert [cause.name for cause in agreed["stuck-at-chance"][0].causes] == left

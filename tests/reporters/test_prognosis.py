"""The prognosis in the terminal and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import takewhile

import pytest

from nndoctor.core.prognosis import Expectation, Reason
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.reporters import terminal
from nndoctor.reporters.json import render
from nndoctor.reporters.page import Style

LOWER = Expectation(
    "lr/10", "train/loss", 0.88, 0.34, 0.2, 0.5, 61240,
    (Reason("oscillation", 0.4, "the loss oscillates"),), current=1.21, unit=1.2,
)  # fmt: skip
LONGER = Expectation("steps*4", "validation/loss", 0.09, 0.02, 0.0, 0.1, 61240)


@pytest.fixture
def report(sick):
    """A report with two changes, the less promising one first."""
    run = Run.drawn(train_loss="2.3 1.6 1.4 1.21")
    return replace(sick, run=run, prognosis=(LONGER, LOWER), workload="fine-tuning", measurements={"gap": 0.25})


def lines_of(report: Report) -> list[str]:
    """The block "What would help" of a report's page, without its title; empty where there is none."""
    page = terminal.render([report], Style(80)).splitlines()
    titles = [k for k, line in enumerate(page) if line.startswith("What would help")]
    return [] if not titles else list(takewhile(lambda line: line.startswith("  "), page[titles[0] + 1 :]))


def test_the_page_orders_changes_by_promise(report):
    """The likely change comes first, with the loss it should reach; the unlikely one has no number."""
    assert "What would help (from 61,240 retrained networks)" in terminal.render([report], Style(80))
    first, second = lines_of(report)
    assert first == "  lr ÷10     likely (88%)   training loss 1.21 → about 0.8 (0.61–0.97)"
    assert second.split() == ["4×", "longer", "unlikely", "(9%)"]


def test_of_two_likely_changes_the_one_that_is_more_often_the_best_comes_first(report):
    """A change that helps is not the first to try where another one gains more."""
    longer = replace(LONGER, helps=0.9, gain=0.4, best=0.2)
    changes = [
        entry["change"]
        for entry in json.loads(render([replace(report, prognosis=(longer, LOWER))]))["runs"][0]["prognosis"]
    ]
    assert changes == ["lr/10", "steps*4"]


def test_a_change_that_a_finding_claims_has_the_probability_of_the_finding(report):
    """Where the finding says "likely (71%)", the line of its change says so, too, and is the first."""
    finding = replace(report.findings[0], name="not-converged", confidence=0.71)
    first, _ = lines_of(replace(report, findings=(finding,)))
    assert first.split()[:4] == ["4×", "longer", "likely", "(71%)"]


def test_no_change_is_shown_where_none_may_help(report):
    """A finding with remedies of its own is not followed by a list of what is unlikely to help."""
    assert lines_of(replace(report, prognosis=(LONGER, replace(LOWER, helps=0.31)))) == []


def test_an_expected_loss_that_the_run_has_already_reached_is_not_shown(report):
    """The loss was at 0.5 before it rose to 1.21: about 0.8 would be no gain."""
    run = Run.drawn(train_loss="2.3 0.5 0.5 0.5 1.4 1.21")
    assert lines_of(replace(report, run=run))[0] == "  lr ÷10     likely (88%)"


def test_stopping_early_reaches_the_best_value_in_the_log(report):
    """The loss of the best epoch is known; it is not estimated."""
    run = Run.drawn(train_loss="2.3 1.6 1.2 1.1", validation_loss="2.2 1.5 1.7 1.9")
    stop = replace(LOWER, change="stop-early", loss="validation/loss")
    assert lines_of(replace(report, run=run, prognosis=(stop,)))[0].endswith("validation loss 1.9 → 1.5 (step 1)")


def test_json_holds_the_prognosis_as_the_contract_says(report):
    """The keys of the contract, with the number of networks under `from`."""
    run = json.loads(render([report]))["runs"][0]
    assert run["workload"] == "fine-tuning"
    assert run["axis"] == "step"
    assert run["measurements"] == {"gap": 0.25}
    lower = run["prognosis"][0]  # the most promising first
    assert {key: lower[key] for key in ("change", "loss", "helps", "gain", "gain_low", "gain_high", "from")} == {
        "change": "lr/10", "loss": "train/loss", "helps": 0.88, "gain": 0.34, "gain_low": 0.2, "gain_high": 0.5,
        "from": 61240,
    }  # fmt: skip
    assert lower["because"] == [{"measurement": "oscillation", "value": 0.4, "says": "the loss oscillates"}]

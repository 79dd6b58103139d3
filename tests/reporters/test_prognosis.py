"""The prognosis in the terminal and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nndoctor.core.prognosis import Expectation, Reason
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
    return replace(sick, prognosis=(LONGER, LOWER), workload="fine-tuning", measurements={"gap": 0.25})


def test_the_page_orders_changes_by_promise(report):
    """The likely change comes first, with the loss it should reach; the unlikely one has no number."""
    lines = terminal.render([report], Style(80)).splitlines()
    start = lines.index("What would help (from 61,240 retrained networks)")
    assert lines[start + 1] == "  lr ÷10     likely (88%)   training loss 1.21 → about 0.8 (0.61–0.97)"
    assert lines[start + 2].split() == ["4×", "longer", "unlikely", "(9%)"]


def test_json_holds_the_prognosis_as_the_contract_says(report):
    """The keys of the contract, with the number of networks under `from`."""
    run = json.loads(render([report]))["runs"][0]
    assert run["workload"] == "fine-tuning"
    assert run["axis"] == "step"
    assert run["measurements"] == {"gap": 0.25}
    lower = run["prognosis"][1]
    assert {key: lower[key] for key in ("change", "loss", "helps", "gain", "gain_low", "gain_high", "from")} == {
        "change": "lr/10", "loss": "train/loss", "helps": 0.88, "gain": 0.34, "gain_low": 0.2, "gain_high": 0.5,
        "from": 61240,
    }  # fmt: skip
    assert lower["because"] == [{"measurement": "oscillation", "value": 0.4, "says": "the loss oscillates"}]

"""The brief report: at most 1 kB a run, and in agreement with the JSON report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.finding import Severity
from nndoctor.core.run import Run
from nndoctor.reporters import json as whole
from nndoctor.reporters.brief import MAX_BYTES, render
from nndoctor.reporters.entries import Context

SAMPLES = sorted(path for path in (Path(__file__).parents[2] / "sample_runs").iterdir() if path.is_dir())


def brief(report):
    """The one line, and what it says."""
    line = render([report], (), Context((), Severity.ERROR))
    return line, json.loads(line)


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_a_line_is_at_most_1_kb_and_agrees_with_json(folder):
    """Same finding, severity, confidence and first remedy."""
    report = nndoctor.diagnose(folder, isolated=True)
    line, message = brief(report)
    assert len(line.encode()) <= MAX_BYTES + 1
    entry = whole.entry(report)
    assert message["finding"] == entry["primary"]
    if report.primary is not None:
        first = entry["findings"][[f["name"] for f in entry["findings"]].index(message["finding"])]
        assert (message["severity"], message["confidence"]) == (first["severity"], first["confidence"])


def test_long_texts_are_cut_to_fit():
    """A path of thousands of characters does not break the bound."""
    run = Run.drawn(train_loss="2.3 1.9 nan nan nan nan nan nan", validation_loss="2.3 2.0 nan nan nan nan nan nan")
    object.__setattr__(run, "source", "x" * 5000)
    line, message = brief(nndoctor.diagnose(run, isolated=True))
    assert len(line) <= MAX_BYTES + 1
    assert message["finding"] == "nan-loss"


def test_the_exit_code_is_that_of_the_run_alone():
    """1 for an error, 2 where the run cannot be judged."""
    dead = nndoctor.diagnose(Run.drawn(train_loss="2.3 1.9 nan nan nan nan nan nan"), isolated=True)
    short = nndoctor.diagnose(Run.drawn(train_loss="2.3 1.9"), isolated=True)
    assert (brief(dead)[1]["exit_code"], brief(short)[1]["exit_code"]) == (1, 2)


def test_a_log_that_cannot_be_read_is_a_line_with_exit_code_2():
    """Agents must not take it for success."""
    assert json.loads(render([], [("a.csv", "a.csv is empty")], Context()))["exit_code"] == 2

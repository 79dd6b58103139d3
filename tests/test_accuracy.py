"""The zoo is what it claims to be, and nndoctor is as right about it as it was."""

from __future__ import annotations

import doctest
import importlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy.judged import Judged, judge
from benchmarks.accuracy.linters.tools import TOOLS
from benchmarks.accuracy.measures import healthy_flagged, primary_agreement
from benchmarks.accuracy.published.log import Log
from benchmarks.accuracy.published.rules import PUBLISHED
from benchmarks.zoo import store
from benchmarks.zoo.expected import FINDINGS, Expected

MODULES = ["benchmarks.accuracy." + n for n in ("judged", "measures", "calibration", "linters.tools")]
LABELLED = {"tuning": 300, "testing": 200}


@cache
def zoo(split: str) -> list[dict[str, Any]]:
    """The committed runs of a split."""
    return store.load(store.FOLDER, split)


@cache
def judged() -> list[Judged]:
    """The tuning half with what nndoctor says."""
    return judge(zoo("tuning"))


@pytest.mark.parametrize("split", store.SPLITS)
def test_zoo_is_large_and_nearly_half_healthy(split):
    """Enough labelled runs, at least two in five of them healthy, in logs of 5 to 2,000 rows and columns of one length."""
    labelled = [line for line in zoo(split) if line["status"] == "labelled"]
    healthy = [line for line in labelled if "healthy" in line["strong"]]
    assert len(labelled) >= LABELLED[split]
    assert len(healthy) >= 0.4 * len(labelled)
    for line in labelled:
        assert len({len(cells) for cells in line["log"].values()}) == 1
        assert 5 <= len(next(iter(line["log"].values()))) <= 2200


def test_halves_share_no_workload():
    """The testing half comes from other data than the tuning half."""
    tuning, testing = ({line["workload"] for line in zoo(split)} for split in store.SPLITS)
    assert not tuning & testing


def test_zoo_is_small():
    """The packed files together stay under 20 MB."""
    assert sum(path.stat().st_size for path in store.FOLDER.glob("*.xz")) < 20e6


def test_healthy_runs_stay_unaccused():
    """No more healthy runs of the tuning half are flagged than when this was last measured."""
    assert healthy_flagged(judged())[0].value <= 0.065


def test_primary_findings_stay_right():
    """The primary finding agrees with the labels as often as when this was last measured."""
    assert primary_agreement(judged())[0].value >= 0.86


@pytest.mark.parametrize("printed", command.TOLD, ids=lambda path: path.name)
def test_readme_and_docs_tell_the_measured_figures(printed):
    """The README's sentence and the table in docs are those that the benchmark wrote last."""
    page = command.PAGE.read_text(encoding="utf-8")
    text = printed.read_text(encoding="utf-8")
    testing = page[page.index("## testing") :]
    assert command.made_true(text, testing) == text
    assert command.SENTENCE.search(text) or command.FIGURES.search(text)


def test_a_report_may_name_what_the_log_cannot_settle():
    """What is undecidable is accepted, and the planted finding comes first where it is confirmed."""
    line = {
        "planted": "not-converged",
        "strong": ["lr-too-low", "not-converged"],
        "weak": ["high-bias"],
        "undecidable": [{"findings": ["lr-too-low", "not-converged"], "because": "both still fall"}],
    }
    expected = Expected.of(line)
    assert expected.primary == "not-converged"
    assert expected.truth("lr-too-low") == "undecidable"
    assert expected.truth("high-bias") == "weak"
    assert expected.truth("overtraining") is False


def test_published_rules_see_what_they_were_written_for():
    """On the tuning half each published rule fires somewhere, and none everywhere."""
    logs = [Log.of(line) for line in zoo("tuning")]
    for rule in PUBLISHED:
        assert 0 < sum(map(rule.fires, logs)) < len(logs), rule.name


def test_a_linter_that_cannot_read_a_log_says_nothing():
    """An answer that is no JSON names no family."""
    assert all(tool.families("usage: …") == frozenset() for tool in TOOLS)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings_are_true(name):
    """The examples in the benchmark's docstrings hold."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_a_run_comes_out_the_same_again(tmp_path: Path):
    """Labelled anew from its curves an experiment gives the same line; trained twice it gives the same losses."""
    pytest.importorskip("torch")
    from benchmarks.zoo.labelling import JUDGES
    from benchmarks.zoo.plan import plan
    from benchmarks.zoo.runs import make
    from benchmarks.zoo.training import train

    assert tuple(JUDGES) == FINDINGS
    short = replace(next(e for e in plan("testing") if e.workload == "wine" and e.depth == 0), steps=20)
    assert make(short, tmp_path) == make(short, tmp_path)
    first, second = train([short])[0], train([short])[0]
    assert first.batch_loss.tolist() == second.batch_loss.tolist()
    assert first.measured.val_loss.tolist() == second.measured.val_loss.tolist()

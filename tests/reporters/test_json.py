"""The JSON report keeps its contract."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from nndoctor._version import __version__
from nndoctor.core.finding import Location
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.reporters.json import dumped, render, render_lines


def strict(text: str):
    """Read as strict parsers do: NaN and Infinity are errors, duplicate keys too."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def test_the_report_has_the_keys_of_the_contract(sick):
    """What version 1 promises is there, with its types."""
    whole = strict(render([sick], [("broken.csv", "broken.csv is empty")]))
    assert whole["schema_version"] == 1
    assert whole["tool"] == {"name": "nndoctor", "version": __version__}
    assert whole["errors"] == [{"source": "broken.csv", "message": "broken.csv is empty"}]
    (run,) = whole["runs"]
    assert {k: run[k] for k in ("source", "format", "primary")} == {
        "source": "run.csv",
        "format": "csv",
        "primary": "overtraining",
    }
    assert run["cleared"] == ["NN001", "NN002", "NN003", "NN101", "NN301"]
    assert {"code": "NN203", "reason": "no lr in the log"} in run["skipped"]
    assert run["series"][0] == {
        "name": "train/loss",
        "column": "train/loss",
        "points": 20,
        "first": 2,
        "best": 0.5,
        "best_step": 19,
        "last": 0.5,
    }
    (finding,) = run["findings"]
    assert set(finding) == {
        "code", "name", "severity", "confidence", "message", "evidence", "location", "causes", "remedies"
    }  # fmt: skip
    assert finding["location"] == {"path": "run.csv", "line": 11, "step": 9, "layer": None}
    assert finding["evidence"] == {"best": 1, "best_step": 9, "last": 1.4, "settled": True, "unknown": None}
    assert set(finding["remedies"][0]) == {"name", "text", "why", "source"}


def test_causes_carry_weight_and_test(flat):
    """A program can choose the next experiment."""
    cause = strict(render([flat]))["runs"][0]["findings"][0]["causes"][0]
    assert cause == {
        "name": "learning rate too low",
        "concerns": "learning-rate",
        "weight": 0.6,
        "because": "a rate near zero looks like this",
        "test": "one run with ten times the rate",
    }


def test_a_healthy_run_has_no_primary(healthy):
    """Null, not an empty name."""
    assert strict(render([healthy]))["runs"][0]["primary"] is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_cannot_spell_become_null(sick, value):
    """In series, evidence and location."""
    found = replace(sick.findings[0], evidence={"last": value}, location=Location("run.csv", 2, value))
    run = Run({"train/loss": Series.of("train/loss", [value, value])}, source="run.csv")
    (entry,) = strict(render([replace(sick, run=run, findings=(found,))]))["runs"]
    assert entry["series"][0]["first"] is None
    assert entry["findings"][0]["evidence"] == {"last": None}
    assert entry["findings"][0]["location"]["step"] is None


def test_lines_hold_one_run_or_error_each(sick, healthy):
    """Every line is a whole object that names its schema."""
    lines = [strict(line) for line in render_lines([sick, healthy], [("x", "no such file")]).splitlines()]
    assert [line["source"] for line in lines] == ["run.csv", "good.csv", "x"]
    assert {line["schema_version"] for line in lines} == {1}
    assert lines[2]["error"] == "no such file"


def test_any_text_survives_as_ascii_and_commands_no_runner(sick):
    """Names come back as they were; a half of a surrogate pair becomes the replacement character."""
    names = ("époque", "损失", "😀", "\x1b[31m\x7f", "##[error]a\\##[b]", "[red]", '"', "\udcff")
    text = render([replace(sick, run=replace(sick.run, unknown=names))])
    assert text.isascii()
    assert "##[" not in text
    assert "\x7f" not in text
    assert strict(text)["runs"][0]["unknown_columns"] == [*names[:-1], "\ufffd"]


def test_the_same_report_gives_the_same_bytes(sick, flat):
    """So that a report under version control changes only with the run."""
    assert render([sick, flat]) == render([sick, flat])
    assert dumped({"a": 1}) == '{"a": 1}'

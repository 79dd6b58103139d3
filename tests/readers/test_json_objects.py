"""JSON objects one below the other: text between them, and one that breaks off."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Run

Write = Callable[[str], Run]
RECORDS = [
    json.dumps({"main/loss": 90.5 - 10 * k, "main/acc": 0.25 + 0.125 * k, "epoch": 1, "iteration": 200 * k}, indent=4)
    for k in range(1, 5)
]


def _values(run: Run, name: str) -> list[float]:
    return [round(float(value), 6) for value in run.series[name].values]


def test_text_between_objects_is_left_out(pasted: Write) -> None:
    run = pasted(f"{RECORDS[0]},\n{RECORDS[1]}\n\nand then this:\n\n{RECORDS[2]}\n{RECORDS[3]}\n")
    assert _values(run, "train/loss") == [80.5, 70.5, 60.5, 50.5]
    assert list(run.series["train/loss"].steps) == [200, 400, 600, 800]
    lines = run.series["train/loss"].lines
    assert lines is not None
    assert lines.tolist() == [1, 7, 16, 22]


def test_an_object_that_breaks_off_is_one_more_step(pasted: Write) -> None:
    run = pasted("\n".join(RECORDS[:3]) + '\n{\n    "main/loss": 123.5,\n    "main/acc": 0.5,\n    "epo')
    assert _values(run, "train/loss") == [80.5, 70.5, 60.5, 123.5]
    assert list(run.series["train/loss"].steps) == [200, 400, 600, 800]
    assert any("last object is incomplete" in note for note in run.notes)


def test_a_single_object_or_one_without_a_metric_is_no_log(pasted: Write) -> None:
    for text in (RECORDS[0], '{\n "name": 1\n}\n{\n "name": 2\n}\n'):
        with pytest.raises(UnreadableLog):
            pasted(text)

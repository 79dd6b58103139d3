"""Logs within documents: model cards and notebooks."""

from __future__ import annotations

import json

import pytest

import nndoctor
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source

CARD = """---
license: apache-2.0
---
# A model
It achieves the following results: Loss: 0.3

| Hyperparameter | Value |
|:---|:---|
| lr | 0.1 |
| seed | 1 |

| Training Loss | Epoch | Step | Validation Loss | Accuracy |
|:-------------:|:-----:|:----:|:---------------:|:--------:|
| No log        | 1.0   | 100  | 0.9             | 0.5      |
| 0.8           | 2.0   | 200  | 0.7             | 0.6      |
| 0.6           | 3.0   | 300  | 0.65            | 0.7      |

### Framework versions
"""


def test_a_model_card_holds_the_run():
    """The table of results is read where it stands; `No log` is no value."""
    (run,) = nndoctor.read(Source("README.md", CARD.encode()))
    assert run.series["train/loss"].values.tolist() == [0.8, 0.6]
    assert run.series["validation/loss"].steps.tolist() == [100, 200, 300]
    assert run.series["validation/loss"].lines.tolist() == [14, 15, 16]
    assert run.fact("unreadable_values") is None


def notebook(*texts):
    """A notebook whose cells printed these texts."""
    cells = [
        {"cell_type": "code", "source": ["fit()"], "outputs": [{"output_type": "stream", "text": t.splitlines(True)}]}
        for t in texts
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 2}, indent=1).encode()


LOG = "".join(f"\x1b[1mEpoch {k}/5\x1b[0m loss: {2 - k / 9:.4f} val_loss: {2.1 - k / 9:.4f}\n" for k in range(1, 6))


def test_each_cell_that_printed_a_log_is_a_run():
    """Other cells say nothing; the run is named by its cell."""
    one, other = nndoctor.read(Source("a.ipynb", notebook("hello\n", LOG, LOG)))
    assert (one.source, other.source) == ("a.ipynb:cell 2", "a.ipynb:cell 3")
    assert len(one.series["validation/loss"]) == 5


@pytest.mark.parametrize("data", [notebook("hello\n"), notebook(LOG)[:200]])
def test_a_notebook_without_a_log_is_refused(data):
    """Nothing printed, or half a file: one line."""
    with pytest.raises(UnreadableLog, match="notebook"):
        nndoctor.read(Source("a.ipynb", data))

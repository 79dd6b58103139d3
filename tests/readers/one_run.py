"""The run that every writer is made to tell of, and whether what is read is that run."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.readers.io.source import Source

N = 9
TRAIN = [round(2.0 * 0.8**k + 0.1, 4) for k in range(N)]
VALID = [round(2.1 * 0.8**k + 0.2, 4) for k in range(N)]
RIGHT = [round(0.9 - 0.7 * 0.8**k, 4) for k in range(N)]  # validation accuracy
RATE = [round(0.01 * 0.9**k, 6) for k in range(N)]
SERIES = {"train/loss": TRAIN, "validation/loss": VALID, "validation/accuracy": RIGHT, "lr": RATE}
TLA = "train/loss validation/loss validation/accuracy"
FORMS = {
    "": lambda text: text.encode(),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
}


def read_as_given(text, printed, form):
    """The series that a log tells of, read in one of the forms that files have; their values are those of the run."""
    (run,) = nndoctor.read(Source("log.txt", FORMS[form](text)))
    for name in printed.split():
        assert name in run.series, (name, list(run.series), run.unknown)
        assert run.series[name].values.tolist() == pytest.approx(SERIES[name], abs=6e-5), name
    return [run.series[name] for name in printed.split()]

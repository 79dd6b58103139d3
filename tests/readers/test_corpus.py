"""Real logs of many frameworks, where they are at hand: each is read with the right series, or refused in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.errors import NNDoctorError

ROOT = Path(os.environ.get("NNDOCTOR_CORPUS", Path(__file__).resolve().parents[3] / "shared" / "corpus"))
FILES = ROOT / "real" / "files"

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the corpus of real logs is not here (NNDOCTOR_CORPUS)")

# What the log's own text or an expert's reading of it says: series, how many points, the first and the last value.
SAID = {
    "006_": [("train/loss", 778, 7.327, 5.592), ("validation/loss", 15, 6.743, 5.318)],
    "008_": [("train/loss", 43, 7.434, 6.910)],
    "015_": [("train/loss", 100, 0.640, 0.013), ("validation/loss", 100, 0.674, 0.962)],
    "040_dvclive": [("train/loss", 16, 0.195, 0.088), ("validation/loss", 16, 0.419, 0.811)],
    "045_": [("train/loss", 15, 0.858, 0.278), ("validation/loss", 15, 0.674, 0.696)],
    "078_": [("train/loss", 150, 3.682, 0.478), ("train/accuracy", 150, 0.595, 0.783)],
    "080_": [("train/loss", 4, 0.185, 0.024), ("validation/loss", 4, 0.051, 0.030)],
    "081_": [("validation/loss", 20, 0.278, 0.120)],
    "084_": [("train/loss", 50, 1.249, 0.254), ("validation/loss", 50, 1.186, 0.317)],
    "107_": [("train/loss", 9536, 10.966, 3.340), ("validation/loss", 76, 10.969, 3.276)],
    "109_": [("train/loss", 10, 0.358, 0.0216), ("train/accuracy", 10, 0.903, 0.995)],
    "125_": [("train/loss", 95, 10.934, 7.322), ("validation/loss", 1, 10.931, 10.931)],
    "129_": [("train/loss", 262, -0.447, -0.938), ("validation/loss", 262, -0.720, -0.893)],
    "132_": [("train/loss", 101, 9.051, 3.977), ("grad_norm", 101, 5.485, 1.065)],
    "145_": [("train/loss", 12, 1.289, 0.236), ("validation/loss", 12, 0.744, 0.290)],
    "146_": [("train/loss", 100, 0.640, 0.013), ("validation/loss", 100, 0.674, 0.962)],
    "152_": [("train/loss", 35, 1.628, 0.572), ("validation/accuracy", 35, 0.599, 0.852)],
    "163_": [("train/loss", 13, 2.095, 0.891), ("validation/loss", 13, 2.345, 0.685)],
    "165_": [("train/loss", 23, 1.555, 1.267)],
}


@pytest.mark.parametrize("beginning", SAID)
def test_series_are_those_that_the_log_tells(beginning):
    """Names, counts, first and last values agree."""
    found = sorted(FILES.glob(f"{beginning}*"))
    if not found:
        pytest.skip(f"no log {beginning} in this corpus")
    (run,) = nndoctor.read(str(found[0]))
    for name, count, first, last in SAID[beginning]:
        series = run.series[name]
        assert len(series) == count
        assert series.values[[0, -1]].tolist() == pytest.approx([first, last], abs=6e-4)


def test_every_log_is_read_or_refused_in_words():
    """No log of the corpus ends in anything but runs or one line of advice."""
    for path in sorted(FILES.iterdir()):
        try:
            runs = nndoctor.read(str(path))
        except NNDoctorError as error:
            assert "\n" not in str(error), path.name  # noqa: PT017
            continue
        assert runs, path.name

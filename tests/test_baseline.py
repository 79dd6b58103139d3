"""Baselines: what is kept of good runs, and how later runs are compared with them."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import nndoctor
from nndoctor.cli.entry import run as command
from nndoctor.core.errors import UsageError
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.baseline import from_text, marked_known, to_text
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.settings import with_facts
from tests.little import trained as really_trained


def trained(seed: int, *, worse: float = 0.0, after: int = 20, floor: float = 0.3) -> Run:
    """Forty epochs of a fall with noise; from `after` on the validation loss lies higher by `worse`."""
    rng = np.random.default_rng(seed)
    x = np.arange(40.0)
    train = 2 * 0.85**x + floor + rng.normal(0, 0.01, 40)
    validation = train + 0.05 + rng.normal(0, 0.01, 40) + np.where(x >= after, worse, 0.0)
    return Run({n: Series.of(n, y) for n, y in {"train/loss": train, "validation/loss": validation}.items()})


def kept(*runs: Run):
    return from_text(to_text([diagnose(run, RULES) for run in runs]), "baseline.json")


def left(run: Run, *good: Run) -> dict[str | None, float | None]:
    """The series that leave the band, and where."""
    report = diagnose(with_facts(run, kept(*good).facts()), RULES)
    return {f.series: f.location.step for f in report.findings if f.name == "outside-baseline"}


GOOD = tuple(trained(seed) for seed in range(4))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_run_like_the_good_ones_stays_in_their_band(count):
    """Other seeds of the same training are no finding, with one good run or several."""
    assert [left(trained(seed), *GOOD[:count]) for seed in range(10, 30)] == [{}] * 20


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_curve_that_leaves_the_band_is_found_with_its_step(count):
    """The step where it left is named, and the other curve is not blamed."""
    [(series, step)] = left(trained(9, worse=0.6), *GOOD[:count]).items()
    assert series == "validation/loss"
    assert step == pytest.approx(20, abs=1)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Eight seeds of one really trained network, and one whose rate is far too low."""
    folder = tmp_path_factory.mktemp("seeds")
    paths = [really_trained(folder / f"{seed}.csv", lr=0.02, seed=seed) for seed in range(8)]
    slow = really_trained(folder / "slow.csv", lr=0.0005)
    return [nndoctor.read(str(path))[0] for path in (*paths, slow)]


@pytest.mark.parametrize("count", [1, 3])
def test_other_seeds_of_a_real_training_rarely_leave_the_band(seeds, count):
    """A band of one run is wide, one of three is as wide as seeds differ; a slow training leaves both."""
    *alike, slow = seeds
    alarms = [bool(left(alike[(k + count + 1) % 8], *(alike + alike)[k : k + count])) for k in range(8)]
    assert sum(alarms) <= 2
    assert "validation/loss" in left(slow, *alike[:count])


def test_only_the_bad_side_counts():
    """A run better than any before is no finding."""
    assert left(trained(9, worse=-0.3, floor=0.1), *GOOD) == {}


def test_known_findings_fail_nothing_and_new_ones_do():
    """What a good run has, too, becomes information that says so, and stands last."""
    bad = Run.drawn(train_loss="2.3..0.05*20", validation_loss="2.3 1.6 1.2 1.0 0.95 1..2*15")
    report = diagnose(bad, RULES)
    same = marked_known(report, kept(bad))
    assert report.primary is not None
    assert same.primary is None
    assert all(f.message.startswith("known from the baseline: ") for f in same.findings)
    assert marked_known(report, kept(GOOD[0])) is report


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"nndoctor_baseline": 1}', '{"nndoctor_baseline": 1, "runs": [3]}', "[" * 9000]
)
def test_what_is_no_baseline_is_refused_in_one_line(text):
    """Whatever the file holds."""
    with pytest.raises(UsageError, match="x is not a baseline"):
        from_text(text, "x")


def test_the_command_line_keeps_and_compares(tmp_path, monkeypatch, capsys):
    """Save, compare, require against the baseline; nothing is written over without --force."""
    monkeypatch.chdir(tmp_path)

    def start(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nndoctor", *words])
        code = command(list(words))
        expected = capsys.readouterr()
        return int(code), expected.out, expected.err

    for name, run in {"good/1.csv": GOOD[0], "good/2.csv": GOOD[1], "new.csv": trained(9, worse=0.6)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        train, validation = run.series["train/loss"].y, run.series["validation/loss"].y
        rows = "".join(f"{k},{t},{v}\n" for k, (t, v) in enumerate(zip(train, validation, strict=True)))
        (tmp_path / name).write_text("epoch,loss,val_loss\n" + rows, encoding="utf-8")
    assert start("baseline", "save", "good")[:2] == (0, "nndoctor-baseline.json: 2 runs, 0 known findings\n")
    assert start("baseline", "save", "good")[0] == 2
    code, out, _ = start("diagnose", "new.csv", "--baseline", "nndoctor-baseline.json", "-f", "json")
    assert code == 1
    [entry] = json.loads(out)["runs"]
    assert entry["primary"] == "outside-baseline"
    assert start("diagnose", "good", "--baseline", "nndoctor-baseline.json")[0] == 0
    wanted = "validation/loss last <= 1.05 * baseline"
    words = (
        "--baseline",
        "nndoctor-baseline.json",
        "--require",
        wanted,
        "--select",
        "requirement-not-met",
        "-f",
        "concise",
    )
    code, out, _ = start("diagnose", "new.csv", *words)
    assert "validation/loss last <= 1.05 * baseline is required, but the value is 0.9" in out
    assert "(required: 0.3" in out
    code, _, err = start("diagnose", "new.csv", "--baseline", "none.json")
    assert (code, err.count("\n")) == (2, 1)

"""One session judges for every entry point, so that the user's settings hold in all of them."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.session import Session
from nndoctor.diagnosis.watch import Watch
from nndoctor.pytest_plugin import assert_healthy

ROWS = "".join(f"{i},{2.3 * 0.8**i:.4f},{2.3 * 0.8 ** min(i, 8) + 0.05 * max(i - 8, 0):.4f}\n" for i in range(30))
IGNORE = '[ignore]\novertraining = "we keep the best checkpoint"\nhigh-variance = "expected"\n'


@pytest.fixture
def log(tmp_path, monkeypatch):
    """An overfitting run beside a settings file that ignores overfitting."""
    (tmp_path / "run.csv").write_text("epoch,loss,val_loss\n" + ROWS, encoding="utf-8")
    (tmp_path / "nndoctor.toml").write_text(IGNORE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run.csv"


def names(report):
    """The findings' names."""
    return {finding.name for finding in report.findings}


def test_python_follows_the_settings_next_to_the_log(log):
    """As the command line does."""
    assert "overtraining" not in names(nndoctor.diagnose(log))


def test_isolated_python_ignores_settings_files(log):
    """`isolated=True` is --isolated."""
    assert "overtraining" in names(nndoctor.diagnose(log, isolated=True))


def test_assert_healthy_follows_the_settings_next_to_the_log(log):
    """What the settings ignore fails no test."""
    assert_healthy(log)
    with pytest.raises(AssertionError, match="overtraining"):
        assert_healthy(log, isolated=True)


def test_watch_follows_the_settings_next_to_the_log(log):
    """A growing log is judged by the same session."""
    watch = Watch([str(log)])
    watch.poll()
    assert [names(report) & {"overtraining"} for report in watch.all()] == [set()]


@pytest.mark.usefixtures("log")
def test_data_in_memory_is_judged_by_the_settings_of_the_current_folder():
    """A dict of lists has no folder of its own."""
    rows = [line.split(",") for line in ROWS.split()]
    table = {name: [float(row[i]) for row in rows] for i, name in enumerate(("epoch", "loss", "val_loss"))}
    assert "overtraining" not in names(nndoctor.diagnose(table))


def test_live_training_is_judged_by_the_selected_rules():
    """With only too-little-data selected, a NaN stops no training."""
    pytest.importorskip("torch")
    from nndoctor.training.live import LiveJudge

    live = LiveJudge(Session(SessionOptions(select=("too-little-data",))).judge)
    run = Run({"train/loss": Series.of("train/loss", [1.0] * 40 + [float("nan")] * 5)})
    assert not names(live.judge(run))


def test_require_and_baseline_hold_in_python(log):
    """A requirement that is not met is a finding, as with --require."""
    assert "requirement-not-met" in names(nndoctor.diagnose(log, require=["validation/loss best <= 0.01"]))

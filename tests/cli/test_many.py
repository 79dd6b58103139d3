"""Many logs at once: found, judged by several processes, told in a table."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from rich.cells import cell_len

from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.run_diagnose import carry_out
from nndoctor.core.errors import NNDoctorError
from nndoctor.core.order import SortBy
from nndoctor.diagnosis import batch as judging
from nndoctor.diagnosis import workers
from nndoctor.diagnosis.batch import judge_all
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.result import Detail
from nndoctor.diagnosis.workers import Engine
from nndoctor.readers.io.source import Source

HEADER = "epoch,loss,val_loss\n"


def log(flat: bool = False, epochs: int = 30) -> str:
    """A run that falls, or one that does not."""
    rows = (
        f"{k},{2.3 if flat else 2 / (k + 1) + 0.1:.4f},{2.3 if flat else 2 / (k + 1) + 0.12:.4f}" for k in range(epochs)
    )
    return HEADER + "\n".join(rows) + "\n"


def killed(_: Source) -> None:
    """What a process that ran out of memory does."""
    os._exit(9)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Eight runs, one of them flat, and files that are no logs."""
    for k in range(8):
        path = tmp_path / f"runs/{k}/metrics.csv"
        path.parent.mkdir(parents=True)
        path.write_text(log(flat=k == 3, epochs=30 + k))
    (tmp_path / "runs/people.csv").write_text("name,city\nAnn,Rome\nBob,Oslo\n")
    (tmp_path / "runs/trials.csv").write_text(
        "trial,lr,dropout,best_loss\n0,0.1,0.2,0.5\n1,0.2,0.3,0.4\n2,0.3,0.1,0.3\n"
    )
    (tmp_path / "runs/config.json").write_text('{"batch": [1, 2]}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(request: DiagnoseRequest, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code and what was printed."""
    code = carry_out(request)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("width", [80, 140])
def test_many_runs_are_a_table_the_worst_first(capsys, monkeypatch, width):
    """One line a run, the findings counted, and how to see one in full; no line is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = judged(DiagnoseRequest(["runs"]), capsys)
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "8 runs in runs"
    assert lines[3] == "best and last: validation loss"
    assert lines[4].split() == ["run", "finding", "best", "last"]
    assert "no-weight-changes" in lines[5]
    assert lines[5].startswith("3/metrics.csv")
    assert "1 × NN311 no-weight-changes" in out
    assert lines[-1] == "One run: nndoctor diagnose runs/3/metrics.csv; all in full: -v"
    assert max(map(cell_len, lines)) <= width


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("by", "first"), [("name", "0/metrics.csv"), ("last", "7/metrics.csv"), ("best", "7/metrics.csv")]
)
def test_the_table_is_sorted_by_a_column(by, first, capsys):
    """--sort puts the lowest value, or the first name, at the top."""
    lines = judged(DiagnoseRequest(["runs"], sort=SortBy(by)), capsys)[1].splitlines()
    assert lines[5].startswith(first)


def test_runs_that_tie_are_in_the_order_of_their_numbers(tmp_path, monkeypatch, capsys):
    """The tenth run of a log comes after the ninth."""
    monkeypatch.chdir(tmp_path)
    epochs = "".join(
        f"Epoch {k}/20, train loss: {2 / k + 0.1:.4f}, val loss: {2 / k + 0.2:.4f}\n" for k in range(1, 21)
    )
    Path("runs.log").write_text(epochs * 11, encoding="utf-8")
    lines = judged(DiagnoseRequest(["runs.log"], sort=SortBy.name), capsys)[1].splitlines()
    named = [line.split()[0] for line in lines if line.startswith("runs.log#")]
    assert named[:11] == [f"runs.log#{k}" for k in range(1, 12)]


@pytest.mark.usefixtures("folder")
def test_all_pages_on_demand(capsys):
    """--full shows every run's page."""
    assert judged(DiagnoseRequest(["runs"], full=True), capsys)[1].count("epoch  0") == 8


@pytest.mark.usefixtures("folder")
def test_what_is_no_log_in_a_folder_is_a_note(capsys):
    """It is named on standard error and changes no exit code; the same file named by the user is an error."""
    code, _, err = judged(DiagnoseRequest(["runs"], exit_zero=True), capsys)
    assert code == 0
    assert "that are not run logs" in err
    assert "people.csv" in err
    assert "trials.csv" in err
    assert "2 files" in err
    assert judged(DiagnoseRequest(["runs", "runs/trials.csv"]), capsys)[0] == 2


def test_a_folder_of_nothing_but_other_tables_is_an_error(folder, capsys):
    """Nothing unread is called clean."""
    other = folder / "other"
    other.mkdir()
    (other / "trials.csv").write_text((folder / "runs/trials.csv").read_text())
    code, out, err = judged(DiagnoseRequest(["other"]), capsys)
    assert (code, out) == (2, "")
    assert "a table of trials" in err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", [OutputFormat.json, OutputFormat.concise, OutputFormat.terminal])
def test_the_same_bytes_by_however_many_processes(capsys, kind):
    """One process or two: the same output."""
    one = judged(DiagnoseRequest(["runs"], format=kind, jobs=1), capsys)
    assert judged(DiagnoseRequest(["runs"], format=kind, jobs=2), capsys) == one


@pytest.mark.usefixtures("folder")
def test_a_run_that_is_kept_slim_shows_the_same(capsys):
    """What is reported of a long run does not depend on how much of it is kept."""
    long = HEADER + "".join(f"{k},{2 / (k + 1) + 0.01 * (k % 7):.5f},{2 / (k + 1) + 0.2:.5f}\n" for k in range(3000))
    for k in range(6):
        Path(f"long{k}.csv").write_text(long, encoding="utf-8")
    whole = json.loads(judged(DiagnoseRequest(["long0.csv"], format=OutputFormat.json), capsys)[1])["runs"][0]
    slim = json.loads(judged(DiagnoseRequest([f"long{k}.csv" for k in range(6)], format=OutputFormat.json), capsys)[1])[
        "runs"
    ][0]
    assert slim == whole


@pytest.mark.usefixtures("folder")
def test_kept_runs_are_small():
    """However long a log, what stays of it among many are the points that draw it."""
    outcome = judging.judge_log(Source("runs/1/metrics.csv"), SessionOptions(), Detail(points=False))
    assert all(len(s) <= judging.DRAWN_POINTS for s in outcome.reports[0].run.series.values())


def test_processes_are_copies_only_of_one_thread():
    """What another thread holds at that moment would be held in the copy for ever."""
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    try:
        assert workers._start_method() == "spawn"
    finally:
        waiting.set()
        thread.join()


def test_a_killed_process_is_reported_in_one_line(monkeypatch):
    """Not a traceback of the pool."""
    monkeypatch.setattr(judging, "partial", lambda *_, **__: killed)  # what each process does with its logs
    monkeypatch.setattr(workers, "MAX_TRIES", 1)
    with pytest.raises(NNDoctorError, match="--jobs 1"):
        list(judge_all([Source("a.csv")] * 2, SessionOptions(), Engine(jobs=2)))


def test_processes_are_as_many_as_the_work_is_worth(monkeypatch):
    """None for a few logs, no more than cores."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert [workers.default_jobs(n) for n in (1, 99, 250, 100_000)] == [1, 1, 2, 4]

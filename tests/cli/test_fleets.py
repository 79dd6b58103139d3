"""Many runs: where they are judged, what is kept of an earlier look, and their table."""

from __future__ import annotations

import csv
import io
import json
import os
from functools import partial
from pathlib import Path

import pytest

from nndoctor.cli import run_report
from nndoctor.cli.output_formats import OutputFormat
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.cli.run_diagnose import carry_out
from nndoctor.core.errors import NNDoctorError, UsageError
from nndoctor.diagnosis import batch, cache, clusters, workers
from nndoctor.diagnosis.batch import judge_log
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.result import Detail
from nndoctor.diagnosis.stored import from_text, to_text
from nndoctor.diagnosis.workers import Engine, map_items
from nndoctor.readers.io.source import Source
from nndoctor.reporters.json import render
from nndoctor.settings import files

SAMPLES = sorted((Path(__file__).parents[2] / "sample_runs").glob("*/*.csv"))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Eight runs, one of them flat, that were written an hour ago; an empty cache."""
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    for k in range(8):
        write(tmp_path / f"runs/lr=0.{k + 1}/metrics.csv", flat=k == 3, floor=0.1 * k)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def write(path: Path, *, flat: bool = False, floor: float = 0.0, epochs: int = 30, ago: float = 3600) -> None:
    falling = (2.3 if flat else 2 / (k + 1) + floor for k in range(epochs))
    rows = (f"{k},{loss:.4f},{loss if flat else loss + 0.02:.4f}\n" for k, loss in enumerate(falling))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("epoch,loss,val_loss\n" + "".join(rows), encoding="utf-8")
    when = path.stat().st_mtime - ago
    os.utime(path, (when, when))


def judged(capsys: pytest.CaptureFixture[str], **asked) -> tuple[int, str, str]:
    code = carry_out(DiagnoseRequest(["runs"], format=asked.pop("format", OutputFormat.json), **asked))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def table() -> list[dict[str, str]]:
    """The rows of the table that was written."""
    return list(csv.DictReader(io.StringIO(Path("fleet.csv").read_text(encoding="utf-8"))))


@pytest.fixture
def read(monkeypatch):
    """The paths of the logs that are read, in order."""
    seen: list[str] = []

    def spied(source: Source, options: SessionOptions, detail: Detail):
        seen.append(source.path)
        return judge_log(source, options, detail)

    monkeypatch.setattr(batch, "judge_log", spied)
    return seen


@pytest.mark.usefixtures("runs")
def test_a_second_look_reads_nothing_and_says_the_same(capsys, read):
    """Whatever the format, which are made from the same reports."""
    first = judged(capsys, cache=True)
    assert len(read) == 8
    assert judged(capsys, cache=True) == first
    assert len(read) == 8
    assert judged(capsys, cache=True, format=OutputFormat.terminal) == judged(capsys, format=OutputFormat.terminal)


def test_only_what_changed_is_read_again(runs, capsys, read):
    """A log that went on, and one that is new."""
    judged(capsys, cache=True)
    read.clear()
    write(runs / "lr=0.2/metrics.csv", epochs=40)
    write(runs / "new/metrics.csv")
    second = judged(capsys, cache=True)
    assert sorted(read) == ["runs/lr=0.2/metrics.csv", "runs/new/metrics.csv"]
    assert second == judged(capsys)


@pytest.mark.usefixtures("runs")
def test_other_settings_are_another_judgement(capsys, read):
    """What was judged by some rules says nothing of others."""
    judged(capsys, cache=True)
    assert judged(capsys, cache=True, select=["NN1"]) == judged(capsys, select=["NN1"])
    assert len(read) == 24


def test_settings_of_a_file_are_looked_at(runs, capsys, read):
    """A settings file that changes between two looks changes what is said."""
    judged(capsys, cache=True)
    (runs / "nndoctor.toml").write_text('[ignore]\nno-weight-changes = "a baseline"\n', encoding="utf-8")
    files._upward.cache_clear()  # as in another process
    assert judged(capsys, cache=True) == judged(capsys)
    assert len(read) == 24


def test_settings_next_to_a_log_are_looked_at(runs, capsys, read):
    """The file that a framework writes beside its log changes, and the log does not."""
    judged(capsys, cache=True)
    read.clear()
    (runs / "lr=0.2/hparams.yaml").write_text("optimizer: SGD\n", encoding="utf-8")
    assert judged(capsys, cache=True) == judged(capsys)
    assert read.count("runs/lr=0.2/metrics.csv") == 2
    assert len(read) == 9


def test_a_log_that_has_just_changed_is_not_kept(runs, capsys, read):
    """It may change again within one tick of the clock."""
    write(runs / "lr=0.1/metrics.csv", ago=-60)
    judged(capsys, cache=True)
    judged(capsys, cache=True)
    assert len(read) == 9


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("damage", [b"", b"no database" * 500, None])
def test_a_damaged_cache_costs_nothing_but_time(capsys, read, damage):
    """Its file is empty, or something else, or damaged inside: the logs are read, and the next look is quick again."""
    whole = judged(capsys, cache=True)
    file = cache.cache_folder() / "results.sqlite"
    data = file.read_bytes()
    file.write_bytes(data[:5000] + b"\xff" * (len(data) - 5000) if damage is None else damage)
    assert judged(capsys, cache=True) == whole
    assert judged(capsys, cache=True) == whole
    read.clear()
    assert judged(capsys, cache=True) == whole
    assert read == []


@pytest.mark.usefixtures("runs")
def test_a_cache_that_cannot_be_written_is_none(capsys, monkeypatch, tmp_path):
    """Where its folder is a file, say."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "file"))
    assert judged(capsys, cache=True) == judged(capsys)


@pytest.mark.parametrize("sample", SAMPLES[::4], ids=lambda path: path.parent.name)
def test_stored_reports_come_back_to_the_bit(sample):
    """All that is rendered of a report, and its curves."""
    reports = judge_log(Source(str(sample)), SessionOptions()).reports
    again = from_text(to_text(reports))
    assert render(again) == render(reports)
    assert to_text(again) == to_text(reports)
    for one, other in zip(reports, again, strict=True):
        assert all((other.run.series[name].y == s.y).all() for name, s in one.run.series.items())


@pytest.mark.parametrize("text", ["", "[]", '["tuple", 1]', '["os.system", "ls"]', '["Report"]', '["array", "|O", ""]'])
def test_what_is_no_report_is_refused(text):
    """Nothing but the classes of a report is made from a text."""
    with pytest.raises(ValueError, match=r"."):
        from_text(text)


@pytest.mark.usefixtures("runs")
def test_a_table_holds_a_row_a_run(capsys):
    """Settings, losses, findings, prognosis and measurements, and the exit code as ever."""
    assert judged(capsys, format=OutputFormat.terminal, output="fleet.csv")[:2] == (1, "")
    rows = {row["source"]: row for row in table()}
    expected = json.loads(judged(capsys)[1])["runs"]
    assert list(rows) == [run["source"] for run in expected]
    for run in expected:
        row = rows[run["source"]]
        assert row["findings"].split() == [finding["name"] for finding in run["findings"]]
        assert row["finding"] == (run["primary"] or "")
        assert row["settings"].startswith('{"lr": 0.')
        assert float(row["lr"]) == json.loads(row["settings"])["lr"]
        assert float(row["train_level_0"]) == pytest.approx(run["measurements"]["train_level_0"], rel=1e-5)
        for change in run["prognosis"]:
            assert float(row[f"helps:{change['change']}"]) == pytest.approx(change["helps"], rel=1e-5)


@pytest.mark.usefixtures("runs")
def test_a_table_in_parquet_is_the_same(capsys):
    """Columns are of one type, whatever the first run lacks."""
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("fleet.csv", "fleet.parquet"):
        judged(capsys, format=OutputFormat.terminal, output=name, cache=True)
    rows = parquet.read_table("fleet.parquet").to_pylist()
    for row, spelled in zip(rows, table(), strict=True):
        for name, text in spelled.items():
            value = row[name]
            assert ("" if value is None else value if isinstance(value, str) else f"{value:.7g}") == text


def test_a_run_that_is_logged_twice_has_one_row(runs, capsys):
    """As in every other report."""
    log = (runs / "lr=0.1/metrics.csv").read_text(encoding="utf-8").splitlines()[1:]
    lines = (dict(zip(("epoch", "loss", "val_loss"), map(float, row.split(",")), strict=True)) for row in log)
    (runs / "lr=0.1/log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    judged(capsys, format=OutputFormat.terminal, output="fleet.csv")
    rows = table()
    assert [row["source"] for row in rows] == [run["source"] for run in json.loads(judged(capsys)[1])["runs"]]
    assert len(rows) == 8


@pytest.mark.usefixtures("runs")
def test_a_table_that_fails_leaves_nothing(capsys, monkeypatch):
    """Neither half a table nor the file beside it."""
    monkeypatch.setattr("nndoctor.reporters.fleet.row", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judged(capsys, format=OutputFormat.terminal, output="fleet.csv")
    assert sorted(path.name for path in Path().iterdir()) == ["runs"]


def test_many_runs_are_reported_by_the_page(runs, capsys, monkeypatch):
    """The worst runs on the first page, each on one; every page links all others."""
    monkeypatch.setattr(run_report, "PAGE", 3)
    request = run_report.ReportRequest(["runs"], "report.html", SessionOptions(), Engine(), cache=True)
    assert run_report.carry_out(request) == 0
    names = capsys.readouterr().out.split()
    assert names == ["report.html", "report-2.html", "report-3.html"]
    pages = [Path(name).read_text(encoding="utf-8") for name in names]
    for k, page in enumerate(pages):
        assert f"8 runs, page {k + 1} of 3" in page
        assert {name for name in names if f'href="{name}"' in page} == {*names} - {names[k]}
    assert "no-weight-changes" in pages[0]
    shown = [path.parent.name for page in pages for path in sorted(runs.iterdir()) if f"<code>runs/{path.name}" in page]
    assert len(shown) == 8
    with pytest.raises(UsageError, match=r"report\.html exists"):
        run_report.carry_out(request)


@pytest.mark.parametrize("text", ["dask", "dask:", "local:4", "spark", "ray2"])
def test_an_engine_that_is_none_is_refused(text):
    """With what is expected."""
    with pytest.raises(UsageError, match=r"--engine .*expected local, dask:ADDRESS"):
        Engine.of(text)


def test_what_was_lost_with_a_worker_is_done_again():
    """From the first result that is missing on, in order, each once."""
    tasks = [workers._Task(abs, range(k, k + 4)) for k in range(0, 20, 4)]
    given: list[int] = []

    def start(left):
        given.append(len(left))
        for k, task in enumerate(left):
            if len(given) < 3 and k == 2:
                raise workers.WorkersLost("killed")
            yield task()

    assert list(workers._all(tasks, start, start(tasks))) == list(range(20))
    assert given == [5, 3, 1]


def test_an_exception_of_the_work_is_raised():
    """Where its result is awaited, by whatever process it was done."""
    with pytest.raises(ZeroDivisionError):
        list(map_items(partial(divmod, 1), [1, 2, 0, 3], Engine(jobs=2)))


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ({}, "has no workers"),
        ({"w1": clusters.describe_worker(["/nowhere/a.csv"], Engine().packages)}, "w1 does not see /nowhere/a.csv"),
        (
            {"w1": clusters.WorkerState({**clusters.describe_worker(()).versions, "nndoctor": "0.0.1"}, ())},
            "w1 has nndoctor 0.0.1, this",
        ),
    ],
)
def test_workers_that_cannot_do_the_work_are_named(seen, message):
    """In one line, with what to do."""
    with pytest.raises(NNDoctorError, match=message):
        clusters._check(seen, Engine("dask", "tcp://host:8786"))

"""--report: several files beside what is printed, the step's summary, and gates over many logs."""

from __future__ import annotations

import json

import pytest


def test_reports_are_written_next_to_what_is_printed(nndoctor, logs):
    """Each file in its format, and the printed one as ever."""
    done = nndoctor("diagnose", "nan.csv", "-f", "concise", "--report", "sarif=o.sarif", "--report", "junit=o.xml")
    assert done.code == 1
    assert "NN301" in done.out
    assert json.loads((logs / "o.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "NN301"
    assert (logs / "o.xml").read_text().startswith("<?xml")


@pytest.mark.parametrize("form", ["json", "jsonl", "gitlab", "junit", "sarif", "markdown"])
@pytest.mark.parametrize("log", ["nan.csv", "good.csv"])
def test_a_report_of_an_earlier_run_is_replaced(nndoctor, logs, form, log):
    """A runner that is used again needs no --force."""
    first = nndoctor("diagnose", log, "--report", f"{form}=o.x")
    second = nndoctor("diagnose", "good.csv", "--report", f"{form}=o.x")
    assert (first.code, second.code) == (int(log == "nan.csv"), 0)
    assert "nan.csv" not in (logs / "o.x").read_text()


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("sarif=mine.txt", "--force"),
        ("junit=good.csv", "one of the logs"),
        ("sarif=no/where.sarif", "does not exist"),
        ("serif=o.sarif", "expected FORMAT=FILE"),
        ("sarif", "expected FORMAT=FILE"),
        ("sarif=", "expected FORMAT=FILE"),
    ],
)
def test_nothing_else_is_written_over(nndoctor, logs, report, message):
    """One line that begins with the option, and no file is touched."""
    (logs / "mine.txt").write_text("mine")
    before = (logs / "good.csv").read_text()
    done = nndoctor("diagnose", "good.csv", "--report", report)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        f"nndoctor: --report {report.split('=')[-1] if '=' in report and message[0] != 'e' else ''}"
    )
    assert message in done.err
    assert done.err.count("\n") == 1
    assert (logs / "mine.txt").read_text() == "mine"
    assert (logs / "good.csv").read_text() == before


def test_two_reports_never_share_a_file(nndoctor):
    """One would lose the other."""
    done = nndoctor("diagnose", "good.csv", "--report", "sarif=o", "--report", "junit=./o")
    assert done.code == 2
    assert "twice" in done.err


def test_github_gets_a_summary_of_the_step(nndoctor, logs, monkeypatch):
    """Appended, as the variable asks; only for this format."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(logs / "summary.md"))
    (logs / "summary.md").write_text("before\n")
    assert nndoctor("diagnose", "good.csv", "-f", "json").code == 0
    assert (logs / "summary.md").read_text() == "before\n"
    assert nndoctor("diagnose", "nan.csv", "-f", "github").code == 1
    text = (logs / "summary.md").read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- nndoctor -->\n")
    assert "NN301" in text


def test_places_begin_at_the_repository(nndoctor, logs, monkeypatch):
    """A job that works in a folder of it still names files as the repository does."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(logs.parent))
    assert f"file={logs.name}/nan.csv," in nndoctor("diagnose", "nan.csv", "-f", "github").out


def test_concise_says_on_standard_error_that_all_is_well(nndoctor):
    """Standard output stays empty for programs."""
    done = nndoctor("diagnose", "good.csv", "-f", "concise")
    assert (done.code, done.out, done.err) == (0, "", "nndoctor: no problems found in 1 run\n")


def test_two_hundred_logs_of_which_three_are_broken(nndoctor, logs):
    """All findings come, each broken log is named, the code is 2, and a second call gives the same bytes."""
    folder = logs / "many"
    folder.mkdir()
    sick = (logs / "nan.csv").read_text()
    for k in range(200):
        (folder / f"{k:03d}.csv").write_text("" if k % 70 == 5 else sick)
    words = ["diagnose", *(f"many/{k:03d}.csv" for k in range(200)), "-f", "concise"]
    first = nndoctor(*words)
    assert first.code == 2
    assert first.out.count("NN301") == 197
    assert sum("is empty" in line for line in first.err.splitlines()) == 3
    assert nndoctor(*words) == first

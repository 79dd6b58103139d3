"""What the options do."""

from __future__ import annotations

import io
import json
import sys

import pytest

from nndoctor._version import __version__


def names(done) -> set[str]:
    """The names of all findings of a JSON report."""
    return {f["name"] for run in json.loads(done.out)["runs"] for f in run["findings"]}


def test_the_page_begins_with_the_diagnosis(nndoctor):
    """The file, then the sentence."""
    lines = nndoctor("diagnose", "risen.csv").out.splitlines()
    assert lines[0].startswith("risen.csv")
    assert lines[1].startswith("Overtraining: ")


def test_the_bare_command_prints_what_the_parsed_one_prints(nndoctor):
    """The way round the parser is only faster."""
    assert nndoctor("diagnose", "risen.csv", "nan.csv") == nndoctor(
        "diagnose", "risen.csv", "nan.csv", "--format", "terminal"
    )


def test_a_folder_and_a_glob_mean_their_logs_each_once(nndoctor):
    """The same file named three times is one run."""
    done = nndoctor("diagnose", ".", "*.csv", "good.csv", "-f", "jsonl")
    sources = [json.loads(line)["source"] for line in done.out.splitlines()]
    assert sorted(s for s in sources if "good" in s) in (["good.csv"], ["./good.csv"])


def test_standard_input_is_a_log(nndoctor, logs, monkeypatch):
    """`cat run.csv | nndoctor diagnose -`."""
    data = (logs / "nan.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    done = nndoctor("diagnose", "-", "-f", "concise")
    assert done.code == 1
    assert done.out.startswith("-:")


def test_select_and_ignore_choose_the_rules(nndoctor):
    """By code, name and beginning of a code, with commas."""
    assert "overtraining" in names(nndoctor("diagnose", "risen.csv", "-f", "json", "--select", "NN1,nan-loss"))
    assert names(nndoctor("diagnose", "risen.csv", "-f", "json", "--select", "NN3")) == set()
    assert "overtraining" not in names(nndoctor("diagnose", "risen.csv", "-f", "json", "--ignore", "nn103"))
    (run,) = json.loads(nndoctor("diagnose", "good.csv", "-f", "json", "--select", "NN102,nan-loss").out)["runs"]
    assert run["cleared"] == ["NN102", "NN301"]


def test_a_map_names_a_column(nndoctor, logs):
    """A name that cannot be guessed is given."""
    text = (logs / "nan.csv").read_text(encoding="utf-8").replace("train_loss", "zorp")
    (logs / "odd.csv").write_text(text, encoding="utf-8")
    done = nndoctor("diagnose", "odd.csv", "-f", "json", "--map", "zorp=train/loss")
    columns = {s["name"]: s["column"] for s in json.loads(done.out)["runs"][0]["series"]}
    assert columns["train/loss"] == "zorp"


def test_a_map_that_one_of_several_logs_lacks_stops_no_other(nndoctor, logs):
    """It is told, and the others are diagnosed."""
    text = (logs / "nan.csv").read_text(encoding="utf-8").replace("train_loss", "zorp")
    (logs / "odd.csv").write_text(text, encoding="utf-8")
    done = nndoctor("diagnose", "odd.csv", "good.csv", "-f", "jsonl", "--map", "zorp=train/loss")
    assert done.code == 2
    assert "no column 'zorp'" in done.err
    assert json.loads(done.out.splitlines()[0])["source"] == "odd.csv"


@pytest.mark.parametrize("words", [["--target-error", "40%"], ["--target", "0.4"]])
def test_a_target_error_moves_what_high_bias_is_measured_from(nndoctor, logs, words):
    """A task that nobody can do better at has no bias."""
    rows = "epoch,train_error,val_error,loss,val_loss\n" + "".join(
        f"{k},{0.35 + 0.5 * 0.7**k:.4f},{0.36 + 0.5 * 0.7**k:.4f},{1 + 0.7**k:.4f},{1.02 + 0.7**k:.4f}\n"
        for k in range(60)
    )
    (logs / "biased.csv").write_text(rows, encoding="utf-8")
    assert "high-bias" in names(nndoctor("diagnose", "biased.csv", "-f", "json"))
    assert "high-bias" not in names(nndoctor("diagnose", "biased.csv", "-f", "json", *words))


def test_quiet_prints_nothing_for_a_healthy_run(nndoctor):
    """And only what is wrong for another."""
    assert nndoctor("diagnose", "-q", "good.csv").out == ""
    assert "Try" not in nndoctor("diagnose", "-q", "risen.csv").out


@pytest.mark.parametrize(
    ("asked", "colored"),
    [
        (([], {}), False),
        ((["--color", "always"], {}), True),
        ((["--color", "always"], {"NO_COLOR": "1"}), True),
        (([], {"FORCE_COLOR": "1"}), True),
        (([], {"FORCE_COLOR": "0"}), False),
        (([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}), False),
        ((["--color", "never"], {"FORCE_COLOR": "1"}), False),
        ((["--no-color"], {"FORCE_COLOR": "1"}), False),
    ],
)
@pytest.mark.parametrize("command", [["diagnose", "nan.csv"], ["explain", "NN301"], ["rules"]])
def test_colour_is_asked_for_or_guessed(nndoctor, monkeypatch, command, asked, colored):
    """The option first, then NO_COLOR, then FORCE_COLOR, then whether anybody looks."""
    words, settings = asked
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in nndoctor(*command, *words).out) == colored


@pytest.mark.parametrize(("columns", "wide"), [("60", 60), ("80", 80), ("140", 120)])
def test_the_page_is_as_wide_as_the_terminal_up_to_what_reads_well(nndoctor, monkeypatch, columns, wide):
    """COLUMNS is heeded."""
    monkeypatch.setenv("COLUMNS", columns)
    widths = [len(line) for line in nndoctor("diagnose", "nan.csv").out.splitlines()]
    assert wide - 20 < max(widths) <= wide


def test_the_version_is_reported(nndoctor, process):
    """With and without the parser."""
    printed = nndoctor("--version").out.splitlines()
    assert printed[0] == f"nndoctor {__version__}"
    assert printed[1].startswith("Python 3.")
    assert "numpy " in printed[1]
    assert process("--version").communicate()[0].decode().splitlines() == printed


def test_rules_and_explain_speak_of_the_same_rules(nndoctor):
    """By code and by name."""
    (rule, *_) = [r for r in json.loads(nndoctor("rules", "-f", "json").out) if r["code"] == "NN102"]
    assert rule["name"] == "high-variance"
    page = nndoctor("explain", "NN102").out
    assert page == nndoctor("explain", "high-variance").out
    assert page.startswith("NN102 high-variance")

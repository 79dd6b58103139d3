"""0 nothing, 1 findings, 2 something could not be read or judged: scripts depend on it."""

from __future__ import annotations

import pytest

from nndoctor.diagnosis import engine


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["good.csv"], 0),
        (["risen.csv"], 0),
        (["nan.csv"], 1),
        (["good.csv", "nan.csv"], 1),
        (["risen.csv", "--fail-on", "warning"], 1),
        (["good.csv", "--fail-on", "warning"], 0),
        (["nan.csv", "--fail-on", "never"], 0),
        (["nan.csv", "--exit-zero"], 0),
        (["nan.csv", "--ignore", "NN3"], 0),
    ],
)
def test_findings_at_or_above_the_limit_end_with_1(nndoctor, words, code):
    """Errors count by default; --fail-on moves the limit, --exit-zero takes it away."""
    assert nndoctor("diagnose", *words).code == code


@pytest.mark.parametrize("words", [["nan.csv", "broken.csv"], ["missing.csv", "nan.csv"], ["nan.csv", "*.none"]])
def test_one_unreadable_log_stops_no_other_and_ends_with_2(nndoctor, words):
    """The findings are printed, the trouble is told on standard error."""
    done = nndoctor("diagnose", *words, "-f", "concise")
    assert done.code == 2
    assert "NN301 error nan-loss" in done.out
    assert done.err.count("\n") == 1
    assert done.err.startswith("nndoctor: ")


@pytest.mark.parametrize("option", ["--exit-zero", "--quiet", "--fail-on=never"])
def test_no_option_hides_that_a_log_could_not_be_read(nndoctor, option):
    """What was not read is never called clean."""
    assert nndoctor("diagnose", "good.csv", "broken.csv", option).code == 2


@pytest.mark.parametrize(
    "words", [["short.csv"], ["good.csv", "--select", "NN306"], ["good.csv", "short.csv"], ["short.csv", "-q", "-e"]]
)
def test_a_log_that_could_not_be_judged_ends_with_2(nndoctor, words):
    """Too little data, or no rule that had what it needs: the reason is said, and it is no success."""
    done = nndoctor("diagnose", *words, "-f", "concise")
    assert done.code == 2
    assert "cannot be judged" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["diagnose", "good.csv", "--select", "high-varience"], "did you mean 'high-variance'"),
        (["diagnose", "good.csv", "--ignore", "ALL"], "no rule is left"),
        (["diagnose", "good.csv", "--map", "nope=train/loss"], "no column 'nope'"),
        (["diagnose", "good.csv", "--target-error", "500%"], "--target-error"),
        (["diagnose", "good.csv", "--target", "0.95"], "for as much accuracy give 0.05"),
        (["explain", "NN999"], "no rule 'NN999'"),
        (["diagnose", "*.none"], "no file matches"),
    ],
)
def test_a_command_used_wrongly_ends_with_2_and_one_line(nndoctor, words, message):
    """What was found and what was wanted, without a traceback."""
    done = nndoctor(*words)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


@pytest.mark.parametrize("words", [["diagnose"], ["diagnose", "good.csv", "--nonsense"], ["nonsense"]])
def test_what_the_parser_refuses_ends_with_2(nndoctor, words):
    """As every command line does."""
    assert nndoctor(*words).code == 2


@pytest.mark.parametrize("form", ["terminal", "json"])
def test_a_defect_met_on_one_log_is_one_line_and_loses_no_other_report(nndoctor, monkeypatch, form):
    """The exit code is 2, not 1, which means findings; the line says where, for the report."""
    diagnose = engine.diagnose

    def broken_on_good(run, *words, **options):
        if run.path == "good.csv":
            raise ZeroDivisionError("division by zero")
        return diagnose(run, *words, **options)

    monkeypatch.setattr(engine, "diagnose", broken_on_good)
    done = nndoctor("diagnose", "good.csv", "nan.csv", "-f", form)
    assert done.code == 2
    assert "nan-loss" in done.out
    assert "good.csv: nndoctor failed on this log (ZeroDivisionError at test_exit_codes.py" in done.err


def test_a_log_that_cannot_be_opened_stops_no_other(nndoctor, monkeypatch):
    """Trouble with the disk is trouble with one log."""
    from nndoctor import readers

    read = readers.read

    def failing(source, **words):
        if source.path == "good.csv":
            raise PermissionError(13, "Permission denied")
        return read(source, **words)

    monkeypatch.setattr(readers, "read", failing)
    done = nndoctor("diagnose", "good.csv", "nan.csv", "-f", "concise")
    assert done.code == 2
    assert "NN301" in done.out
    assert done.err == "nndoctor: good.csv cannot be read: Permission denied\n"


@pytest.mark.parametrize("options", [[], ["-f", "json"]])
def test_ctrl_c_ends_with_130(nndoctor, monkeypatch, options):
    """With and without the parser, and without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "diagnose", interrupted)
    done = nndoctor("diagnose", "good.csv", *options)
    assert done.code == 130
    assert "Traceback" not in done.err

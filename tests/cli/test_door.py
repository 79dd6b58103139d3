"""What a user types wrongly is answered in one line, with what was meant."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["good.csv"], "good.csv is no command; did you mean: nndoctor diagnose good.csv"),
        (["no file.csv", "-q"], "did you mean: nndoctor diagnose 'no file.csv' -q"),
        (["diagnos", "good.csv"], "did you mean diagnose?"),
        (["xyzzy"], "wanted one of diagnose, "),
        (["diagnose", "good.csv", "--format", "xml"], "'xml' is not one of 'terminal', "),
        (["diagnose", "good.csv", "--qiet"], "--quiet"),
        (["diagnose", "-q"], "nndoctor diagnose --help"),
        (["\x1b[31m::error::x.csv"], "is no command"),
    ],
)
def test_one_line_says_what_was_meant(nndoctor, words, said):
    """Exit code 2, nothing on standard output."""
    done = nndoctor(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "Value error" not in done.err
    assert "\x1b" not in done.err
    assert "::error" not in done.err


def test_no_word_at_all_shows_the_help(nndoctor):
    """And is no success, for a script that lost its words."""
    done = nndoctor()
    assert done.code == 2
    assert "diagnose" in done.out


def test_the_help_begins_with_what_a_newcomer_needs(nndoctor):
    """Diagnose comes first, in a panel that says what it is for; the first thing to type is shown."""
    told = nndoctor("--help").out
    assert told.index("Look at a run") < told.index("diagnose  ")
    assert told.index("diagnose  ") < told.index("explain  ")
    assert "nndoctor diagnose path/to/log" in told


def test_a_full_disk_is_told_by_the_name_the_user_gave(nndoctor, logs, monkeypatch):
    """Not by that of the file beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "hidden")

    monkeypatch.setattr("nndoctor.cli.out.Path.replace", full)
    done = nndoctor("diagnose", "good.csv", "-o", "report.txt")
    assert (done.code, done.err) == (2, "nndoctor: report.txt: No space left on device\n")
    assert not list(logs.glob("*report.txt*"))

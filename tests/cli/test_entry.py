"""What a user types wrongly is answered in one line, with what was meant."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good.csv"], "unknown command 'good.csv'. Did you mean: nndoctor diagnose good.csv"),
        (["no file.csv", "-q"], "Did you mean: nndoctor diagnose 'no file.csv' -q"),
        (["diagnos", "good.csv"], "Did you mean 'diagnose'?"),
        (["xyzzy"], "Commands: diagnose, "),
        (["diagnose", "good.csv", "--format", "xml"], "'xml' is unknown; expected one of terminal, "),
        (["diagnose", "good.csv", "--qiet"], "--quiet"),
        (["convert"], "nndoctor convert --help"),
        (["train", "good.csv", "--batch-size", "0"], "--batch-size: expected a number greater than or equal to 1"),
        (
            ["sanity", "good.csv", "--input", "3", "--classes", "1"],
            "--classes: expected a number greater than or equal",
        ),
        (["\x1b[31m::error::x.csv"], "unknown command"),
    ],
)
def test_one_line_says_what_was_meant(nndoctor, words, message):
    """Exit code 2, nothing on standard output."""
    done = nndoctor(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
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
    printed = nndoctor("--help").out
    assert printed.index("Diagnose") < printed.index("diagnose  ")
    assert printed.index("diagnose  ") < printed.index("explain  ")
    assert "nndoctor diagnose path/to/log" in printed


def test_a_full_disk_is_reported_by_the_name_the_user_gave(nndoctor, logs, monkeypatch):
    """Not by that of the file beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "hidden")

    monkeypatch.setattr("nndoctor.core.files.os.replace", full)
    done = nndoctor("diagnose", "good.csv", "-o", "report.txt")
    assert (done.code, done.err) == (2, "nndoctor: report.txt: No space left on device\n")
    assert not list(logs.glob("*report.txt*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["diagnose", "goood.csv"], "no such file, did you mean 'good.csv'?"),
        (["diagnose", "good.csv", "-f", "jsn"], "did you mean 'json'?"),
        (["diagnose", "good.csv", "--report", "sarf=x"], "did you mean 'sarif'?"),
        (["diagnose", "good.csv", "--map", "train_los=train/loss"], "did you mean 'train_loss'?"),
        (["diagnose", "good.csv", "--map", "loss=trian/loss"], "did you mean 'train/loss'?"),
        (["diagnose", "good.csv", "--map", "loss=train/los"], "did you mean 'train/loss'?"),
        (["diagnose", "good.csv", "--select", "overtrainin"], "did you mean 'overtraining'?"),
        (["diagnose", "good.csv", "--fail-on", "eror"], "did you mean 'error'?"),
        (["diagnose", "good.csv", "--require", "train/loss lst < 1"], "did you mean 'last'?"),
        (["diagnose", "good.csv", "--jobs", "0"], "--jobs: expected a number greater than or equal to 1"),
        (["diagnose", "good.csv", "--jobs", "x"], "--jobs: expected a whole number"),
        (["watch", "good.csv", "--once", "-f", "jsn"], "did you mean 'json'?"),
        (["explain", "overtrainin"], "did you mean 'overtraining'?"),
    ],
)
def test_whatever_is_mistyped_is_known_again(nndoctor, words, message):
    """Files, formats, columns, series, rules, severities, statistics: one line, no word of the parser's inside."""
    done = nndoctor(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert not [word for word in ("Input should", "Value error", "pydantic", "Invalid value") if word in done.err]


def test_a_group_without_a_command_shows_its_help(nndoctor):
    """And nothing on standard error."""
    done = nndoctor("baseline")
    assert done.code == 2
    assert "save" in done.out + done.err
    assert "nndoctor: ;" not in done.err


def test_the_help_is_one_screen_and_names_every_command(nndoctor):
    """Under headings, none left over, at 80 columns."""
    from nndoctor.cli.app import app
    from nndoctor.cli.panels import ORDER, name_of

    printed = nndoctor("--help").out
    names = [*map(name_of, app.registered_commands), *(group.name for group in app.registered_groups)]
    assert sorted(names) == sorted(ORDER)
    assert all(f"  {name} " in printed for name in names)
    assert len(printed.splitlines()) <= 48
    assert all(len(line) <= 80 for line in printed.splitlines())


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("nndoctor dia", "diagnose"),
        ("nndoctor explain over", "overtraining"),
        ("nndoctor diagnose --select NN103", "NN103"),
        ("nndoctor diagnose --ignore NN1,over", "NN1,overtraining"),
        ("nndoctor diagnose --format js", "json\njsonl"),
        ("nndoctor diagnose --report sar", "sarif="),
    ],
)
def test_the_shell_completes(process, typed, offered):
    """Commands, rules, formats, as bash asks for them."""
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_NNDOCTOR_COMPLETE": "complete_bash"}
    with process(**words) as running:
        out, err = running.communicate(timeout=60)
    assert (out.decode().strip(), err) == (offered, b"")

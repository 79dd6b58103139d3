"""From what a user types to the logs it means."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from nndoctor.readers import is_log
from nndoctor.readers.io import find as find_module
from nndoctor.readers.io.find import find, survey

LOG = "epoch,loss\n0,2\n1,1\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three logs, a picture, a text and a repository's inside."""
    for name in ("a/run.csv", "a/b/run.csv", "c.jsonl", ".git/run.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"loss": 2}\n{"loss": 1}\n' if name.endswith("jsonl") else LOG)
    (tmp_path / "notes.txt").write_text("nothing to see\nhere\n")
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words):
    """The paths and the errors behind some words."""
    sources, errors = find(words, is_log)
    return sorted(source.path.replace("\\", "/") for source in sources), errors


@pytest.mark.usefixtures("folder")
def test_a_folder_means_all_logs_below_it():
    """Only what is a log, and nothing from a repository's inside."""
    assert found(".") == (["./a/b/run.csv", "./a/run.csv", "./c.jsonl"], [])


@pytest.mark.usefixtures("folder")
def test_each_log_once():
    """However often it is meant."""
    assert found("a/run.csv", "./a/run.csv", "a")[0] == ["a/b/run.csv", "a/run.csv"]


@pytest.mark.usefixtures("folder")
def test_quoted_globs_are_expanded():
    """A glob that the shell left alone still works, `**` too."""
    assert found("**/*.csv")[0] == ["a/b/run.csv", "a/run.csv"]


def test_a_name_that_is_no_glob_is_a_name(folder):
    """A file whose name holds a bracket is that file."""
    (folder / "run[1].csv").write_text(LOG)
    assert found("run[1].csv") == (["run[1].csv"], [])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("word", "says"), [("", "an empty name"), ("nowhere.csv", "no such file"), ("*.nothing", "no file matches")]
)
def test_what_means_nothing_is_reported(word, says):
    """Each word that leads nowhere gets its own message, and the others are still found."""
    paths, errors = found(word, "c.jsonl")
    assert paths == ["c.jsonl"]
    assert [name for name, _ in errors] == [word]
    assert says in errors[0][1]


def test_a_folder_without_logs_is_reported(folder):
    """An empty folder is no silent success."""
    (folder / "empty").mkdir()
    assert "no run log" in found("empty")[1][0][1]


def test_standard_input(monkeypatch):
    """`-` is what is piped in."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    (source,), errors = find(["-"], is_log)
    assert (source.start, errors) == (LOG, [])


def test_endless_standard_input_is_bounded(monkeypatch):
    """What never ends is refused, not collected."""
    monkeypatch.setattr(find_module, "MAX_PIPED", 10)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    assert "give the path" in find(["-"], is_log)[1][0][1]


@pytest.mark.usefixtures("folder")
def test_hidden_folders_and_environments_are_passed_by(folder):
    """Whatever they are called."""
    for name in (".cache", "myenv", "node_modules"):
        (folder / name).mkdir()
        (folder / name / "run.csv").write_text(LOG)
    (folder / "myenv/pyvenv.cfg").write_text("home = /usr\n")
    assert found(".")[0] == ["./a/b/run.csv", "./a/run.csv", "./c.jsonl"]


def test_links_are_walked_once(folder):
    """A link back up makes no circle, a link to a log no second run."""
    try:
        (folder / "a/up").symlink_to(folder, target_is_directory=True)
        (folder / "a/again.csv").symlink_to(folder / "a/run.csv")
    except OSError:
        pytest.skip("this system makes no links")
    assert len(found(".")[0]) == 3


def test_of_checkpoints_the_last_holds_all(tmp_path):
    """Hugging Face writes the whole history into each."""
    state = '{"log_history": [{"loss": 2.0, "step": 1}, {"loss": 1.0, "step": 2}], "global_step": 2}'
    for step in (500, 1000, 90):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}/trainer_state.json").write_text(state)
    assert [Path(p).parent.name for p in found(str(tmp_path))[0]] == ["checkpoint-1000"]


def test_tables_that_are_no_logs_are_named(tmp_path):
    """A table of people is passed over, and it is said."""
    (tmp_path / "run.csv").write_text(LOG)
    (tmp_path / "people.jsonl").write_text("[1, 2]\n")
    (tmp_path / "config.json").write_text("{}")
    assert [Path(p).name for p in survey([str(tmp_path)], is_log).not_logs] == ["people.jsonl"]

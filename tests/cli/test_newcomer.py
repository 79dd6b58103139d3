"""What a newcomer tries first: the skill, a page, a folder, a model without torch, a closed output."""

from __future__ import annotations

import json

import pytest

from nndoctor.core.run import Run
from nndoctor.diagnosis.session import Session
from nndoctor.reporters import checked


def test_the_skill_is_installed_into_a_fresh_project(nndoctor, logs):
    """The folders of the agent are made; a second time nothing changes; a file of the user's own is kept."""
    for _ in range(2):
        assert nndoctor("skill", "install", "--claude").code == 0
    skill = logs / ".claude" / "skills" / "nndoctor" / "SKILL.md"
    assert skill.read_text(encoding="utf-8").startswith("---\nname: nndoctor")
    skill.write_text("mine", encoding="utf-8")
    assert nndoctor("skill", "install", "--claude").code == 2
    assert skill.read_text(encoding="utf-8") == "mine"


def test_the_skill_goes_into_no_folder_that_does_not_exist(nndoctor, logs):
    """A misspelled folder is not made."""
    done = nndoctor("skill", "install", "--folder", "projct")
    assert (done.code, done.err) == (2, "nndoctor: --folder projct is not a folder; expected the folder of a project\n")
    assert not (logs / "projct").exists()


def test_a_page_is_html(nndoctor, logs):
    """A name with another ending is refused before any work."""
    done = nndoctor("report", "good.csv", "-o", "page.pdf")
    assert (done.code, done.err) == (2, "nndoctor: --output page.pdf must end in .html\n")
    assert not (logs / "page.pdf").exists()


def test_a_folder_names_the_logs_that_repeat_a_run(nndoctor):
    """Of two formats of a run one is in the table."""
    assert nndoctor("convert", "good.csv", "-o", "good.jsonl").code == 0
    done = nndoctor("diagnose", ".")
    assert "left out 1 log of a run that another log holds, too: ./good.jsonl (name one to see it)" in done.err


@pytest.mark.parametrize("group", ["baseline", "skill"])
def test_a_group_of_commands_alone_shows_its_help(nndoctor, group):
    """On standard output, and with an exit code that a script notices."""
    done = nndoctor(group)
    assert (done.code, done.err) == (2, "")
    assert done.out.startswith(f"Usage: nndoctor {group}")


@pytest.mark.parametrize("name", ["validation/loss", "val_loss", "valLoss", "Val-Loss"])
def test_a_series_is_named_as_a_column_could_be(nndoctor, logs, name):
    """In a requirement and as the score of a sweep."""
    for rate in (1, 2, 3, 4):
        (logs / f"lr_0.{rate}.csv").write_text((logs / "good.csv").read_text().replace("2.0", f"{2 + rate}"))
    done = nndoctor("sweep", *(f"lr_0.{rate}.csv" for rate in (1, 2, 3, 4)), "--by", name, "-f", "json")
    assert json.loads(done.out)["search"]["score"] == "validation/loss last"
    assert nndoctor("diagnose", "good.csv", "--require", f"{name} best < 9", "-q").code == 0
    assert nndoctor("diagnose", "good.csv", "--require", f"{name} best < 0", "-q").code == 1


def test_the_next_command_after_sanity_is_one_that_runs():
    """A model file is no log."""
    found = Session().judge(Run({}, source="model.py", path="model.py", format="model"))
    assert checked.command(found) == "nndoctor sanity -v model.py"


def ended(process, before: str, *words: str) -> tuple[int, str, str]:
    """How a command ends in a process of its own, after some code."""
    code = f"import sys; {before}; from nndoctor.cli.entry import run; sys.exit(run({list(words)}))"
    with process(python=("-c", code)) as running:
        out, err = running.communicate(timeout=60)
    return running.returncode, out.decode(), err.decode()


def test_a_model_file_is_printed_without_torch(process):
    """To start from, before anything is installed."""
    code, out, err = ended(process, "sys.modules['torch'] = None", "sanity", "--template")
    assert (code, err) == (0, "")
    assert "train_data" in out


def test_a_closed_output_leaves_the_exit_code(process):
    """As `>&-` in a script that wants nothing else."""
    code, _, err = ended(process, "sys.stdout = None", "diagnose", "nan.csv")
    assert (code, err) == (1, "")

"""The package's metadata is complete, and what users copy from the docs names the version that is released."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from nndoctor._version import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]


def test_the_extra_all_holds_every_extra_for_users():
    """Only those for developing nndoctor itself are left out."""
    (everything,) = EXTRAS["all"]
    assert set(re.findall(r"[a-z]+", everything)) - {"nndoctor"} == set(EXTRAS) - {
        "all",
        "test",
        "test-engines",
        "test-services",
        "docs",
    }


def test_every_extra_that_a_message_names_exists():
    """`pip install 'nndoctor[...]'` in the code and in the docs works."""
    texts = [*(ROOT / "nndoctor" / "integrations").glob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {name for path in texts for name in re.findall(r"nndoctor\[(\w+)\]", path.read_text(encoding="utf-8"))}
    assert named
    assert named <= set(EXTRAS)


def test_the_changelog_begins_with_this_version():
    """The newest released section is the version of the package."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[(\d[^\]]*)\]", text, re.MULTILINE)[1] == __version__


def test_the_docs_on_ci_name_this_version():
    """What is copied from there is a tag that is released, and no placeholder."""
    names = ("ci", "integrations/github", "integrations/pre-commit")
    text = "".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in names)
    assert set(re.findall(r"nndoctor/nndoctor@v(\S+)", text)) == {__version__}
    assert re.findall(r"rev: v(\S+)", text) == [__version__]
    assert not re.search(r"OWNER|COMMIT|example\.com", text)


@pytest.mark.parametrize("path", list(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]))
def test_what_the_wheel_shares_exists(path):
    """The man page is where the build takes it from."""
    assert (ROOT / path).is_file()


def test_the_docs_list_every_input_of_the_action():
    """With its default."""
    yaml = (ROOT / "action.yml").read_text(encoding="utf-8").partition("outputs:")[0].partition("inputs:")[2]
    inputs = dict(
        re.findall(r"^  ([a-z-]+):\n(?:    .*\n)*?    (?:default: \"?(\S*?)\"?|required: true)$", yaml, re.MULTILINE)
    )
    page = (ROOT / "docs" / "integrations" / "github.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| `?([^`|]+?)`? \|", page, re.MULTILINE))
    assert set(rows) == set(inputs)
    assert all(rows[name] == (default or rows[name]) for name, default in inputs.items())


def test_the_docs_list_every_extra_for_users():
    """The table in the section on installing."""
    page = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").partition("## Diagnose a run")[0]
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`([a-z]+)`", row)}
    assert listed == {name for name in EXTRAS if name != "docs" and not name.startswith("test")}

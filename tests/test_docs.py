"""The pages that say what every command does are what the commands say."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def make():
    """docs/make.py, loaded."""
    spec = importlib.util.spec_from_file_location("docs_make", DOCS / "make.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["docs_make"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["reference.md", "nndoctor.1"])
def test_the_pages_are_true(make, name):
    """`python docs/make.py` would change nothing."""
    page = make.PAGES[name]()
    assert (DOCS / name).read_text(encoding="utf-8") == page, "python docs/make.py writes it anew"


def test_every_command_and_option_says_what_it_does(make):
    """No option without a word of help."""
    for command in make.commands():
        assert command.short
        assert all(word.help for word in command.words), command.name


def test_the_manual_is_set_without_complaint():
    """As man would."""
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    words = ["groff", "-man", "-ww", "-Tutf8", "-K", "utf-8", str(DOCS / "nndoctor.1")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""

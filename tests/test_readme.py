"""The README is true: what it shows is what the commands print. `python tests/test_readme.py` rewrites it."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TEST_COMMAND = "pip install -c constraints.txt '.[test]'"
DIAGNOSE_COMMAND = "nndoctor diagnose sample_runs/overtraining"
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
OWN_LINK = re.compile(
    r"https://(?:github\.com/nndoctor/nndoctor/blob|raw\.githubusercontent\.com/nndoctor/nndoctor)/main/([^)#\"\s]+)"
)
MAX_LINES = 150


def load_outputs():
    """docs/outputs.py, loaded: it fills the blocks that show what commands print."""
    spec = importlib.util.spec_from_file_location("docs_outputs", ROOT / "docs" / "outputs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_shows_what_the_commands_print():
    """Running every command shown gives the text shown."""
    outputs = load_outputs()
    text = README.read_text(encoding="utf-8")
    assert outputs.OUTPUT.search(text)
    assert outputs.filled(text) == text, "python tests/test_readme.py rewrites it"


def test_the_readme_fits_on_a_few_screens():
    """At most 150 lines, with both commands for a fresh checkout among the first 25."""
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES
    first = "\n".join(lines[:25])
    assert TEST_COMMAND in first
    assert DIAGNOSE_COMMAND in first


def test_no_section_of_the_readme_is_there_twice():
    """Every heading is used once."""
    headings = re.findall(r"^#+ .*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_the_readme_links_to_files_that_exist():
    """Links are absolute, for the package index, and each one into this repository has its file."""
    text = README.read_text(encoding="utf-8")
    assert not re.findall(r"\]\((?!https://|#)", text)
    missing = [path for path in OWN_LINK.findall(text) if not (ROOT / path).exists()]
    assert not missing


def test_the_python_example_runs():
    """The example of the README prints what its comment promises."""
    code = EXAMPLE.search(README.read_text(encoding="utf-8"))[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("overtraining 0.")


def test_the_ci_script_runs_the_readme_s_commands():
    """What the README tells a new user to type is what CI runs."""
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    assert f"{TEST_COMMAND} && pytest" in readme
    assert f"pip install . && {DIAGNOSE_COMMAND}" in readme
    assert TEST_COMMAND in script.replace("--quiet ", "")
    assert DIAGNOSE_COMMAND in script.replace('"$OLDPWD/', "").replace('"', "")
    assert "\npytest || failed" in script


if __name__ == "__main__":
    README.write_text(load_outputs().filled(README.read_text(encoding="utf-8")), encoding="utf-8")

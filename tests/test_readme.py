"""The README is true: what it shows is what the commands print. `python tests/test_readme.py` writes it anew."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from nndoctor.diagnosis.catalogue import RULES

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TEST_COMMAND = "pip install -c constraints.txt '.[test]'"
OUTPUT = re.compile(r"(<!-- output of: (nndoctor [^\n]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
FINDINGS = re.compile(r"(<!-- findings -->\n).*?(<!-- end -->)", re.DOTALL)
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)

FAMILIES = {
    "0": "the log itself",
    "1": "generalization",
    "2": "learning rate",
    "3": "stability",
    "4": "layers",
    "5": "initialization",
    "6": "data",
    "7": "model",
    "8": "sanity",
    "9": "sweeps",
    "P": "process and machine",
    "R": "reinforcement and preference learning",
    "G": "generative and self-supervised",
}


def printed(command: str) -> str:
    """What a nndoctor command prints on a terminal of 80 columns without colours."""
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    environment |= {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "nndoctor", *shlex.split(command)[1:]]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()) + "\n"


def table() -> str:
    """The names of all rules, a row for each family."""
    rows = [
        f"| {FAMILIES[digit]} | {', '.join(rule.name for rule in rules)} |\n"
        for digit, rules in groupby(sorted(RULES, key=lambda rule: rule.code), key=lambda rule: rule.code[2])
    ]
    return "| family | findings |\n|---|---|\n" + "".join(rows)


def made_true(text: str) -> str:
    """The README with what its commands print today."""
    text = OUTPUT.sub(lambda m: f"{m[1]}```text\n{printed(m[2])}```\n{m[3]}", text)
    return FINDINGS.sub(lambda m: m[1] + table() + m[2], text)


def test_the_readme_shows_what_the_commands_print():
    """Re-running every command shown gives the text shown."""
    text = README.read_text(encoding="utf-8")
    assert OUTPUT.search(text)
    assert FINDINGS.search(text)
    assert made_true(text) == text, "python tests/test_readme.py writes it anew"


def test_the_python_example_runs():
    """The example of the README does what it says."""
    code = EXAMPLE.search(README.read_text(encoding="utf-8"))[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("overtraining 0.")


def test_the_ci_script_runs_the_readme_s_test_command():
    """What the README tells a stranger to type is what is checked."""
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert f"{TEST_COMMAND} && pytest" in README.read_text(encoding="utf-8")
    assert TEST_COMMAND in script.replace("--quiet ", "")
    assert "\npytest || failed" in script


if __name__ == "__main__":
    README.write_text(made_true(README.read_text(encoding="utf-8")), encoding="utf-8")

"""Fill the blocks of README.md and of the pages in docs/ that are written from the code: outputs of commands, rules, formats."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import re
import shlex
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = re.compile(r"(<!-- output of: (nndoctor [^\n]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
API = re.compile(r"(<!-- api -->\n).*?(<!-- end -->)", re.DOTALL)
FORMATS_TABLE = re.compile(r"(<!-- output formats -->\n).*?(<!-- end -->)", re.DOTALL)
RULES_TABLE = re.compile(r"(<!-- findings -->\n).*?(<!-- end -->)", re.DOTALL)

RUN_MODELS = ("sanity", "train", "treat")
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
    """What a nndoctor command prints on a terminal of 80 columns without colors. Raises RuntimeError where it fails."""
    words = shlex.split(command)[1:]
    code, out, err = (_printed_by_a_process if words[0] in RUN_MODELS else _printed_here)(words)
    if code not in (0, 1):
        raise RuntimeError(f"{command}: {err}")
    return "\n".join(line.rstrip() for line in out.strip("\n").splitlines()) + "\n"


def _printed_by_a_process(words: list[str]) -> tuple[int, str, str]:
    """As a user runs it; what a model's run leaves behind in torch changes nothing else."""
    environment = _environment() | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 - our own command, from our own pages
        [sys.executable, "-m", "nndoctor", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _printed_here(words: list[str]) -> tuple[int, str, str]:
    """In this process: a page of twenty outputs takes two seconds, where twenty processes take twenty."""
    from nndoctor.cli.entry import run

    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(_environment())
    try:
        with contextlib.chdir(ROOT), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return code, out.getvalue(), err.getvalue()


def _environment() -> dict[str, str]:
    """This one's, with a terminal of 80 columns and no colors."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    return kept | {"COLUMNS": "80", "NO_COLOR": "1"}


def rules_table(link: str = "") -> str:
    """The names of all rules, a row for each family; `link` is the folder of their pages."""
    from nndoctor.diagnosis.catalogue import RULES

    rows = []
    for digit, rules in groupby(sorted(RULES, key=lambda rule: rule.code), key=lambda rule: rule.code[2]):
        names = [f"[{rule.name}]({link}{rule.name}.md)" for rule in rules]
        rows.append(f"| {FAMILIES[digit]} | {', '.join(names)} |\n")
    return "| family | findings |\n|---|---|\n" + "".join(rows)


def formats_table() -> str:
    """A row for each output format."""
    from nndoctor.cli.output_formats import FORMATS

    rows = [f"| `{form}` | {card.syntax} | {card.summary} |\n" for form, card in FORMATS.items()]
    return "| `--format`, `--report FORMAT=FILE` | syntax | for |\n|---|---|---|\n" + "".join(rows)


def api() -> str:
    """The signatures and docstrings of what `import nndoctor` offers."""
    nndoctor = importlib.import_module("nndoctor")
    parts = []
    for name in sorted(nndoctor.__all__):
        found = getattr(nndoctor, name)
        if callable(found):
            signature = re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(found)))
            parts.append(f"## {name}\n\n```py\nnndoctor.{name}{signature}\n```\n\n{inspect.getdoc(found)}\n")
    return "\n".join(parts)


def filled(text: str) -> str:
    """A page with what its commands print today."""
    commands = list(dict.fromkeys(match[2] for match in OUTPUT.finditer(text)))
    outputs = {command: printed(command) for command in commands}
    text = OUTPUT.sub(lambda m: f"{m[1]}```text\n{outputs[m[2]]}```\n{m[3]}", text)
    if API.search(text):
        text = API.sub(lambda m: f"{m[1]}{api()}{m[2]}", text)
    if FORMATS_TABLE.search(text):
        text = FORMATS_TABLE.sub(lambda m: m[1] + formats_table() + m[2], text)
    return RULES_TABLE.sub(lambda m: m[1] + rules_table("rules/") + m[2], text)


def pages() -> list[Path]:
    """The pages that may hold such blocks."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

"""User-visible text is plain technical English: a short list of words that no message, help text or page may hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from nndoctor.remedies import REMEDIES
from nndoctor.reporters.short import fitting_remedy

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nndoctor"

BANNED = re.compile(
    r"\b(heed(ed|s)?|ails|mend(ed|s)?|anew|whence|by heart|doomed|restless|unrest|oftener|excess loss|to tell:"
    r"|to tell [a-z]+ from|all (that was|it has) learned|did it\b|is no (command|table|series|picture|baseline|search)"
    r"|illness(es)?|ill\b|sick|so few to|the valley|the field says|on board|thrown|stands for it|none of it)",
    re.IGNORECASE,
)
"""Aphorisms, metaphors and words that read as translated; docs say what to write in their place."""

FOLDERS = (
    "analysis",
    "cli",
    "compare",
    "core",
    "diagnosis",
    "lab",
    "plots",
    "prognosis",
    "readers",
    "recorder",
    "remedies",
    "reporters",
    "rules",
    "sanity",
    "settings",
)
"""The folders whose text is checked."""

MAX_REMEDY = 69
"""Characters of a remedy that fits in one line of 80 columns behind its number."""


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that a user may see, with their lines: no docstring and no single word."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, documented) and _documented(n.body)}
    notes = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or " " not in node.value.strip():
            continue
        if id(node) not in docstrings | notes:
            yield node.lineno, node.value


def _documented(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


def modules() -> list[Path]:
    """The modules whose text is checked."""
    return [path for folder in FOLDERS for path in sorted((PACKAGE / folder).rglob("*.py"))]


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_text_holds_a_banned_word(module):
    """Each is named with its line."""
    found = [f"{line}: {hit[0]!r} in {text!r}" for line, text in texts(module) if (hit := BANNED.search(text))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("remedy", REMEDIES.values(), ids=lambda remedy: remedy.name)
def test_a_remedy_is_one_line(remedy):
    """It, or its first clauses, fit behind the number at 80 columns."""
    assert len(fitting_remedy(remedy.text, MAX_REMEDY)) <= MAX_REMEDY
    assert remedy.why

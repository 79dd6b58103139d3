"""The catalogue of causes holds the names that rules give, each once."""

from __future__ import annotations

import ast
from pathlib import Path

from nndoctor.remedies.causes import CAUSES, CONCERNS

PACKAGE = Path(__file__).resolve().parents[1] / "nndoctor"


def names_in(path):
    """The names that a module may give to causes: the text in the first argument of `Cause`."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Cause" and call.args:
            yield from (n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant))


def test_every_cause_is_in_the_catalogue_and_every_entry_is_used():
    """A new spelling of a known cause shows here, and one that nobody uses any more."""
    assert {name for path in PACKAGE.rglob("*.py") for name in names_in(path)} == set(CONCERNS)


def test_a_cause_concerns_one_thing():
    """Otherwise a program that groups them would count it twice."""
    assert sum(map(len, CAUSES.values())) == len(CONCERNS)

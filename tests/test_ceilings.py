"""Ceilings that only fall: what the code still has too much of may not grow. `python -m tests.ceilings` lists it."""

from __future__ import annotations

import ast

import pytest

from tests import ceilings

# What is counted, and how much of it there is. Lower a number as soon as the count falls; never raise one.
CEILINGS = {
    ceilings.complex_functions: 0,
    ceilings.unnamed_numbers: 0,
    ceilings.literal_confidences: 0,
    ceilings.written_limits: 0,
}


@pytest.mark.parametrize(("count", "ceiling"), CEILINGS.items(), ids=lambda value: getattr(value, "__name__", None))
def test_there_is_no_more_of_it(count, ceiling):
    """Split the function, name the number, take a grade from core/confidence.py, or write the limit's name into `how`."""
    found = count()
    assert len(found) <= ceiling, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a):\n return a", 1),
        ("def f(a, b):\n if a and b or not a:\n  return 1\n return 2 if a else 3", 5),
        ("def f(a):\n for b in a:\n  while b:\n   b -= 1\n return [c for c in a if c]", 5),
        ("def f(a):\n try:\n  g()\n except KeyError:\n  pass\n match a:\n  case 1: pass\n  case _: pass", 4),
    ],
)
def test_complexity_is_counted_as_radon_does(source, expected):
    """Branches, loops, boolean operators, conditional expressions, comprehensions and their conditions."""
    (function,) = ceilings.functions(ast.parse(source))
    assert ceilings.complexity(function) == expected


def test_literal_confidences_are_seen(tmp_path, monkeypatch):
    """Alone, in a conditional expression, and as a keyword; a name is none."""
    rule = tmp_path / "nndoctor" / "rules" / "x.py"
    rule.parent.mkdir(parents=True)
    rule.write_text(
        'def check(run):\n yield Symptom("a", 0.9)\n yield Symptom("a", 0.8 if run else SURE)\n'
        ' yield Symptom("a", confidence=0.7)\n yield Symptom("a", MEASURED)\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(ceilings, "ROOT", tmp_path)
    assert [line.rpartition(" ")[2] for line in ceilings.literal_confidences()] == ["0.9", "0.8", "0.7"]

"""Text from a log is data."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndoctor.core.sanitize import encodable, printable
from nndoctor.reporters.concise import render


@given(st.text(st.characters(codec=None)))
def test_what_is_shown_prints_commands_nothing_and_is_shown_once(text):
    """No control character, no `::` and no `##[` is left; showing it again changes nothing."""
    safe = printable(text)
    assert all(c.isprintable() or c == "\u2060" for c in safe)
    assert "::" not in safe
    assert "##[" not in safe
    assert printable(safe) == safe


@given(st.text(st.characters(codec="utf-8")))
def test_plain_text_is_left_alone(text):
    """Only what is dangerous changes."""
    if text.isprintable() and ":" not in text and "#" not in text:
        assert printable(text) == text


@given(st.text(), st.sampled_from(["ascii", "cp1252", "cp437", "utf-8"]))
def test_everything_can_be_written_in_any_encoding(text, encoding):
    """No terminal stops a report."""
    encodable(printable(text), encoding).encode(encoding)


def test_what_an_encoding_lacks_is_spelled_plainly():
    """Dots and dashes have plain twins; the rest is escaped."""
    assert encodable("a · b … ≥ é", "ascii") == "a - b ... >= \\xe9"
    assert encodable("a · é", "utf-8") == "a · é"


@pytest.mark.parametrize("name", ["flat", "sick"])
def test_a_concise_finding_is_one_line_with_its_place(name, request):
    """`path:line: code severity name: message`, as compilers print it."""
    assert re.fullmatch(r"\w+\.csv:\d+: NN\d{3} \w+ [a-z-]+: [^\n]+\n", render([request.getfixturevalue(name)]))


def test_a_healthy_run_has_no_concise_line(healthy):
    """Silence is what a gate wants."""
    assert render([healthy]) == ""

"""The catalogue as a table, and every rule as a page of its own."""

from __future__ import annotations

import json
import re

import pytest
from rich.cells import cell_len

from nndoctor.core.rule import page_of
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.remedies import REMEDIES
from nndoctor.reporters import cards
from nndoctor.reporters.page import Style


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_rule_is_explained_within_the_page(rule, width):
    """With all its remedies and sources, and no line too wide but the address at its end, which is not broken."""
    page, address = cards.card(rule, Style(width)).rstrip("\n").rsplit("\n", 1)
    assert address == page_of(rule.name)
    words = " ".join(page.split()).lower()
    assert max(map(cell_len, page.splitlines())) <= width
    for text in (rule.why, rule.how, *(REMEDIES[name].text for name in rule.remedies), *(s.text for s in rule.sources)):
        assert " ".join(text.split()).lower() in words


def test_the_address_of_the_page_is_a_link_where_there_is_color():
    """OSC 8 in a terminal with colors, plain text without."""
    rule = next(rule for rule in RULES if rule.name == "high-variance")
    last = cards.card(rule, Style(80, color=True)).splitlines()[-1]
    assert re.search(rf"\x1b\]8;[^;]*;{re.escape(page_of(rule.name))}\x1b\\", last)
    assert "\x1b" not in cards.card(rule, Style(80))


def test_the_sick_example_is_next_to_the_healthy_one():
    """Two pictures in one row, each with its axis; the piece that the rule sees is marked."""
    rule = next(rule for rule in RULES if rule.name == "high-variance")
    lines = cards.card(rule, Style(80)).splitlines()
    title = next(k for k, line in enumerate(lines) if line.startswith("Example"))
    assert "Counterexample" in lines[title]
    assert all(line.count("│") + line.count("┤") == 2 for line in lines[title + 1 : title + 7])
    assert "━" in lines[title + 7]


def test_the_table_has_a_line_a_rule():
    """Codes in order, each with its severity's letter and its name; at 120 columns no title wraps."""
    lines = cards.table(RULES, Style(120)).splitlines()[: len(RULES)]
    assert [line.split()[:3] for line in lines] == [[r.code, r.severity[0].upper(), r.name] for r in RULES]
    assert all(line.endswith(rule.title) for line, rule in zip(lines, RULES, strict=True))


def test_the_catalogue_as_json_is_whole():
    """A program gets every rule with its remedies."""
    rows = json.loads(cards.as_json(RULES))
    assert [row["code"] for row in rows] == [rule.code for rule in RULES]
    assert all(row["why"] and row["how"] and row["severity"] in ("error", "warning", "info") for row in rows)

"""The contract of every output format: a new one is documented and held to it by being registered."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from nndoctor.cli.output_formats import FORMATS, OutputFormat, Syntax

DOCS = Path(__file__).resolve().parents[2] / "docs"
PARSERS = {
    Syntax.text: str,
    Syntax.json: json.loads,
    Syntax.lines: lambda text: [json.loads(line) for line in text.splitlines()],
    Syntax.xml: ET.fromstring,
}
HOSTILE = "a\x1b[31m\u202e<b>|`]]>.csv"
every_format = pytest.mark.parametrize("form", list(OutputFormat))


def test_every_format_is_registered():
    """A member of the enum without a card could be asked for and not be rendered."""
    assert list(FORMATS) == list(OutputFormat)


def test_every_syntax_has_a_parser():
    """Otherwise the contract could not be checked for a new one."""
    assert set(PARSERS) == set(Syntax)


@every_format
def test_a_format_is_documented(nndoctor, form):
    """In --help, the reference, the man page and the page on CI."""
    summary = FORMATS[form].summary
    assert 10 < len(summary) < 90
    assert f" {form}," in f"{' '.join(nndoctor('diagnose', '--help').out.replace('. [', ', [').split())}"
    row = f"| `{form}` | {FORMATS[form].syntax} | {summary} |"
    assert row in (DOCS / "reference.md").read_text(encoding="utf-8")
    assert row in (DOCS / "ci.md").read_text(encoding="utf-8")
    assert summary.replace("-", r"\-") in (DOCS / "nndoctor.1").read_text(encoding="utf-8")


@every_format
def test_a_format_shows_findings_and_unreadable_logs(nndoctor, form):
    """The finding is named in it; the log that could not be read in it or on standard error, and the exit code is 2."""
    ended = nndoctor("diagnose", "risen.csv", "broken.csv", "--format", form)
    assert ended.code == 2
    assert "overtraining" in ended.out or "NN103" in ended.out
    assert "broken.csv" in ended.out + ended.err


@every_format
def test_a_format_is_well_formed(nndoctor, form):
    """As a program reads it, with findings, without, and with a log that could not be read; it ends with its line."""
    for logs in (["nan.csv"], ["good.csv"], ["good.csv", "risen.csv", "broken.csv"]):
        text = nndoctor("diagnose", *logs, "--format", form).out
        PARSERS[FORMATS[form].syntax](text)
        assert not text or text.endswith("\n")


@every_format
def test_a_format_gives_the_same_bytes_again(nndoctor, form):
    """No time and no host is in it."""
    words = ("diagnose", "good.csv", "risen.csv", "nan.csv", "--format", form)
    assert nndoctor(*words).out == nndoctor(*words).out


@every_format
def test_a_format_replaces_only_its_own_reports(nndoctor, logs, form):
    """A report of an earlier run if it can be recognized; another file only with --force."""
    words = ("diagnose", "nan.csv", "--report", f"{form}=report")
    assert nndoctor(*words).code == 1
    report = (logs / "report").read_bytes()
    assert nndoctor(*words).code == (1 if FORMATS[form].sign else 2)
    (logs / "report").write_text("somebody's notes\n", encoding="utf-8")
    assert nndoctor(*words).code == 2
    assert nndoctor(*words, "--force").code == 1
    assert (logs / "report").read_bytes() == report


@every_format
def test_a_format_follows_no_name(nndoctor, logs, form):
    """A file's name reaches no terminal, no parser and no page as a command."""
    (logs / HOSTILE).write_bytes((logs / "nan.csv").read_bytes())
    text = nndoctor("diagnose", HOSTILE, "--format", form).out
    PARSERS[FORMATS[form].syntax](text)
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Cf")} <= {"\n", "\u2060"}

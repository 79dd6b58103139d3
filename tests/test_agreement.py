"""Headline, causes and remedies of a report agree, and its page is short: over the sample runs and, where present, a corpus.

`NNDOCTOR_CORPUS` names a folder of labelled logs, as for the accuracy benchmark.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.errors import NNDoctorError
from nndoctor.core.report import Report
from nndoctor.core.verdict import essence, headline, rule_in_words
from nndoctor.remedies.treatments import treatments
from nndoctor.reporters.page import Style
from nndoctor.reporters.short import MAX_LINES
from nndoctor.reporters.terminal import render

SAMPLES = Path(__file__).resolve().parents[1] / "sample_runs"
PROBABILITY = re.compile(r"\(\d+%\)")
NAMED = {
    "lr-too-high": "learning rate too high",
    "not-converged": "training too short",
}
"""Findings that are named for their cause."""


def logs() -> Iterator[Path]:
    """The sample runs and the logs of the corpus."""
    yield from (folder for folder in sorted(SAMPLES.iterdir()) if folder.is_dir() and folder.name != "healthy")
    yield from sorted((SAMPLES / "healthy").iterdir())
    corpus = os.environ.get("NNDOCTOR_CORPUS")
    if corpus:
        yield from (path for path in sorted(Path(corpus).rglob("files/*")) if path.is_file())


@cache
def reports(log: Path) -> tuple[Report, ...]:
    """The reports on a log's runs; none where it cannot be read, which other tests judge."""
    try:
        return tuple(nndoctor.diagnose(run) for run in nndoctor.read(str(log)))
    except NNDoctorError:
        return ()


@pytest.fixture(params=logs(), ids=lambda path: path.name)
def judged(request) -> tuple[Report, ...]:
    """The reports on one log."""
    return reports(request.param)


def test_a_page_is_at_most_24_lines(judged):
    """At 80 columns, whatever was found."""
    for report in judged:
        page = render([report], Style(80)).splitlines()
        assert len(page) <= MAX_LINES, "\n".join(page)


def test_the_page_ends_with_what_its_headline_says(judged):
    """The last line repeats the finding, and names the next command."""
    for report in judged:
        last = render([report], Style(80)).splitlines()[-1]
        assert last.startswith(essence(report))
        assert "Next: " in last
        if report.primary is not None:
            name = set(rule_in_words(report.primary.name).lower().split())
            assert name <= set(re.findall(r"[\w-]+", headline(report)[0].lower()))


def test_the_first_remedy_treats_the_first_cause(judged):
    """Where the cause is one that a remedy is known for."""
    for finding in (finding for report in judged for finding in report.findings):
        known = treatments(finding.causes[0]) if finding.causes else ()
        if known and finding.remedies:
            assert finding.remedies[0].name in known, (finding.name, finding.causes[0].name)


def test_the_first_cause_is_what_the_name_says(judged):
    """A finding that is named for a cause does not doubt it below."""
    for finding in (finding for report in judged for finding in report.findings):
        if finding.name in NAMED and finding.causes:
            assert NAMED[finding.name] in finding.causes[0].name.lower()


def test_each_finding_has_one_probability(judged):
    """On the page of a run there is no other percentage in brackets, but for those of its prognosis."""
    for report in judged:
        lines = render([report], Style(160)).splitlines()
        found = sum(len(PROBABILITY.findall(line)) for line in lines if "retrained" not in line)
        changes = min(len(report.prognosis), 3)
        assert found <= 2 * (report.primary is not None) + len(report.findings) + changes

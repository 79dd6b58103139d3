"""The formats of a diagnosis: their names, who renders them, and how a report of an earlier run is known again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli.look import Color, look
from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.order import SortBy

if TYPE_CHECKING:
    from nndoctor.core.finding import Severity
    from nndoctor.core.report import Report
    from nndoctor.core.rule import Rule


class OutputFormat(StrEnum):
    """What --format takes, and the first half of --report."""

    terminal = "terminal"
    concise = "concise"
    brief = "brief"
    json = "json"
    jsonl = "jsonl"
    github = "github"
    gitlab = "gitlab"
    junit = "junit"
    sarif = "sarif"
    markdown = "markdown"


# What the first bytes of such a report hold: only these are replaced without --force.
SIGNS = {
    OutputFormat.json: '"tool": {\n    "name": "nndoctor"',
    OutputFormat.jsonl: '{"schema_version": ',
    OutputFormat.brief: '{"schema_version": ',
    OutputFormat.gitlab: '"check_name": "nndoctor ',
    OutputFormat.junit: '<testsuites name="nndoctor"',
    OutputFormat.sarif: '"driver": {\n          "name": "nndoctor"',
    OutputFormat.markdown: "<!-- nndoctor -->",
}
SUMMARY = "GITHUB_STEP_SUMMARY"
LARGEST_SUMMARY = 1024 * 1024  # bytes that GitHub takes for a step
CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@dataclass(frozen=True, slots=True)
class Plan:
    """How to render: the rules asked for, the severity that fails the gate (None: none), and the looks of the page: `full` shows every run."""

    rules: tuple[Rule, ...] = ()
    fails_at: Severity | None = None
    quiet: bool = False
    color: Color = Color.auto
    full: bool = False
    sort: SortBy = SortBy.finding


Errors = Sequence[tuple[str, str]]


def rendered(
    form: OutputFormat, reports: Sequence[Report], errors: Errors, plan: Plan, *, to_file: bool = False
) -> str:
    """The text of one report."""
    if form is OutputFormat.terminal:
        from nndoctor.reporters.terminal import render

        paper = look(plan.color, to_file=to_file)
        return render(reports, paper, quiet=plan.quiet, full=plan.full, sort=plan.sort) if reports else ""
    if form is OutputFormat.concise:
        from nndoctor.reporters.concise import render as concise

        return concise(reports)
    if form in (OutputFormat.json, OutputFormat.jsonl):
        from nndoctor.reporters import json as as_json

        return as_json.render(reports, errors) if form is OutputFormat.json else as_json.render_lines(reports, errors)
    from nndoctor.reporters.entries import Context

    context = Context(plan.rules, plan.fails_at, _root())
    text: str = import_module(f"nndoctor.reporters.{form}").render(reports, errors, context)
    return text


def named(words: Sequence[str]) -> list[tuple[OutputFormat, str]]:
    """`sarif=out.sarif` as a format and a file. Raises UsageError for what is no such pair, or a file named twice."""
    pairs: list[tuple[OutputFormat, str]] = []
    for word in words:
        form, equals, file = word.partition("=")
        if form not in list(OutputFormat) or not equals or not file:
            hint = nearest(form, OutputFormat) if equals and form not in list(OutputFormat) else ""
            raise UsageError(
                f"--report {word}: expected FORMAT=FILE{hint}, where FORMAT is one of {', '.join(OutputFormat)}"
            )
        pairs.append((OutputFormat(form), file))
    files = [Path(file).resolve() for _, file in pairs]
    twice = next((file for k, file in enumerate(files) if file in files[:k]), None)
    if twice is not None:
        raise UsageError(f"--report names {pairs[files.index(twice)][1]} twice; give every report a file of its own")
    return pairs


def replaceable(form: OutputFormat, file: str) -> bool:
    """Whether a file is a report of this format that an earlier run wrote, and may be replaced."""
    target = Path(file)
    if not target.is_file() or form not in SIGNS:
        return False
    with target.open("rb") as opened:
        start = opened.read(4096).decode("utf-8", "replace")
    return SIGNS[form] in start or (form is OutputFormat.gitlab and start.strip() == "[]")


def summarize(reports: Sequence[Report], errors: Errors, plan: Plan) -> None:
    """Append the Markdown report to the step's summary where GitHub asks for one, as far as it takes one.

    Raises OSError where the summary cannot be written.
    """
    file = os.environ.get(SUMMARY)
    if not file:
        return
    text = rendered(OutputFormat.markdown, reports, errors, plan) + "\n"
    summary = Path(file)
    before = summary.stat().st_size if summary.exists() else 0
    if before + len(text.encode()) <= LARGEST_SUMMARY:
        with summary.open("a", encoding="utf-8", newline="\n") as opened:
            opened.write(text)


def _root() -> str:
    """The repository that a CI job has checked out, where the work goes on in it; else the current folder."""
    here = Path.cwd()
    for name in CHECKOUTS:
        folder = os.environ.get(name)
        if folder and here.is_relative_to(Path(folder).resolve()):
            return str(Path(folder).resolve())
    return str(here)

"""The output formats of a diagnosis: what each is for, what renders it, and how a report of an earlier run is recognized."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.cli.terminal_style import Color, terminal_style
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


CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How to render: the selected rules, the severity that fails the gate (None: none), and the style of the page; `full` shows every run."""

    rules: tuple[Rule, ...] = ()
    fails_at: Severity | None = None
    quiet: bool = False
    color: Color = Color.auto
    full: bool = False
    sort: SortBy = SortBy.finding


Errors = Sequence[tuple[str, str]]
Renderer = Callable[[Sequence["Report"], Errors, RenderOptions, bool], str]


class Syntax(StrEnum):
    """How a program reads a format."""

    text = "text"
    json = "JSON"
    lines = "JSON lines"
    xml = "XML"


@dataclass(frozen=True, slots=True)
class FormatCard:
    """What is known of one output format.

    `--help`, the reference, the man page and docs/ci.md list the cards, and one contract test holds for each of them.
    `sign` is text near the start of such a report; a file that has it may be replaced without --force.
    """

    summary: str
    render: Renderer
    syntax: Syntax = Syntax.text
    sign: str = ""


def _terminal(reports: Sequence[Report], _errors: Errors, plan: RenderOptions, to_file: bool) -> str:
    from nndoctor.reporters.terminal import render

    page_style = terminal_style(plan.color, to_file=to_file)
    return render(reports, page_style, quiet=plan.quiet, full=plan.full, sort=plan.sort) if reports else ""


def _concise(reports: Sequence[Report], _errors: Errors, _plan: RenderOptions, _to_file: bool) -> str:
    from nndoctor.reporters.concise import render

    return render(reports)


def _json(reports: Sequence[Report], errors: Errors, _plan: RenderOptions, _to_file: bool) -> str:
    from nndoctor.reporters.json import render

    return render(reports, errors)


def _jsonl(reports: Sequence[Report], errors: Errors, _plan: RenderOptions, _to_file: bool) -> str:
    from nndoctor.reporters.json import render_lines

    return render_lines(reports, errors)


def _in_context(module: str) -> Renderer:
    """The renderer of a format whose module needs the selected rules, the gate and the repository's root."""

    def render(reports: Sequence[Report], errors: Errors, plan: RenderOptions, _to_file: bool) -> str:
        from nndoctor.reporters.entries import Context

        context = Context(plan.rules, plan.fails_at, _root())
        text: str = import_module(f"nndoctor.reporters.{module}").render(reports, errors, context)
        return text

    return render


FORMATS = {
    OutputFormat.terminal: FormatCard("a page for people: verdict, plot, causes, remedies", _terminal),
    OutputFormat.concise: FormatCard("one line per finding, for grep", _concise),
    OutputFormat.brief: FormatCard(
        "one JSON line of at most 1 kB per run, for programs and language models",
        _in_context("brief"),
        Syntax.lines,
        '{"schema_version": ',
    ),
    OutputFormat.json: FormatCard(
        "everything, as one JSON object", _json, Syntax.json, '"tool": {\n    "name": "nndoctor"'
    ),
    OutputFormat.jsonl: FormatCard("everything, as one JSON line per run", _jsonl, Syntax.lines, '{"schema_version": '),
    OutputFormat.github: FormatCard(
        "annotations in a GitHub workflow, with a table in the step's summary", _in_context("github")
    ),
    OutputFormat.gitlab: FormatCard(
        "GitLab's Code Quality widget", _in_context("gitlab"), Syntax.json, '"check_name": "nndoctor '
    ),
    OutputFormat.junit: FormatCard(
        "test reports with a case per rule and run; fails exactly where --fail-on fails",
        _in_context("junit"),
        Syntax.xml,
        '<testsuites name="nndoctor"',
    ),
    OutputFormat.sarif: FormatCard(
        "GitHub code scanning, and editors",
        _in_context("sarif"),
        Syntax.json,
        '"driver": {\n          "name": "nndoctor"',
    ),
    OutputFormat.markdown: FormatCard(
        "a comment on a pull request, with small plots", _in_context("markdown"), sign="<!-- nndoctor -->"
    ),
}


def rendered(
    form: OutputFormat, reports: Sequence[Report], errors: Errors, plan: RenderOptions, *, to_file: bool = False
) -> str:
    """The text of one report."""
    return FORMATS[form].render(reports, errors, plan, to_file)


def _root() -> str:
    """The repository that a CI job has checked out if the current folder is in it, else the current folder."""
    here = Path.cwd()
    for name in CHECKOUTS:
        folder = os.environ.get(name)
        if folder and here.is_relative_to(Path(folder).resolve()):
            return str(Path(folder).resolve())
    return str(here)

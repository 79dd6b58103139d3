"""Where a command writes its reports: standard output or a file, the files of --report, and GitHub's step summary."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nndoctor.cli.out import check, write_output
from nndoctor.cli.output_formats import FORMATS, OutputFormat
from nndoctor.cli.request import DiagnoseRequest
from nndoctor.core.errors import UsageError, nearest

SUMMARY = "GITHUB_STEP_SUMMARY"
LARGEST_SUMMARY = 1024 * 1024  # bytes that GitHub takes for a step

# Makes the report in a format; the second argument says whether it goes to a file.
Render = Callable[[OutputFormat, bool], str]


@dataclass(frozen=True, slots=True)
class Targets:
    """The main report's format and file (None: standard output), and the format and the file of each further report."""

    format: OutputFormat
    output: str | None
    files: tuple[tuple[OutputFormat, str], ...]

    @classmethod
    def checked(cls, request: DiagnoseRequest, inputs: Sequence[str]) -> Self:
        """The targets of a request. Raises UsageError, before any work, for one that is an input, has no folder or exists."""
        check(request.output, inputs, force=request.force)
        files = _report_files(request.reports)
        for form, file in files:
            check(file, inputs, force=request.force or _is_replaceable(form, file), option="--report")
        return cls(request.format, request.output, tuple(files))

    def write(self, render: Render) -> None:
        """Print or write every report. Raises OSError where one cannot be written."""
        write_output(render(self.format, self.output is not None), self.output)
        self.write_files(render)
        if self.format is OutputFormat.github:
            _summarize(render)

    def write_files(self, render: Render) -> None:
        """Write the reports of --report. Raises OSError where one cannot be written."""
        for form, file in self.files:
            write_output(render(form, True), file)


def _report_files(words: Sequence[str]) -> list[tuple[OutputFormat, str]]:
    """`sarif=out.sarif` as a format and a file. Raises UsageError for what is no such pair, or a file named twice."""
    pairs = list(map(_report_file, words))
    seen: dict[Path, str] = {}
    for _, file in pairs:
        target = Path(file).resolve()
        if target in seen:
            raise UsageError(f"--report names {seen[target]} twice; give every report a file of its own")
        seen[target] = file
    return pairs


def _report_file(word: str) -> tuple[OutputFormat, str]:
    form, equals, file = word.partition("=")
    known = form in list(OutputFormat)
    if not known or not file:
        hint = nearest(form, OutputFormat) if equals and not known else ""
        raise UsageError(
            f"--report {word}: expected FORMAT=FILE{hint}, where FORMAT is one of {', '.join(OutputFormat)}"
        )
    return OutputFormat(form), file


def _is_replaceable(form: OutputFormat, file: str) -> bool:
    """Whether a file is a report of this format that an earlier run wrote, and may be replaced."""
    target, sign = Path(file), FORMATS[form].sign
    if not sign or not target.is_file():
        return False
    with target.open("rb") as opened:
        start = opened.read(4096).decode("utf-8", "replace")
    return sign in start or (form is OutputFormat.gitlab and start.strip() == "[]")


def _summarize(render: Render) -> None:
    """Append the Markdown report to the step's summary where GitHub asks for one, as far as it takes one."""
    file = os.environ.get(SUMMARY)
    if not file:
        return
    text = render(OutputFormat.markdown, False) + "\n"
    summary = Path(file)
    before = summary.stat().st_size if summary.exists() else 0
    if before + len(text.encode()) <= LARGEST_SUMMARY:
        with summary.open("a", encoding="utf-8", newline="\n") as opened:
            opened.write(text)

"""Training logs as tests: `assert_healthy("runs/a.csv")`, and `pytest --nndoctor-log runs/a.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nndoctor.core.report import Report
    from nndoctor.diagnosis.session import Session


def assert_healthy(  # noqa: PLR0913 - the parameters of nndoctor.diagnose
    log: object,
    *,
    fail_on: str | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    maps: Iterable[str] = (),
    target_error: float | None = None,
    config: str | None = None,
    isolated: bool = False,
) -> None:
    """Fail unless every run of a log (a path, a DataFrame, a dict of lists, a Run) is judged, and found healthy.

    Findings at `fail_on` (error, warning or info; by default that of the settings, else warning) or worse fail, and so
    does a run that cannot be judged. Settings files hold as for `nndoctor diagnose`. Raises AssertionError with a line
    for each finding, UnreadableLog where nothing can be read, UsageError for unknown words.
    """
    __tracebackhide__ = True
    from nndoctor.diagnosis.logs import reports_on
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.diagnosis.session import Session

    options = SessionOptions(
        tuple(select), tuple(ignore), tuple(maps), target_error, fail_on=fail_on, config=config, isolated=isolated
    )
    session = Session(options)
    lines = [line for report in reports_on(log, session) for line in _failures(report, session)]
    if lines:
        raise AssertionError("\n".join(lines))


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line."""
    group = parser.getgroup("nndoctor", "training logs")
    group.addoption(
        "--nndoctor-log", action="append", default=[], metavar="LOG", help="a training log to test; may be repeated"
    )
    group.addoption(
        "--nndoctor-fail-on",
        default=None,
        choices=["error", "warning", "info"],
        help="lowest severity that fails a log (default: that of the settings file, else warning)",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """One more test for each log that the command line names, after all others."""
    for log in dict.fromkeys(config.getoption("--nndoctor-log")):
        path = (config.invocation_params.dir / log).resolve()
        parent = LogFile.from_parent(session, path=path, nodeid=str(log))
        items.extend(parent.collect())


class LogFile(pytest.File):
    """A log; its one test is whether it is healthy."""

    def collect(self) -> Iterator[LogTest]:
        """The test."""
        yield LogTest.from_parent(self, name="healthy")


class LogTest(pytest.Item):
    """Whether every run of a log is healthy."""

    def runtest(self) -> None:
        """Judge the log. Raises AssertionError if it has findings, UnreadableLog where it cannot be read."""
        assert_healthy(str(self.path), fail_on=self.config.getoption("--nndoctor-fail-on"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> str:
        """The findings alone: a traceback through nndoctor would not help."""
        from nndoctor.core.errors import NNDoctorError

        expected = isinstance(excinfo.value, (AssertionError, NNDoctorError))
        return str(excinfo.value) if expected else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where, and what the headline says."""
        return self.path, None, f"nndoctor: {self.path.name}"


def _failures(report: Report, session: Session) -> list[str]:
    """A line for each finding that fails, and one for a run that cannot be judged."""
    from nndoctor.reporters.entries import Context, entries, text

    context = Context((), session.fails_at([report.run.path or "-"], default="warning"))
    return [text(entry) for entry in entries([report], (), context) if context.fails(entry.severity)]

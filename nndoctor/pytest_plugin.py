"""Training logs as tests: `assert_healthy("runs/a.csv")`, and `pytest --nndoctor-log runs/a.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nndoctor.core.report import Report


def assert_healthy(  # noqa: PLR0913 - the words of nndoctor.diagnose
    log: object,
    *,
    fail_on: str = "warning",
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    maps: Iterable[str] = (),
    target_error: float | None = None,
) -> None:
    """Fail unless every run of a log (a path, a DataFrame, a dict of lists, a Run) is judged, and found well.

    Findings at `fail_on` (error, warning or info) or worse fail; so does a run that cannot be judged. Raises
    AssertionError with a line for each finding, UnreadableLog where nothing can be read, UsageError for unknown words.
    """
    __tracebackhide__ = True
    lines = [line for report in _reports(log, select, ignore, maps, target_error) for line in _ills(report, fail_on)]
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
        default="warning",
        choices=["error", "warning", "info"],
        help="the least severity that fails a log (default: warning)",
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
        """Judge the log. Raises AssertionError where it is ill, UnreadableLog where it cannot be read."""
        assert_healthy(str(self.path), fail_on=self.config.getoption("--nndoctor-fail-on"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> str:
        """The findings alone: a traceback through the tool says nothing of the log."""
        from nndoctor.core.errors import NNDoctorError

        told = isinstance(excinfo.value, (AssertionError, NNDoctorError))
        return str(excinfo.value) if told else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where, and what the headline says."""
        return self.path, None, f"nndoctor: {self.path.name}"


def _reports(
    log: object, select: Iterable[str], ignore: Iterable[str], maps: Iterable[str], target: float | None
) -> Sequence[Report]:
    from nndoctor.core.run import Run
    from nndoctor.diagnosis.catalogue import select as select_rules
    from nndoctor.diagnosis.engine import diagnose
    from nndoctor.readers import read
    from nndoctor.settings import with_target

    runs = [log] if isinstance(log, Run) else read(log, maps=tuple(maps))
    rules = select_rules(tuple(select), tuple(ignore))
    return [diagnose(with_target(run, target), rules) for run in runs]


def _ills(report: Report, fail_on: str) -> list[str]:
    from nndoctor.core.errors import UsageError
    from nndoctor.core.finding import Severity
    from nndoctor.reporters.entries import Context, entries, text

    if fail_on not in list(Severity):
        raise UsageError(f"fail_on {fail_on!r} is no severity; wanted one of {', '.join(Severity)}")
    context = Context((), Severity(fail_on))
    return [text(entry) for entry in entries([report], (), context) if context.fails(entry.severity)]

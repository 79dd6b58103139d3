"""The session: settings, selected rules, severities, baseline and requirements, and the judging of runs by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.settings import Settings, with_facts, with_target
from nndoctor.settings.files import load, settings_near

if TYPE_CHECKING:
    from nndoctor.core.finding import Severity
    from nndoctor.core.report import Report
    from nndoctor.core.rule import Rule
    from nndoctor.core.run import FactValue, Run
    from nndoctor.diagnosis.baseline import Baseline
    from nndoctor.diagnosis.selection import Selection
    from nndoctor.readers.io.source import Source


@dataclass(frozen=True)
class Session:
    """Judges runs by the user's settings: given options first, then the settings file nearest to each log.

    Every entry point (command line, Python, pytest plugin, watch, train, sanity, sweep, callbacks) judges through a
    session, so that settings hold everywhere. Raises UsageError for options that make no sense.
    """

    options: SessionOptions = field(default_factory=SessionOptions)
    _own: Settings = field(init=False, repr=False)
    _file: Settings | None = field(init=False, repr=False, default=None)
    _selections: list[tuple[Settings, Selection]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_own", _own_settings(self.options))
        if self.options.config is not None:
            object.__setattr__(self, "_file", load(Path(self.options.config)))
        self.selection(self._own)  # options that make no sense are reported before any log is read

    def settings(self, log: str) -> Settings:
        """The settings in force for a log. Raises UsageError for a settings file that makes no sense."""
        file = Settings() if self.options.isolated else self._file or settings_near(log)
        return self._own.over(file.of(log)) if file.origins or file.runs else self._own

    def selection(self, settings: Settings, families: tuple[str, ...] = ()) -> Selection:
        """The rules that these settings select, worked out once; where they name none, those of `families` only."""
        from nndoctor.diagnosis.selection import selected

        known = next((c for s, c in self._selections if s == settings), None)
        if known is None:
            known = selected(settings, self.options.ignore)
            self._selections.append((settings, known))
        return known.within(families) if families and not settings.select else known

    def included(self, sources: Sequence[Source], named: Iterable[str]) -> list[Source]:
        """The sources without those that settings exclude; a log named by its own path stays."""
        own = set(named)
        return [s for s in sources if s.path in own or not self.settings(s.path).excludes(s.path)]

    def judge(
        self, run: Run, *, log: str | None = None, families: tuple[str, ...] = (), reasons: bool = True
    ) -> Report:
        """The report on a run by the settings near `log` (default: the run's own path, else the current folder).

        Where the user selects no rules, `families` (beginnings of codes) are the only ones judged. Without `reasons` the
        prognosis holds none, and takes a fraction of the time. Raises UsageError
        for a baseline that cannot be read.
        """
        from nndoctor.diagnosis.engine import diagnose

        settings = self.settings((run.path or "-") if log is None else log)
        selection = self.selection(settings, families)
        run = with_stated_facts(run, settings)
        if settings.baseline is None:
            return diagnose(run, selection.rules, selection.ignored, reasons=reasons)
        from nndoctor.diagnosis.baseline import marked_known

        good = baseline_at(settings.baseline)
        return marked_known(
            diagnose(with_facts(run, good.facts()), selection.rules, selection.ignored, reasons=reasons), good
        )

    def settings_that_pass_errors(self, logs: Iterable[str]) -> list[str]:
        """A line for each discovered settings file that lets errors pass: a log's own folder may have brought it along.

        Files that the user named with --config are trusted.
        """
        if self._file is not None or self.options.isolated:
            return []
        files = {id(file): file for file in map(settings_near, logs) if file.origins or file.runs}
        sections = chain.from_iterable(file.sections for file in files.values())
        return list(dict.fromkeys(chain.from_iterable(map(_passed_errors, sections))))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that some log is judged by, each once, in the order of the codes."""
        known = {rule.code: rule for _, selection in reversed(self._selections) for rule in selection.rules}
        return tuple(known[code] for code in sorted(known))

    def fails_at(self, logs: Sequence[str], default: str = "error") -> Severity | None:
        """The lowest severity that fails for the first of the logs, or None where no finding does."""
        from nndoctor.core.finding import Severity

        limit = (self.settings(logs[0]).fail_on if logs else None) or default
        return None if limit == "never" else Severity(limit)

    def fails(self, report: Report) -> bool:
        """Whether a report has findings that fail, by its settings (default: errors)."""
        limit = self.fails_at([report.run.path or report.source])
        return limit is not None and bool(report.at_least(limit))


def with_stated_facts(run: Run, settings: Settings) -> Run:
    """The run with what the settings state about it as facts."""
    if settings.require:
        run = with_facts(run, {"requirements": settings.require} | _meant_series(run, settings.require))
    if settings.workload is not None:
        run = with_facts(run, {"workload": settings.workload})
    return with_target(run, settings.target_error)


def _meant_series(run: Run, requirements: Iterable[str]) -> dict[str, FactValue]:
    """For each subject of a requirement that is spelled otherwise than its series, that series, as `meant:<subject>`."""
    from nndoctor.core.requirements import parse
    from nndoctor.readers.vocabulary.series_names import series_named

    subjects = {parse(text).subject for text in requirements}
    found = {subject: series_named(run, subject) for subject in subjects if subject not in run.series}
    return {f"meant:{subject}": name for subject, name in found.items() if name is not None}


@cache
def session_of(options: SessionOptions) -> Session:
    """The session for these options, opened once in each process. Raises UsageError for options that make no sense."""
    return Session(options)


def _own_settings(options: SessionOptions) -> Settings:
    """The options as settings, validated."""
    from nndoctor.analysis.workload import Workload
    from nndoctor.core.finding import Severity
    from nndoctor.readers.semantics.columns import map_pairs
    from nndoctor.settings.schema import checked_requirements

    known = (*Severity, "never")
    if options.fail_on is not None and options.fail_on not in known:
        raise UsageError(f"unknown severity '{options.fail_on}' for fail_on; expected one of {', '.join(known)}")
    if options.workload is not None and options.workload not in set(Workload):
        raise UsageError(f"unknown workload '{options.workload}'; expected one of {', '.join(Workload)}")
    return Settings(
        select=options.select,
        maps=map_pairs(options.maps),
        require=checked_requirements(options.require),
        fail_on=options.fail_on,
        target_error=options.target_error,
        workload=options.workload,
        baseline=options.baseline,
    )


def _passed_errors(settings: Settings) -> Iterator[str]:
    """What in a settings file lets errors pass, with its place."""
    from nndoctor.core.finding import Severity
    from nndoctor.diagnosis.lookup import find, named

    if settings.fail_on == "never" and "fail_on" in settings.origins:
        yield f'{settings.origins["fail_on"]}: fail-on = "never" lets every finding pass; use --isolated to judge without it'
    lower = {word for word, severity in settings.severity.items() if severity != Severity.ERROR}
    for key, words in (("ignore", set(settings.ignore)), ("severity", lower)):
        errors = sorted(rule.name for rule in map(find, named(sorted(words))) if rule.severity is Severity.ERROR)
        if errors:
            what = "ignores" if key == "ignore" else "lowers the severity of"
            place = settings.origins.get(key, "settings")
            yield f"{place}: {what} {', '.join(errors)}; use --isolated to judge without it"


@cache
def baseline_at(path: str) -> Baseline:
    """The baseline in a file. Raises UsageError if it cannot be read."""
    from nndoctor.diagnosis.baseline import from_text

    try:
        return from_text(Path(path).read_text(encoding="utf-8"), path)
    except OSError as error:
        raise UsageError(f"the baseline {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a baseline; expected a file written by 'nndoctor baseline save'") from None

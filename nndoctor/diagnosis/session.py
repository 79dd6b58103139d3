"""The settings that hold for each log, those of the command line above those of files, and the judgement by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor.core.errors import UsageError
from nndoctor.settings import Settings, with_facts, with_target
from nndoctor.settings.files import load, nearby

if TYPE_CHECKING:
    from nndoctor.core.finding import Severity
    from nndoctor.core.report import Report
    from nndoctor.core.rule import Rule
    from nndoctor.core.run import Run
    from nndoctor.diagnosis.baseline import Baseline
    from nndoctor.diagnosis.request import Task
    from nndoctor.diagnosis.selection import Choice
    from nndoctor.readers.io.source import Source


@dataclass
class Judge:
    """Reads and judges sources; `words` are the settings of the command line, which stand above every file's."""

    words: Settings = field(default_factory=Settings)
    ignore: Sequence[str] = ()
    config: str | None = None
    isolated: bool = False
    _file: Settings | None = None
    _choices: list[tuple[Settings, Choice]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.config is not None:
            self._file = load(Path(self.config))
        self.choice(self.words)  # what makes no sense is said before any log is read

    def settings(self, log: str) -> Settings:
        """What holds for a log. Raises UsageError for a settings file that makes no sense."""
        file = Settings() if self.isolated else self._file or nearby(log)
        return self.words.over(file.of(log)) if file.origins or file.runs else self.words

    def choice(self, settings: Settings) -> Choice:
        """The rules for these settings, worked out once."""
        from nndoctor.diagnosis.selection import chosen

        known = next((c for s, c in self._choices if s == settings), None)
        if known is None:
            known = chosen(settings, self.ignore)
            self._choices.append((settings, known))
        return known

    def kept(self, sources: Sequence[Source], named: Iterable[str]) -> list[Source]:
        """The sources less those that settings exclude; what is named by its own path stays."""
        own = set(named)
        return [s for s in sources if s.path in own or not self.settings(s.path).excludes(s.path)]

    def judged(self, run: Run, settings: Settings) -> Report:
        """The report on a run by these settings. Raises UsageError for a baseline that is none."""
        from nndoctor.diagnosis.engine import diagnose

        choice = self.choice(settings)
        if settings.baseline is None:
            return diagnose(self.prepared(run, settings), choice.rules, choice.ignored)
        from nndoctor.diagnosis.baseline import with_known

        good = baseline_at(settings.baseline)
        run = with_facts(run, good.facts())
        return with_known(diagnose(self.prepared(run, settings), choice.rules, choice.ignored), good)

    def prepared(self, run: Run, settings: Settings) -> Run:
        """The run with what the settings say of it among its facts."""
        if settings.require:
            run = with_facts(run, {"requirements": settings.require})
        return with_target(run, settings.target_error)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that some log is judged by, each once, in the order of the codes."""
        known = {rule.code: rule for _, choice in reversed(self._choices) for rule in choice.rules}
        return tuple(known[code] for code in sorted(known))

    def fails_at(self, logs: Sequence[str]) -> Severity | None:
        """The least severity that fails for the first of the logs, or None where no finding does."""
        from nndoctor.core.finding import Severity

        limit = (self.settings(logs[0]).fail_on if logs else None) or Severity.ERROR
        return None if limit == "never" else Severity(limit)

    def fails(self, report: Report) -> bool:
        """Whether a report has findings that fail, by its settings (default: errors)."""
        limit = self.fails_at([report.run.path or report.source])
        return limit is not None and bool(report.at_least(limit))


@cache
def judge_of(task: Task) -> Judge:
    """The judge for a task, once in each process. Raises UsageError for settings that make no sense."""
    from nndoctor.readers.semantics.columns import pairs
    from nndoctor.settings.schema import checked_requirements

    words = Settings(
        select=task.select,
        maps=pairs(task.maps),
        require=checked_requirements(task.require),
        fail_on=task.fail_on,
        target_error=task.target,
        baseline=task.baseline,
    )
    return Judge(words, task.ignore, task.config, task.isolated)


@cache
def baseline_at(path: str) -> Baseline:
    """The baseline in a file. Raises UsageError where there is none."""
    from nndoctor.diagnosis.baseline import loaded

    try:
        return loaded(Path(path).read_text(encoding="utf-8"), path)
    except OSError as error:
        raise UsageError(f"baseline {path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no baseline; wanted a file that 'nndoctor baseline save' wrote") from None

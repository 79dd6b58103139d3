"""The settings of a diagnosis as values, and what they add to the facts of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from nndoctor.core.errors import UsageError
from nndoctor.core.run import Fact, FactValue, Run

NO_GOAL = 0.75  # an error from here on is an accuracy by mistake


def share(text: str, option: str) -> float:
    """`5%` or `0.05` as a share of one. Raises UsageError for anything outside [0, 1), and for what can only be an accuracy."""
    try:
        value = float(text.strip().rstrip("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise UsageError(f"{option} wants an error between 0 and 1, or in percent (0.05 or 5%); found '{text}'")
    if value >= NO_GOAL:
        raise UsageError(
            f"{option} {text} is an error of {100 * value:.4g} %; for as much accuracy give {1 - value:.4g}"
        )
    return value


def with_facts(run: Run, facts: Mapping[str, FactValue]) -> Run:
    """The run with more facts, which take precedence over its own."""
    return replace(run, facts={**run.facts, **{name: Fact(value) for name, value in facts.items()}}) if facts else run


def with_target(run: Run, target: float | None) -> Run:
    """The run with the target error among its facts."""
    return run if target is None else with_facts(run, {"target_error": target})


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set; None or empty where nothing is. `origins` says for each key where its value came from.

    `ignore` maps a rule to the reason, `severity` a rule to a severity, `limits` a rule to the limits by name, `maps` a
    column to a series; `runs` holds the settings of sections, each with the pattern of the logs that it is for.
    """

    select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    maps: Mapping[str, str] = field(default_factory=dict)
    require: tuple[str, ...] = ()
    fail_on: str | None = None
    target_error: float | None = None
    workload: str | None = None
    baseline: str | None = None
    exclude: tuple[str, ...] = ()
    runs: tuple[tuple[str, Settings], ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""

    @property
    def sections(self) -> tuple[Settings, ...]:
        """These settings, and those of the sections in them."""
        return self, *(section for _, section in self.runs)

    def over(self, below: Settings) -> Settings:
        """These settings where they say something, else those below; tables are merged key by key."""
        merged: dict[str, object] = {}
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(below, one.name)
            if isinstance(mine, Mapping):
                merged[one.name] = {**theirs, **mine}
            else:
                merged[one.name] = theirs if mine is None or mine in ((), "") else mine
        return Settings(**merged)  # type: ignore[arg-type]  # the fields of two Settings

    def of(self, log: str) -> Settings:
        """What holds for one log: these settings, and over them the sections whose pattern fits, in their order."""
        found = self
        for pattern, section in self.runs:
            if self.fits(pattern, log):
                found = section.over(found)
        return found

    def excludes(self, log: str) -> bool:
        """Whether a log is left out."""
        return any(self.fits(pattern, log) for pattern in self.exclude)

    def fits(self, pattern: str, log: str) -> bool:
        """Whether a pattern, relative to the settings file's folder, matches this log or a folder that contains it."""
        here = Path(self.folder or ".").resolve()
        path = Path(log).resolve()
        if not path.is_relative_to(here):
            return False
        return re.fullmatch(_expression(pattern) + "(?:/.*)?", path.relative_to(here).as_posix()) is not None


def _expression(pattern: str) -> str:
    """A glob as a regular expression: `**` crosses folders, `*` and `?` do not."""
    spelled = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./").rstrip("/"))
    return "".join(spelled.get(part) or re.escape(part) for part in parts)

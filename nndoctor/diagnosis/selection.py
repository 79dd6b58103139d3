"""From settings to the rules that are judged: selection, severities, limits, and the ignored ones with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Severity
from nndoctor.core.report import Skipped
from nndoctor.core.rule import Rule
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.lookup import find, named, select
from nndoctor.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules to judge by, and those that the settings leave out."""

    rules: tuple[Rule, ...]
    ignored: tuple[Skipped, ...] = ()

    def within(self, families: tuple[str, ...]) -> Selection:
        """The part whose codes begin in one of these ways."""
        rules = tuple(rule for rule in self.rules if rule.code.startswith(families))
        return Selection(rules, tuple(skipped for skipped in self.ignored if skipped.code.startswith(families)))


def selected(settings: Settings, ignore: Iterable[str] = ()) -> Selection:
    """The choice that settings make; `ignore` are the command line's words. Raises UsageError for an unknown rule or limit."""
    if not any((settings.select, settings.ignore, settings.severity, settings.limits)):
        return Selection(select((), ignore))
    reasons = _by_code(settings, "ignore", settings.ignore)
    rules = [rule for rule in _named(settings, "select", settings.select, ignore) if rule.code not in reasons]
    if not rules:
        raise UsageError(f"{settings.origins.get('ignore', 'settings')}: no rule is left to check: all are ignored")
    severities = _by_code(settings, "severity", settings.severity)
    limits = _by_code(settings, "limits", settings.limits)
    for code, own in limits.items():
        _check_limits(settings, find(code), own)
    ignored = tuple(
        Skipped(rule.code, rule.name, f"ignored, {reasons[rule.code]}") for rule in RULES if rule.code in reasons
    )
    return Selection(tuple(_set(rule, severities.get(rule.code), limits.get(rule.code, {})) for rule in rules), ignored)


def _set(rule: Rule, severity: str | None, limits: Mapping[str, float]) -> Rule:
    if severity is not None:
        rule = replace(rule, severity=Severity(severity), severity_set_by_user=True)
    return replace(rule, limits={**rule.limits, **limits}) if limits else rule


def _named(settings: Settings, key: str, words: Iterable[str], ignore: Iterable[str]) -> tuple[Rule, ...]:
    try:
        return select(words, ignore)
    except UsageError as error:
        raise UsageError(f"{settings.origins[key]}: {error}" if key in settings.origins else str(error)) from None


def _by_code(settings: Settings, key: str, table: Mapping[str, T]) -> dict[str, T]:
    """The entries by the codes that their keys mean. Raises UsageError at the place of a key that means no rule."""
    found: dict[str, T] = {}
    for word, value in table.items():
        try:
            found.update(dict.fromkeys(named([word]), value))
        except UsageError as error:
            raise UsageError(f"{settings.origins.get(key, 'settings')}: {key}: {error}") from None
    return found


def _check_limits(settings: Settings, rule: Rule, limits: Mapping[str, float]) -> None:
    for name in limits:
        if name not in rule.limits:
            there = f"its limits are {', '.join(rule.limits)}" if rule.limits else "it has no limits to set"
            raise UsageError(
                f"{settings.origins.get('limits', 'settings')}: {rule.name} has no limit '{name}'; {there}"
            )

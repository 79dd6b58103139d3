"""Look-up of rules by code, name, beginning of a code, or common term."""

from __future__ import annotations

from collections.abc import Iterable

from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.rule import Rule
from nndoctor.diagnosis.aliases import names_meant_by
from nndoctor.diagnosis.catalogue import RULES


def find(word: str) -> Rule:
    """The rule with this code or name, or that a common term means. Raises UsageError with the nearest that exists."""
    return matching(word)[0]


def matching(word: str) -> tuple[Rule, ...]:
    """The rule with this code or name, else those that a common term means, the closest first.

    Raises UsageError with the nearest one that exists.
    """
    spelled = "-".join(word.lower().split())
    own = tuple(rule for rule in RULES if spelled in (rule.code.lower(), rule.name))
    by_name = {rule.name: rule for rule in RULES}
    found = own or tuple(by_name[name] for name in names_meant_by(word) if name in by_name)
    if not found:
        raise UsageError(f"no rule '{word}'{_nearest(word)}; see 'nndoctor rules'")
    return found


def select(chosen: Iterable[str], ignored: Iterable[str]) -> tuple[Rule, ...]:
    """The chosen rules (all when none is named) less the ignored ones: codes, names, beginnings of codes, ALL, with commas.

    Raises UsageError for a word that means no rule, and where no rule is left.
    """
    wanted = [code for word in _words(chosen) for code in _codes(word)]
    unwanted = {code for word in _words(ignored) for code in _codes(word)}
    left = tuple(r for r in RULES if (not wanted or r.code in wanted) and r.code not in unwanted)
    if not left:
        raise UsageError("no rule is left to check: every rule that is selected is also ignored")
    return left


def named(words: Iterable[str]) -> list[str]:
    """The codes that words mean: codes, names, beginnings of codes, ALL. Raises UsageError for a word that means none."""
    return [code for word in _words(words) for code in _codes(word)]


def _words(lists: Iterable[str]) -> list[str]:
    return [word.strip() for text in lists for word in text.split(",") if word.strip()]


def _codes(word: str) -> list[str]:
    if word.upper() == "ALL":
        return [rule.code for rule in RULES]
    codes = [
        rule.code
        for rule in RULES
        if rule.name == word.lower() or (word.upper().startswith("NN") and rule.code.startswith(word.upper()))
    ]
    return codes or [rule.code for rule in matching(word)]


def _nearest(word: str) -> str:
    return nearest(word, [n for rule in RULES for n in (rule.code, rule.name)])

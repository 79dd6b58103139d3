"""The keys of a settings file: what each may hold, and one line for what makes no sense."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nndoctor.analysis.workload import Workload
from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.finding import Severity
from nndoctor.core.requirements import parse
from nndoctor.settings.values import Settings, share

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SettingsPlace:
    """The place of a value: the file's name, its text, and the table that holds nndoctor's settings in it."""

    file: str
    text: str = ""
    table: str = ""
    start: int = 0

    def at(self, key: str) -> str:
        """`nndoctor.toml:3`, the line where a key is first set, else the file."""
        text = self.text
        start = self.start or (text.find(f"[{self.table}") if self.table else 0)
        bare = re.escape(key)
        found = re.compile(rf"""(?m)(?:^|[{{,.\[])[ \t]*["']?{bare}["']?[ \t]*(?:=|\.|\])""").search(
            text, max(start, 0)
        )
        if found is None:
            return self.file
        begins = found.start() + len(found[0]) - len(found[0].lstrip("\n"))
        return f"{self.file}:{text.count(chr(10), 0, begins) + 1}"

    def wrong(self, key: str, problem: str, inside: str = "") -> UsageError:
        """The error for a key."""
        return UsageError(f"{self.at(key)}: {inside + '.' if inside else ''}{key}: {problem}")


def validated(table: Table, place: SettingsPlace, folder: str) -> Settings:
    """The settings in a table of a file. Raises UsageError that names file, line and key for what makes no sense."""
    found = _section(table, place, folder, "")
    runs = table.get("runs", [])
    if not isinstance(runs, list) or not all(isinstance(one, dict) for one in runs):
        raise place.wrong("runs", f"wants sections [[{place.table or 'runs'}{'.runs' if place.table else ''}]]")
    sections = tuple(_of_runs(one, place, folder) for one in runs)
    return Settings(**found, runs=sections, folder=folder)  # type: ignore[arg-type]  # checked by KEYS


def _of_runs(table: Table, place: SettingsPlace, folder: str) -> tuple[str, Settings]:
    """The settings of a section for some runs, with the pattern of their paths."""
    path = table.get("path")
    if not isinstance(path, str):
        raise place.wrong("runs", 'each section wants a path, as in path = "llm/**"')
    rest = {key: value for key, value in table.items() if key != "path"}
    here = re.search(rf"""path\s*=\s*["']{re.escape(path)}["']""", place.text)
    values = _section(rest, replace(place, start=here.start() if here else 0), folder, f"runs '{path}'")
    return path, Settings(**values, folder=folder)  # type: ignore[arg-type]  # checked by KEYS


def _section(table: Table, place: SettingsPlace, folder: str, inside: str) -> dict[str, object]:
    keys = OF_RUNS if inside else KEYS
    found: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, value in table.items():
        if key == "runs" and not inside:
            continue
        if key not in keys:
            raise place.wrong(key, f"no such setting{nearest(key, keys)}; there are {', '.join(keys)}", inside)
        try:
            name = NAMES.get(key, key.replace("-", "_"))
            found[name] = keys[key](value)
            if name == "baseline":
                found[name] = _own_file(str(found[name]), folder)
            origins[name] = place.at(key) + (f" ({inside})" if inside else "")
        except _WrongError as error:
            raise place.wrong(error.args[1] if len(error.args) > 1 else key, error.args[0], inside) from None
        except UsageError as error:
            raise UsageError(f"{place.at(key)}: {error}") from None
    return {**found, "origins": origins}


class _WrongError(Exception):
    """A value of the wrong kind: what was wanted, and the key inside a table where that is more exact."""


def _own_file(name: str, folder: str) -> str:
    """The path of a file below the settings file's folder: a settings file from elsewhere must not make us read others."""
    path = Path(folder, name)
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)) or (real.exists() and not real.is_file()):
        raise _WrongError(f"must be a regular file below the settings file's folder; found '{name}'")
    return str(path)


def _found(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a table"}
    return f"found {kinds.get(type(value), type(value).__name__)}"


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise _WrongError(f'wants a list of text, as ["…"]; {_found(value)}')
    return tuple(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongError(f"wants text; {_found(value) if value != '' else 'it is empty'}")
    return value


def _reasons(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _WrongError(
            f'wants a table of rules, each with its reason: {{ NN104 = "short on purpose" }}; {_found(value)}'
        )
    for rule, reason in value.items():
        if not isinstance(reason, str) or not reason.strip():
            raise _WrongError(f"wants the reason why this rule is ignored, as text; {_found(reason)}", rule)
    return value


def _severities(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _WrongError(f'wants a table of rules and severities: {{ NN104 = "info" }}; {_found(value)}')
    for rule, severity in value.items():
        if severity not in list(Severity):
            raise _WrongError(f"wants error, warning or info; found {severity!r}", rule)
    return value


def _maps(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise _WrongError(f'wants a table of columns and series: {{ "my col" = "train/loss" }}; {_found(value)}')
    return value


def _limits(value: object) -> dict[str, dict[str, float]]:
    if not isinstance(value, dict):
        raise _WrongError(f"wants a table of rules and their limits; {_found(value)}")
    for rule, limits in value.items():
        if not isinstance(limits, dict):
            raise _WrongError(f"wants a table of limits: {{ gap = 0.2 }}; {_found(limits)}", rule)
        for name, limit in limits.items():
            if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit < float("inf"):
                raise _WrongError(f"wants a number not below zero; {_found(limit)}", name)
    return value


def _requirements(value: object) -> tuple[str, ...]:
    return checked_requirements(_words(value))


def checked_requirements(words: Sequence[str]) -> tuple[str, ...]:
    """The requirements as given. Raises UsageError at the first that makes no sense."""
    for word in words:
        parse(word)
    return tuple(words)


def _fail_on(value: object) -> str:
    wanted = (*Severity, "never")
    if value not in wanted:
        raise _WrongError(f"wants {', '.join(map(str, wanted[:-1]))} or never; found {value!r}")
    return str(value)


def _target(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _WrongError(f'wants an error as 0.05 or "5%"; {_found(value)}')
    return share(str(value), "target-error")


def _workload(value: object) -> str:
    if value not in set(Workload):
        raise _WrongError(f"wants one of {', '.join(Workload)}; {_found(value)}")
    return str(value)


OF_RUNS: dict[str, Callable[[object], object]] = {
    "select": _words,
    "ignore": _reasons,
    "severity": _severities,
    "limits": _limits,
    "map": _maps,
    "require": _requirements,
    "target-error": _target,
    "workload": _workload,
    "baseline": _text,
}
KEYS = {**OF_RUNS, "fail-on": _fail_on, "exclude": _words, "runs": lambda value: value}
NAMES = {"map": "maps"}

"""Finds the settings file of a log and reads it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from nndoctor.core.errors import UsageError
from nndoctor.settings.values import Settings

OWN, SHARED, TABLE = "nndoctor.toml", "pyproject.toml", "tool.nndoctor"


def settings_near(log: str) -> Settings:
    """The settings of the nearest file at or above a log's folder (`-`: the current one), or none. Raises UsageError."""
    if log == "-" or "://" in log or (":" in log and not os.path.exists(log)):
        return _upward(Path.cwd())
    if os.path.islink(log) or os.path.isdir(log):
        path = Path(os.path.realpath(log))  # unlike Path.resolve, no error for a link that leads to itself
        return _upward(path if path.is_dir() else path.parent)
    return _upward(_real(os.path.join(os.getcwd(), os.path.dirname(log))))


@cache
def _real(folder: str) -> Path:
    """A folder's path without links; of the many logs in it it is followed once."""
    return Path(folder).resolve()


@cache
def _upward(folder: Path) -> Settings:
    """Search upwards; costs a few stats if there is no file, and loads a parser only if there is one."""
    if os.path.isfile(os.path.join(folder, OWN)):
        return load(folder / OWN)
    if os.path.isfile(os.path.join(folder, SHARED)):
        found = _loaded(folder / SHARED)
        if found is not None:
            return found
    return Settings() if folder.parent == folder else _upward(folder.parent)


def load(path: Path) -> Settings:
    """The settings in a file that the user named. Raises UsageError for one without settings, or that makes no sense."""
    found = _loaded(path)
    if found is None:
        raise UsageError(f"{displayed_path(path)} has no [{TABLE}]; add that table, or name a nndoctor.toml")
    return found


def _loaded(path: Path) -> Settings | None:
    """The settings in a file; None for a pyproject.toml that holds none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{displayed_path(path)} cannot be read: {error.strerror or error}") from error
    if path.name == SHARED and b"nndoctor" not in data:
        return None
    import tomllib

    from nndoctor.settings.schema import SettingsPlace, validated

    try:
        text = data.decode()
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{displayed_path(path)} is not valid TOML: {error}") from error
    if path.name != SHARED:
        return validated(table, SettingsPlace(displayed_path(path), text), str(path.resolve().parent))
    tool = table.get("tool", {})
    if not isinstance(tool, dict) or "nndoctor" not in tool:
        return None
    if not isinstance(tool["nndoctor"], dict):
        raise UsageError(f"{displayed_path(path)}: {TABLE} wants a table")
    return validated(tool["nndoctor"], SettingsPlace(displayed_path(path), text, TABLE), str(path.resolve().parent))


def displayed_path(path: Path) -> str:
    """The path relative to the current folder if it is inside, else absolute."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_absolute() and path.is_relative_to(here) else str(path)

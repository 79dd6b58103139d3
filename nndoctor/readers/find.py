"""From what a user types to the sources it means: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from nndoctor.errors import UnreadableLog
from nndoctor.readers.remote import is_remote
from nndoctor.readers.source import MOST_PIPED, Source

LOGS = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".history", ".wandb", ".db", ".out", ".err"}
PACKED = {".gz", ".bz2", ".xz", ".zst"}  # one log each; archives are opened only when they are named
SKIPPED = {".git", "__pycache__", "node_modules", ".venv", "venv", ".ipynb_checkpoints"}


def find(words: Iterable[str], is_log: Callable[[Source], bool]) -> tuple[list[Source], list[tuple[str, str]]]:
    """The sources behind the words, each once, and for the words that mean none why not."""
    sources: dict[str, Source] = {}
    errors: list[tuple[str, str]] = []
    for word in words:
        try:
            for source in _behind(word, is_log):
                sources.setdefault(os.path.normpath(source.path), source)
        except UnreadableLog as error:
            errors.append((word, str(error)))
    return list(sources.values()), errors


def _behind(word: str, is_log: Callable[[Source], bool]) -> list[Source]:
    if word == "-":
        return [_piped()]
    if is_remote(word):
        return [Source(word)]
    path = Path(word)
    if path.is_dir():
        if is_log(Source(word)):
            return [Source(word)]
        return _below(word, is_log)
    if path.exists():
        return [Source(word)]
    matches = sorted(glob.glob(word, recursive=True)) if glob.has_magic(word) else []
    if not matches:
        what = "no file matches" if glob.has_magic(word) else "no such file"
        raise UnreadableLog(f"{word}: {what}; wanted a run log, a folder of logs, a glob or '-'")
    return [
        source
        for match in matches
        for source in (_below(match, is_log, empty=True) if Path(match).is_dir() else [Source(match)])
    ]


def _below(folder: str, is_log: Callable[[Source], bool], *, empty: bool = False) -> list[Source]:
    found: list[Source] = []
    for root, folders, files in os.walk(folder):
        if is_log(Source(root)):  # a run that is a folder: what lies in it is part of it
            found.append(Source(root))
            folders.clear()
            continue
        folders[:] = sorted(f for f in folders if f not in SKIPPED)
        paths = [os.path.join(root, name) for name in sorted(files)]
        found += [s for p in paths if Path(p).suffix.lower() in {*LOGS, *PACKED} and is_log(s := Source(p))]
    if not found and not empty:
        raise UnreadableLog(
            f"{folder}: no run log in this folder; wanted a file such as metrics.csv, log.jsonl or trainer_state.json"
        )
    return found


def _piped() -> Source:
    data = sys.stdin.buffer.read(MOST_PIPED + 1)
    if len(data) > MOST_PIPED:
        raise UnreadableLog(f"standard input holds over {MOST_PIPED >> 20} MB: give the file's path instead")
    return Source("-", data)

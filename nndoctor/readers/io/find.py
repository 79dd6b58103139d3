"""From command-line arguments to sources: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from nndoctor.core.errors import UnreadableLog, nearest
from nndoctor.readers.io.address import is_address
from nndoctor.readers.io.remote import is_remote
from nndoctor.readers.io.source import MAX_PIPED, Source

LOGS = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".history", ".wandb", ".db", ".out", ".err"}
PACKED = {".gz", ".bz2", ".xz", ".zst"}  # one log each; archives are opened only when they are named
WITH_LOGS = LOGS | PACKED
# Files with the settings of the run whose log is in the same folder.
SETTINGS = {"config.json", "hparams.json", "hyperparameters.json", "params.json", "args.json"}
SKIPPED = {"__pycache__", "node_modules", "venv", "env", "site-packages", "__MACOSX"}  # and all hidden ones
# A file that no reader takes is named in a note if it looks like a log.
REPORTED_IF_UNREAD = {".csv", ".tsv", ".jsonl", ".ndjson"}
LOG_NAME = re.compile(
    r"(?:metrics|history|progress|scalars|log|logs|train_log|training_log|loss|losses)\.(?:csv|tsv|jsonl|ndjson)(?:\.(?:gz|bz2|xz|zst))?"
)  # a file with such a name that cannot be read is a broken log
BESIDE = "only this table was read; the TensorBoard event files next to it hold the same run"
MAX_NAMES = 5000  # names of a folder that are compared with that of a missing file
MIN_LIKENESS = 0.75  # to a name that is suggested
CHECKPOINT = re.compile(r"checkpoint-\d+")
STATE = "trainer_state.json"  # of a Trainer's run, in its folder and in that of each checkpoint


@dataclass(slots=True)
class FoundLogs:
    """The logs behind some words, each once; for the words that mean none why not; what was passed over."""

    sources: list[Source] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    not_logs: list[str] = field(default_factory=list)


def check_exists(word: str) -> None:
    """Raise UnreadableLog if a word is a path at which there is nothing, or nothing that may be read."""
    if word == "-" or is_remote(word) or is_address(word):
        return
    if not os.path.exists(word) and not glob.glob(word):
        raise _nothing_at(word)
    if os.path.exists(word) and not os.access(word, os.R_OK):
        raise UnreadableLog(f"{word} cannot be read (permission denied)")


def find(words: Iterable[str], is_log: Callable[[Source], bool]) -> tuple[list[Source], list[tuple[str, str]]]:
    """The sources behind the words, each once, and for the words that mean none why not."""
    found = survey(words, is_log)
    return found.sources, found.errors


def survey(words: Iterable[str], is_log: Callable[[Source], bool]) -> FoundLogs:
    """Like `find`, and also the files in the folders that look like logs but are not."""
    found = FoundLogs()
    sources: dict[str, Source] = {}
    folders: dict[str, str] = {}
    for word in words:
        try:
            for source in _sources_of(word, is_log, found.not_logs):
                key = os.path.normcase(_real(source.path, folders)) if os.path.exists(source.path) else source.path
                if key not in sources or (sources[key].below and not source.below):  # what is named counts as named
                    sources[key] = source
        except UnreadableLog as error:
            found.errors.append((word, str(error)))
    found.sources = list(sources.values())
    return found


def _real(path: str, folders: dict[str, str]) -> str:
    """The path without links; `folders` are those of the folders that were looked up: each is followed once."""
    above, name = os.path.split(path)
    if not name or name in (os.curdir, os.pardir) or os.path.islink(path):
        return os.path.realpath(path)
    if above not in folders:
        folders[above] = _real(above, folders) if above else os.path.realpath(above)
    return os.path.join(folders[above], name)


def _sources_of(word: str, is_log: Callable[[Source], bool], passed: list[str]) -> list[Source]:
    if word == "-":
        return [_piped()]
    if not word:
        raise UnreadableLog("an empty name is not a log; expected a log file, a folder, a glob, or -")
    path = Path(word)
    if is_remote(word) or (is_address(word) and not path.exists()):
        return [Source(word)]
    if path.is_dir() and not is_log(Source(word)):
        return _below(word, is_log, passed)
    return [Source(word)] if path.exists() else _matching(word, is_log, passed)


def _matching(word: str, is_log: Callable[[Source], bool], passed: list[str]) -> list[Source]:
    """What a glob matches. Raises UnreadableLog where that is nothing, and for a name that is no glob."""
    matches = sorted(glob.glob(word, recursive=True)) if glob.has_magic(word) else []
    if not matches:
        raise _nothing_at(word)
    return [
        source
        for match in matches
        for source in (_below(match, is_log, passed, empty=True) if Path(match).is_dir() else [Source(match)])
    ]


def _nothing_at(word: str) -> UnreadableLog:
    """The error for a word behind which there is no file."""
    path = Path(word)
    if path.is_symlink():
        return UnreadableLog(f"{word} is a broken link; expected a log file, a folder, a glob, or -")
    what = "no file matches" if glob.has_magic(word) else f"no such file{similar_name(path)}"
    return UnreadableLog(f"{word}: {what}; expected a log file, a folder, a glob, or -")


def similar_name(path: Path) -> str:
    """`, did you mean 'runs/a.csv'?` if the folder of a missing file has a similar name."""
    try:
        names = [entry.name for entry in islice(os.scandir(path.parent), MAX_NAMES)]
    except OSError:
        return ""
    return nearest(path.name, sorted(names), MIN_LIKENESS).replace(
        "'", f"'{path.parent}{os.sep}", 1 if path.parent.name else 0
    )


def _below(folder: str, is_log: Callable[[Source], bool], passed: list[str], *, empty: bool = False) -> list[Source]:
    """Every log below a folder. No link to a folder is followed, so that no circle is walked."""
    found: list[Source] = []
    for root, folders, files in os.walk(folder):
        if is_log(Source.folder(root, folders, files)):  # a run that is a folder: its files are parts of it
            found.append(Source(root, below=True))
            folders.clear()
            continue
        folders[:] = _searched_folders(root, folders, files)
        found += _in(root, files, is_log, passed)
    if not found and not empty:
        raise UnreadableLog(
            f"{folder}: no run log in this folder; expected a file such as metrics.csv, log.jsonl or trainer_state.json"
        )
    return found


def _in(root: str, files: list[str], is_log: Callable[[Source], bool], passed: list[str]) -> list[Source]:
    """The logs directly in a folder; of a run's table and its event files, only the table."""
    logs: list[Source] = []
    events: list[Source] = []
    for name in sorted(name for name in files if not name.startswith(".") and name not in SETTINGS):
        source = Source(os.path.join(root, name), below=True)
        if not os.path.isfile(source.path) and not os.path.islink(source.path):
            continue  # a pipe or a device: opening it may wait for ever
        ending = os.path.splitext(name)[1].lower()
        if "tfevents" in name:
            events.append(source)
        elif (ending in WITH_LOGS and _is_log(source, is_log)) or LOG_NAME.fullmatch(name):
            logs.append(replace(source))  # without the first bytes; what is no log says so when it is read
        elif ending in REPORTED_IF_UNREAD:
            passed.append(source.path)
    return _tables_first(logs, events, is_log)


def _tables_first(logs: list[Source], events: list[Source], is_log: Callable[[Source], bool]) -> list[Source]:
    """The logs of a folder, with its event files if no table holds the same data."""
    tables = [k for k, source in enumerate(logs) if source.path.endswith(".csv")]
    if not tables:
        return [*logs, *(replace(source) for source in events if _is_log(source, is_log))]
    if events and len(tables) == 1:
        logs[tables[0]] = replace(logs[tables[0]], notes=(BESIDE,))
    return logs


def _is_log(source: Source, is_log: Callable[[Source], bool]) -> bool:
    """Whether a file is a log; what cannot be opened is taken for one, so that the reader says why."""
    try:
        return is_log(source)
    except (UnreadableLog, OSError):
        return True


def _searched_folders(root: str, folders: list[str], files: list[str]) -> list[str]:
    """The folders to search: none hidden, no environment, and of a run's checkpoints only the last."""

    def has(folder: str, name: str) -> bool:
        return os.path.exists(os.path.join(root, folder, name))

    kept = [f for f in sorted(folders) if not f.startswith(".") and f not in SKIPPED and not has(f, "pyvenv.cfg")]
    checkpoints = [f for f in kept if CHECKPOINT.fullmatch(f) and has(f, STATE)]
    last = None if STATE in files else max(checkpoints, key=lambda f: int(f.rpartition("-")[2]), default=None)
    return [f for f in kept if f not in checkpoints or f == last]  # each state holds all that those before it held


def _piped() -> Source:
    data = sys.stdin.buffer.read(MAX_PIPED + 1)
    if len(data) > MAX_PIPED:
        raise UnreadableLog(f"standard input is larger than {MAX_PIPED >> 20} MB; give the path of the file instead")
    return Source("-", data)

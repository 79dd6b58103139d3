"""Results of logs that were read before, in one database in the user's cache folder; a second run reads only what is new.

A result counts for a log of the same path, size and time of change, with the same settings in the files beside it, judged
by the same settings and the same nndoctor.
Whatever is wrong with the database, the logs are read as without it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nndoctor._version import __version__
from nndoctor.core.run import LAYER
from nndoctor.diagnosis.result import Detail, LogResult
from nndoctor.diagnosis.session import session_of
from nndoctor.diagnosis.stored import from_text, to_text
from nndoctor.readers.semantics.settings_files import settings_beside

if TYPE_CHECKING:
    from nndoctor.diagnosis.request import SessionOptions
    from nndoctor.readers.io.source import Source

FOLDER = "NNDOCTOR_CACHE_DIR"
DAYS = 30  # that a result is kept
# Seconds: a log that changed so shortly ago may change again within one tick of the file system's clock.
FRESH_SECONDS = 0.1
MAX_FILES = 200  # of a run that is a folder
MAX_POINTS = 100_000  # of the series that are stored of a log
TABLE = "CREATE TABLE IF NOT EXISTS results (place TEXT PRIMARY KEY, stamp TEXT, written REAL, result BLOB)"
BATCH = 200  # results that are written at a time


def cache_folder() -> Path:
    """Where the platform keeps caches; NNDOCTOR_CACHE_DIR takes precedence."""
    own = os.environ.get(FOLDER)
    if own:
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "nndoctor/Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/nndoctor"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nndoctor"


class Cache:
    """The results by the path of their log; each has a stamp, which says what it counts for."""

    def __init__(self, options: SessionOptions, detail: Detail) -> None:
        self._options, self._detail = options, detail
        self._stamps: dict[str, str | None] = {}  # as they were before the logs were read
        self._new: list[tuple[str, str, float, bytes]] = []
        self._file = cache_folder() / "results.sqlite"
        self._data = _opened(self._file)

    def __contains__(self, source: Source) -> bool:
        """Whether the result of a log is known."""
        self._stamps[source.path] = self._stamp(source)
        return bool(self._row("1", source))

    def get(self, source: Source) -> LogResult | None:
        """The result of a log as it was; None where it is damaged."""
        row = self._row("result", source)
        if not isinstance(row, bytes):
            return None
        try:
            error, _, text = zlib.decompress(row).decode().partition("\n")
            return LogResult(from_text(text), error, left_out=bool(error))
        except (ValueError, zlib.error):
            return None

    def put(self, source: Source, result: LogResult) -> None:
        """Keep a result, unless the log cannot be read, or may still change unseen."""
        stamp = self._stamps.get(source.path)
        if stamp is None or (result.error and not result.left_out) or _large(result):
            return
        whole = zlib.compress(f"{' '.join(result.error.split())}\n{to_text(result.reports)}".encode(), 1)
        self._new.append((self._place(source), stamp, time.time(), whole))
        if len(self._new) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is new; where that is not possible, it is read again next time."""
        try:
            with self._data:
                self._data.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", self._new)
        except sqlite3.Error as error:
            self._disable(error)
        self._new.clear()

    def _row(self, what: str, source: Source) -> object:
        stamp = self._stamps.get(source.path)
        if stamp is None:
            return None
        asked = f"SELECT {what} FROM results WHERE place = ? AND stamp = ?"  # noqa: S608 - one of two words of our own
        try:
            found = self._data.execute(asked, (self._place(source), stamp)).fetchone()
        except sqlite3.Error as error:
            self._disable(error)
            return None
        return None if found is None else found[0]

    def _disable(self, error: sqlite3.Error) -> None:
        """Continue without the database; a damaged one is removed."""
        self._data.close()
        if not isinstance(error, sqlite3.OperationalError):
            _removed(self._file)
        self._data = _empty_database()

    def _place(self, source: Source) -> str:
        """The key of a result: the path as it is shown, and its absolute path."""
        return f"{self._detail}\n{source.path}\n{os.path.abspath(source.path)}"  # noqa: PTH100 - links are not followed

    def _stamp(self, source: Source) -> str | None:
        """What a result depends on; None for what has no time of change, or changed a moment ago."""
        files = None if source.data is not None else _files(source)
        if files is None or max(changed for _, _, changed in files) > time.time_ns() - FRESH_SECONDS * 1e9:
            return None
        settings = session_of(self._options).settings(source.path)
        used = [file for file in (self._options.config, settings.baseline) if file]
        beside = settings_beside(source.path)
        known = (files, beside, source.below, source.notes, self._options, settings, _changed(used), _version_key())
        return hashlib.sha256(repr(known).encode()).hexdigest()


def with_cache(
    sources: Sequence[Source], cached: Cache, judge: Callable[[Sequence[Source]], Iterator[LogResult]]
) -> Iterator[LogResult]:
    """The results in the order of the sources; only what is not known is judged, all of it in one go."""
    known = [source in cached for source in sources]
    fresh = judge([source for source, is_known in zip(sources, known, strict=True) if not is_known])
    return _merged(sources, known, cached, fresh, judge)


def _merged(
    sources: Sequence[Source],
    known: Sequence[bool],
    cached: Cache,
    fresh: Iterator[LogResult],
    judge: Callable[[Sequence[Source]], Iterator[LogResult]],
) -> Iterator[LogResult]:
    try:
        for source, is_known in zip(sources, known, strict=True):
            result = cached.get(source) if is_known else None
            if result is None:
                result = next(judge([source])) if is_known else next(fresh)
                cached.put(source, result)
            yield result
    finally:
        cached.flush()


def _files(source: Source) -> list[tuple[str, int, int]] | None:
    """Name, size and time of change of the file, or of all in the folder; None where there are too many."""
    if not source.is_dir:
        return _changed([source.path])
    found: list[str] = []
    for root, _, names in os.walk(source.path):
        found += [os.path.join(root, name) for name in sorted(names)]  # noqa: PTH118 - asked of thousands
        if len(found) > MAX_FILES:
            return None
    return _changed(found) if found else None


def _changed(paths: Sequence[str]) -> list[tuple[str, int, int]] | None:
    try:
        seen = [os.stat(path) for path in paths]  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return [(path, one.st_size, one.st_mtime_ns) for path, one in zip(paths, seen, strict=True)]


def _large(result: LogResult) -> bool:
    series = (s for r in result.reports for name, s in r.run.series.items() if not name.startswith(LAYER))
    return sum(map(len, series)) > MAX_POINTS


@cache
def _version_key() -> str:
    """This nndoctor: its version, and its files, which change under a developer's hands."""
    own = Path(__file__).parents[1]
    files = sorted(str(file) for ending in ("*.py", "*.npz") for file in own.rglob(ending))
    return f"{__version__} {hashlib.sha256(repr(_changed(files)).encode()).hexdigest()}"


def _opened(file: Path) -> sqlite3.Connection:
    """The database, created if missing; a damaged one is replaced, one that cannot be opened is left alone."""
    for _ in range(2):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            data = sqlite3.connect(file, timeout=5)
        except (OSError, sqlite3.Error):
            break
        try:
            data.execute(TABLE)
            with data:
                data.execute("DELETE FROM results WHERE written < ?", (time.time() - DAYS * 86400,))
        except sqlite3.OperationalError:  # locked, or in a folder where nothing may be written
            data.close()
            break
        except sqlite3.DatabaseError:
            data.close()
            _removed(file)
        else:
            return data
    return _empty_database()


def _removed(file: Path) -> None:
    """Remove a damaged database where that is possible."""
    with suppress(OSError):
        file.unlink(missing_ok=True)


def _empty_database() -> sqlite3.Connection:
    """An empty database in memory."""
    data = sqlite3.connect(":memory:")
    data.execute(TABLE)
    return data

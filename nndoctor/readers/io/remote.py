"""Logs on other machines (`s3://`, `gs://`, `https://`, `ssh://` …), fetched through fsspec when such a path is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from nndoctor.core.errors import MissingExtra, UnreadableLog
from nndoctor.core.run_folder import LAYERS
from nndoctor.readers.io.source import Source

PROTOCOL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[A-Za-z].*)?://")
MAX_BYTES = 1 << 30  # bytes that are fetched
MAX_FILES = 2000  # of a folder
FETCHED_ENDINGS = {
    "", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".history", ".wandb", ".db", ".out", ".err", ".md",
    ".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".parquet", ".feather", ".ipynb", ".yaml", ".yml", ".v2",
}  # fmt: skip
"""Endings of files that may be a run's log; weights and images are not fetched."""


def is_remote(path: str) -> bool:
    """Whether a path names a protocol: `s3://bucket/run.csv`; a path of this machine never does."""
    return PROTOCOL.match(path) is not None


@contextmanager
def fetched(path: str, only: str = "") -> Iterator[Source]:
    """The file, or the folder with the files that may be logs (or have `only` in their names), while the block lasts.

    Raises UnreadableLog where it is not there or too large, MissingExtra where fsspec or its part is not installed.
    """
    system, inner = _system(path)
    try:
        if system.isfile(inner) or path.startswith(("http://", "https://")):
            yield Source(path, _bytes(system, inner, path))
            return
        names = [name for name in system.find(inner) if _is_kept(str(name), only)]
        if not names:
            raise UnreadableLog(f"{path}: nothing found; expected a run log or a folder of logs")
    except (OSError, ValueError, RuntimeError) as error:
        raise UnreadableLog(f"{path} cannot be fetched: {_line(error)}") from error
    import tempfile

    with tempfile.TemporaryDirectory(prefix="nndoctor-") as folder:
        _copy(system, inner, names, Path(folder), path)
        yield Source(folder)


def _is_kept(name: str, only: str) -> bool:
    """Whether a file of a folder is fetched."""
    path = PurePosixPath(name)
    return (
        only in path.name
        if only
        else path.suffix.lower() in FETCHED_ENDINGS or "tfevents" in path.name or path.name == LAYERS
    )


def _system(path: str) -> tuple[Any, str]:
    """The file system of a path, and the path within it."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra(f"reading {path.partition('://')[0]}:// paths", "fsspec", "remote") from error
    try:
        system, inner = fsspec.core.url_to_fs(path)
    except ImportError as error:
        raise UnreadableLog(f"{path}: {_line(error)}; or pip install 'nndoctor[remote]'") from error
    except (ValueError, OSError) as error:
        raise UnreadableLog(f"{path} cannot be opened: {_line(error)}") from error
    return system, str(inner)


def _bytes(system: Any, name: str, path: str) -> bytes:  # noqa: ANN401 - fsspec ships no types
    with system.open(name, "rb") as file:
        data: bytes = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableLog(f"{path} is larger than {MAX_BYTES >> 30} GB; download it yourself and give the file")
    return data


def _copy(system: Any, top: str, names: list[str], folder: Path, path: str) -> None:  # noqa: ANN401
    """The files below a remote folder into one here, within bounds, and never outside of it."""
    if len(names) > MAX_FILES:
        raise UnreadableLog(f"{path} has more than {MAX_FILES} files; give the folder of one run")
    left = MAX_BYTES
    for name in names:
        parts = PurePosixPath(name.removeprefix(top).lstrip("/")).parts
        if not parts or ".." in parts:
            continue
        place = folder.joinpath(*parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            data = _bytes(system, name, path)
        except OSError as error:
            raise UnreadableLog(f"{path} cannot be fetched: {_line(error)}") from error
        left -= len(data)
        if left < 0:
            raise UnreadableLog(f"{path} is larger than {MAX_BYTES >> 30} GB; give the folder of one run")
        place.write_bytes(data)


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

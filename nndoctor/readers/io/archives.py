"""Compressed logs and archives of logs, unpacked within bounds: one log into memory, many into a temporary folder."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from nndoctor.core.errors import MissingExtra, UnreadableLog
from nndoctor.readers.io.find import LOGS, SKIPPED
from nndoctor.readers.io.source import HEAD, PIECE, Source

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
FIRST = {magic[:1] for magic in MAGIC}
TAR = slice(257, 262)  # where a tar file says `ustar`
ALWAYS_ALLOWED = 64 << 20  # bytes that a file of any size may unpack to
MAX_RATIO = 50  # a larger file may unpack to this many times its size; logs compress 5 to 20 times
MAX_BYTES = 1 << 30  # bytes that no file may unpack to
MAX_FILES = 10_000  # of an archive
MAX_SHOWN = 80  # characters of a member's name or an error that are shown
BAD_PLACE = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL}  # a member's name is to blame
UNPACKED_ENDINGS = {*LOGS, "", ".db", ".md", ".out", ".err", ".gz", ".bz2", ".xz", ".zst", ".v2"}
CUT = "the compressed file is truncated or damaged; the part before was read"

# What the unpackers raise for broken data; named, as most of them are loaded only where something is packed.
BROKEN = {"EOFError", "error", "LZMAError", "ZstdError", "BadGzipFile", "BadZipFile", "OSError", "ValueError"}


def packing(source: Source) -> str | None:
    """How a file is packed, by its first bytes: gzip, bzip2, xz, zstd, zip or tar; None where it is not."""
    if source.is_dir or (source.head[:1] not in FIRST and source.head[TAR] != b"ustar"):
        return None
    found = next((kind for magic, kind in MAGIC.items() if source.head.startswith(magic)), None)
    return found or ("tar" if source.head[TAR] == b"ustar" else None)


def start_unpacked(source: Source) -> Source | None:
    """The first bytes of what a compressed file holds, as a source; None for an archive or what cannot be unpacked."""
    if packing(source) in ("zip", "tar"):
        return None
    try:
        with _opened(source) as stream:
            data = _read_at_most(stream, HEAD)[0]
    except (UnreadableLog, MissingExtra):
        return None
    return None if data[TAR] == b"ustar" else replace(source, data=data)


def unpacked(source: Source) -> Source:
    """What a compressed file holds. Raises UnreadableLog where that is out of bounds, MissingExtra for zstd without it."""
    bound = _bound(source)
    with _opened(source) as stream:
        data, broken = _read_at_most(stream, bound + 1)
    if len(data) > bound:
        raise UnreadableLog(_too_much(source, bound))
    if broken and not data:
        raise UnreadableLog(f"{source.path} cannot be decompressed; is the copy complete?")
    return replace(source, data=data, notes=(*source.notes, CUT) if broken else source.notes)


@contextmanager
def unpacked_archive(source: Source) -> Iterator[tuple[Path, list[str]]]:
    """A folder with the logs of an archive, there for as long as the block lasts, and a line for each bad member.

    Only plain files with a log's name are unpacked, never a link or a path that leads out of the folder. A member
    that cannot be unpacked is left out. Raises UnreadableLog where the archive is out of bounds, or nothing is whole.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="nndoctor-") as name:
        folder = Path(name).resolve()
        bad: list[str] = []
        good = 0
        left, bound = _bound(source), _bound(source)
        try:
            for member, opened in _members(source):
                left, problem = _unpacked_member(opened, folder.joinpath(*member.parts), left)
                if left < 0:
                    break
                good += not problem
                if problem:
                    bad.append(f"{_short(str(member))} in the archive cannot be extracted ({problem})")
        except Exception as error:
            if not _is_broken(error):
                raise
            if not good:
                raise UnreadableLog(
                    f"{source.path} is an archive that cannot be extracted ({_short(str(error))})"
                ) from error
            bad.append(f"the archive is truncated ({_short(str(error))})")
        if left < 0:
            raise UnreadableLog(_too_much(source, bound))
        yield folder, bad


def _unpacked_member(opened: Callable[[], IO[bytes] | None], place: Path, left: int) -> tuple[int, str]:
    """Write a member to its place: how many bytes may still come, and what went wrong with this member, if anything."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file, opened() or io.BytesIO() as stream:
            return _write(stream, file, left), ""
    except OSError as error:
        if error.errno not in BAD_PLACE:
            raise
        return left, error.strerror or str(error)
    except Exception as error:
        if not _is_broken(error):
            raise
        place.unlink(missing_ok=True)  # half a log would be judged as a whole one
        return left, _short(str(error))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _write(stream: IO[bytes], file: IO[bytes], left: int) -> int:
    """Copy a stream, and give how many bytes may still come; below 0 it was too much."""
    while left >= 0 and (piece := stream.read(min(PIECE, left + 1))):
        left -= len(piece)
        file.write(piece)
    return left


def is_archive(source: Source) -> bool:
    """Whether a file is a zip or a tar, compressed or not."""
    kind = packing(source)
    if kind is None or kind in ("zip", "tar"):
        return kind is not None
    with _opened(source) as stream:
        return _read_at_most(stream, 512)[0][TAR] == b"ustar"


def _members(source: Source) -> Iterator[tuple[PurePosixPath, Callable[[], IO[bytes] | None]]]:
    """The name of each member that may hold a log, and what opens it."""
    import tarfile
    import zipfile

    if packing(source) == "zip":
        with source.open() as file, zipfile.ZipFile(file) as archive:
            for item in archive.infolist()[:MAX_FILES]:
                name = _safe(item.filename)
                if name is not None and not item.is_dir():
                    yield name, partial(archive.open, item)
        return
    with _opened(source) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        for count, part in enumerate(archive):
            if count >= MAX_FILES:
                return
            name = _safe(part.name)
            if name is not None and part.isreg():
                yield name, partial(archive.extractfile, part)


def _safe(name: str) -> PurePosixPath | None:
    """A member's path within the folder, or None for one that leads out of it or is no log by its name."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or not path.parts or any(map(_is_odd, path.parts)):
        return None
    known = path.suffix.lower() in UNPACKED_ENDINGS or "tfevents" in path.name or path.name == "layers.bin"
    return path if known else None


def _is_odd(part: str) -> bool:
    """Whether a part of a path leads out of the folder, is hidden or is of an environment."""
    return part.startswith(".") or part in SKIPPED or ":" in part or "\0" in part


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    """The bytes that a compressed file holds, as a stream; those of a plain file as they are."""
    with source.open() as file:
        yield UNPACKERS.get(packing(source) or "", _plain)(file)


def _plain(file: IO[bytes]) -> IO[bytes]:
    return file


def _gzip(file: IO[bytes]) -> IO[bytes]:
    import gzip

    return cast("IO[bytes]", gzip.GzipFile(fileobj=file))


def _bzip2(file: IO[bytes]) -> IO[bytes]:
    import bz2

    return bz2.open(file)


def _xz(file: IO[bytes]) -> IO[bytes]:
    import lzma

    return lzma.open(file)


def _zstd(file: IO[bytes]) -> IO[bytes]:
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtra("reading .zst files", "zstandard", "zst") from error
    reader: IO[bytes] = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file, read_across_frames=True)
    return reader


UNPACKERS = {"gzip": _gzip, "bzip2": _bzip2, "xz": _xz, "zstd": _zstd}


def _read_at_most(stream: IO[bytes], most: int) -> tuple[bytes, bool]:
    """At most that many bytes of a stream, and whether it broke off."""
    pieces: list[bytes] = []
    left = most
    some = getattr(stream, "read1", stream.read)  # gives what there is before it fails
    try:
        while left > 0 and (piece := some(min(PIECE, left))):
            pieces.append(piece)
            left -= len(piece)
    except Exception as error:
        if not _is_broken(error):
            raise
        return b"".join(pieces), True
    return b"".join(pieces), False


def _is_broken(error: Exception) -> bool:
    """Whether an error is that of an unpacker who finds its data broken, locked, or packed in a way it does not know."""
    name = type(error).__name__
    return (
        name in BROKEN
        or name.endswith(("HeaderError", "ReadError", "TarError"))
        or type(error) in (RuntimeError, NotImplementedError)
    )


def _bound(source: Source) -> int:
    return min(MAX_BYTES, max(ALWAYS_ALLOWED, MAX_RATIO * source.size))


def _too_much(source: Source, bound: int) -> str:
    return f"{source.path} decompresses to over {bound >> 20} MB, too large for a log; extract it yourself and give the log file"

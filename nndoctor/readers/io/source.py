"""A source, the input of a reader: a file, a folder or standard input, with its first bytes."""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from nndoctor.core.errors import UnreadableLog

HEAD = 65536  # bytes that a sniff may look at
MAX_LINE = 16 << 20  # bytes of one line; a run log's line is never longer, a hostile one may be endless
MAX_TEXT = 2 << 30  # bytes of a file that is taken into memory whole
MAX_PIPED = 512 << 20  # bytes read from standard input
MAX_STREAMED = 8 << 30  # bytes of a file that is read piece by piece
LARGE_TEXT, PIECES = 48 << 20, 16 << 20  # bytes beyond which lines are read in pieces, and of one piece
PIECE = 1 << 20  # bytes read at a time
NUMBERS = b"0123456789.+-eE"  # what plain numbers are made of
UNMARKED = bytes(sorted({*range(256)} - {*b",\t;"}))  # what is no delimiter
NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP, errno.EINVAL}  # what is wrong with a path of nothing
CONTROL = bytes([*range(8), *range(14, 27), *range(28, 32)])  # not 8: bars draw back; not 27: colours
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)")  # colours, cursor, links
LOGGED = {"#015": "\r", "#033": "\x1b", "#010": "\b"}  # control characters as syslog spells them, and clouds after it


@dataclass(frozen=True)
class Source:
    """A file or a directory by its path, or `data` piped in under the name `-`.

    `kept` are the columns that the user named with --map: no reader may drop them for being unknown. `notes` are what
    was seen before any reader (that a compressed file is cut off). `below` marks what was found in a folder, and not
    named: where it cannot be read, that is no error.
    """

    path: str
    data: bytes | None = None
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    below: bool = False

    @classmethod
    def folder(cls, path: str, folders: Iterable[str], files: Iterable[str]) -> Self:
        """A folder whose entries are already known."""
        source = cls(path)
        vars(source).update(
            is_dir=True, is_file=False, entries=dict.fromkeys(files, False) | dict.fromkeys(folders, True)
        )
        return source

    @cached_property
    def _path(self) -> Path:
        return Path(self.path)

    @cached_property
    def _stat(self) -> os.stat_result | None:
        """The cached result of stat; None if the path does not exist or the data was piped in."""
        if self.data is not None:
            return None
        try:
            return self._path.stat()
        except OSError as error:
            if error.errno not in NOTHING:
                raise
        except ValueError:  # a path with a NUL in it
            pass
        return None

    @property
    def name(self) -> str:
        """The file's name, without its folders."""
        return self._path.name

    @cached_property
    def is_dir(self) -> bool:
        """Whether the source is a directory."""
        return self._stat is not None and stat.S_ISDIR(self._stat.st_mode)

    @cached_property
    def is_file(self) -> bool:
        """Whether the source is a file on this machine."""
        return self._stat is not None and stat.S_ISREG(self._stat.st_mode)

    @cached_property
    def entries(self) -> dict[str, bool]:
        """The entries of a folder: name -> whether it is a folder itself; listed once for all readers."""
        if not self.is_dir:
            return {}
        try:
            with os.scandir(self.path) as found:
                return {entry.name: entry.is_dir() for entry in found}
        except OSError:  # one that may not be entered holds nothing for us
            return {}

    @cached_property
    def size(self) -> int:
        """Bytes in the file."""
        if self.data is not None:
            return len(self.data)
        return self._path.stat().st_size if self._stat is None else self._stat.st_size

    def open(self) -> io.BufferedReader | io.BytesIO:
        """The bytes from the start. Raises UnreadableLog where the file cannot be opened."""
        if self.data is not None:
            return io.BytesIO(self.data)
        if self._stat is not None and not stat.S_ISREG(self._stat.st_mode):  # a pipe or a device may never end
            raise UnreadableLog(f"{self.path} is not a regular file; pipe its content in: nndoctor diagnose -")
        try:
            return self._path.open("rb")
        except OSError as error:
            reason = error.strerror or error
            raise UnreadableLog(f"{self.path} cannot be opened: {reason}") from error

    @cached_property
    def head(self) -> bytes:
        """The first bytes; none for a directory. Raises UnreadableLog where the file cannot be opened."""
        if self.is_dir:
            return b""
        with self.open() as file:
            return file.read(HEAD)

    def whole(self) -> bytes:
        """All its bytes, for what is known to be small; the first are not read twice."""
        if self.size <= len(self.head) < HEAD:
            return self.head
        with self.open() as file:
            return file.read()

    @cached_property
    def encoding(self) -> str:
        """By the byte order mark, else UTF-8, else GB18030 or Latin-1 by what decodes."""
        marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
        for mark, name in marks:
            if self.head.startswith(mark):
                return name
        if wide := _wide(self.head[:4096]):
            return wide
        if self.head.isascii():
            return "utf-8"
        for name in ("utf-8", "gb18030"):
            try:
                codecs.getincrementaldecoder(name)().decode(self.head)
            except UnicodeDecodeError:
                continue
            return name
        return "latin-1"

    @cached_property
    def is_text(self) -> bool:
        """Whether the first bytes are text: few control characters; next to NUL bytes none, and lines of valid UTF-8."""
        if self.encoding.startswith("utf-16"):
            return True
        if b"\0" in self.head:
            return _is_text_around_nuls(self.head.replace(b"\0", b""))
        first = self.head[:4096]
        odd = len(first) - len(first.translate(None, CONTROL))
        return odd <= len(first) // 50

    @cached_property
    def start(self) -> str:
        """The first bytes as text, its lines ended by a plain newline."""
        return _plain_lines(self.head.decode(self.encoding, errors="replace"))

    @cached_property
    def above_plain_rows(self) -> bytes | None:
        """The first line if only numbers follow, with the same delimiters in each row; else None."""
        head = self.head
        end, last = head.find(b"\n"), head.rfind(b"\n")
        if end <= 0 or last == end:
            return None
        header, rows = head[:end], head[end + 1 : last + 1]
        marks = header.translate(None, UNMARKED) + b"\n"
        left = rows.translate(None, NUMBERS)
        return header if left == marks * (len(left) // len(marks)) else None

    def beginning(self, size: int) -> str:
        """The first `size` bytes as text, for the rare log whose first line is longer than the head."""
        with self.open() as file:
            return _plain_lines(file.read(size).decode(self.encoding, errors="replace"))

    def text(self) -> str:
        """The whole file as text, its lines ended by a plain newline. Raises UnreadableLog where it is no log's size."""
        if self.size > MAX_TEXT:
            raise UnreadableLog(
                f"{self.path} is larger than {MAX_TEXT >> 30} GB, too large for a run log; keep fewer steps or columns"
            )
        pieces: list[bytes] = []
        line = 0
        with self.open() as file:
            while piece := file.read(PIECE):
                end = piece.rfind(b"\n")
                line = len(piece) - end if end >= 0 else line + len(piece)
                if line > MAX_LINE:
                    raise UnreadableLog(
                        f"{self.path} has a line of over {MAX_LINE >> 20} MB, too long for a run log; is this the right file?"
                    )
                pieces.append(piece)
        return _plain_lines(b"".join(pieces).decode(self.encoding, errors="replace"))


def pieces(source: Source) -> Iterator[str]:
    """The file as texts of whole lines, each of about PIECES bytes, so that memory stays small. Raises as `text` does."""
    if source.size <= LARGE_TEXT or source.encoding.startswith("utf-16"):
        yield source.text()
        return
    if source.size > MAX_STREAMED:
        raise UnreadableLog(
            f"{source.path} is larger than {MAX_STREAMED >> 30} GB, too large for a run log; keep fewer lines"
        )
    rest = b""
    with source.open() as file:
        while block := file.read(PIECES):
            whole, newline, rest_of_line = (rest + block).rpartition(b"\n")
            if len(rest_of_line) > MAX_LINE:
                raise UnreadableLog(
                    f"{source.path} has a line of over {MAX_LINE >> 20} MB, too long for a run log; is this the right file?"
                )
            rest = rest_of_line
            if whole:
                yield _plain_lines((whole + newline).decode(source.encoding, errors="replace"))
    if rest:
        yield _plain_lines(rest.decode(source.encoding, errors="replace"))


def _is_text_around_nuls(rest: bytes) -> bool:
    """Whether what is left of a head without its NUL bytes is the text of a log, and not a binary file that holds words."""
    if b"\n" not in rest or len(rest.translate(None, CONTROL)) < len(rest):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(rest)
    except UnicodeDecodeError:
        return False
    return True


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every other byte is zero."""
    half = len(head) // 2
    if half < 8 or b"\0" not in head:
        return None
    low, high = head[0 : 2 * half : 2], head[1 : 2 * half : 2]
    for name, text, zeros in (("utf-16-le", low, high), ("utf-16-be", high, low)):
        if zeros.count(0) > 0.9 * half and text.count(0) == 0:
            return name
    return None


def _plain_lines(text: str) -> str:
    """CR LF, and the CR CR LF of files written twice as text on Windows, become one newline; so do old lone CRs.

    The escape sequences of a terminal's colours are taken out, and NUL characters.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    if "#015" in text or "#033[" in text:
        for spelled, character in LOGGED.items():
            text = text.replace(spelled, character)
    if "\x1b" in text:
        text = ESCAPES.sub("", text)
    if "\r" not in text:
        return text
    if "\n" not in text:
        return text.replace("\r", "\n")
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n")

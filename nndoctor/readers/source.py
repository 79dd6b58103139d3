"""A source: what a reader is given, a file, a directory or standard input, with its first bytes at hand."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from nndoctor.errors import UnreadableLog

HEAD = 65536  # bytes that a sniff may look at
BLOCK = 1 << 20  # bytes read at a time
LONGEST = 16 << 20  # bytes of one line; a run log's line is never longer, a hostile one may be endless
MOST_PIPED = 512 << 20  # bytes read from standard input


@dataclass(frozen=True)
class Source:
    """A file or a directory by its path, or `data` piped in under the name `-`."""

    path: str
    data: bytes | None = None

    @property
    def name(self) -> str:
        """The file's name, without its folders."""
        return Path(self.path).name

    @cached_property
    def is_dir(self) -> bool:
        """Whether the source is a directory."""
        return self.data is None and Path(self.path).is_dir()

    @cached_property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self.data) if self.data is not None else Path(self.path).stat().st_size

    def open(self) -> IO[bytes]:
        """The bytes from the start."""
        return io.BytesIO(self.data) if self.data is not None else Path(self.path).open("rb")

    @cached_property
    def head(self) -> bytes:
        """The first bytes; none for a directory. Raises UnreadableLog where the file cannot be opened."""
        if self.is_dir:
            return b""
        try:
            with self.open() as file:
                return file.read(HEAD)
        except OSError as error:
            raise UnreadableLog(f"{self.path} cannot be opened: {error.strerror or error}") from error

    @cached_property
    def encoding(self) -> str:
        """By the byte order mark, else UTF-8, else GB18030 or Latin-1 by what decodes."""
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if self.head.startswith(mark):
                return name
        for name in ("utf-8", "gb18030"):
            try:
                codecs.getincrementaldecoder(name)().decode(self.head)
            except UnicodeDecodeError:
                continue
            return name
        return "latin-1"

    @cached_property
    def is_text(self) -> bool:
        """Whether the first bytes are text: no NUL once the byte order mark is heeded, few control characters."""
        if self.encoding == "utf-16":
            return True
        odd = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in self.head[:4096])
        return b"\0" not in self.head and odd <= len(self.head[:4096]) // 50

    @cached_property
    def start(self) -> str:
        """The first bytes as text."""
        return self.head.decode(self.encoding, errors="replace").lstrip("\ufeff")

    def text(self) -> str:
        """The whole file as text. Raises UnreadableLog past the longest line."""
        self.check_lines()
        with self.open() as file:
            data = file.read()
        return data.decode(self.encoding, errors="replace").lstrip("\ufeff")

    def check_lines(self) -> None:
        """Raise UnreadableLog for a line longer than any log's, before any reader takes it into memory."""
        if self.size <= LONGEST:
            return
        length = 0
        with self.open() as file:
            while block := file.read(BLOCK):
                first, last = block.find(b"\n"), block.rfind(b"\n")
                if length + (len(block) if first < 0 else first) > LONGEST:
                    raise UnreadableLog(
                        f"{self.path} has a line of over {LONGEST >> 20} MB: no run log has; is it the right file?"
                    )
                length = length + len(block) if first < 0 else len(block) - last - 1

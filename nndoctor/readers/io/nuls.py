"""NUL bytes within text: what a crash of the machine leaves where a file had grown and its content was not yet written."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from nndoctor.readers.io.source import HEAD, MAX_PIPED, Source

LOST = re.compile(rb"\0{8,}")  # so many are a block that was lost; fewer are a program's own


def without_nuls(source: Source) -> Source:
    """A text log as it is around its NUL bytes, with a note; any other source unchanged."""
    if source.is_dir or not (source.data is not None or source.is_file):
        return source
    if source.size > MAX_PIPED or not _has_nuls(source):
        return source
    if not source.is_text or source.encoding.startswith("utf-16"):
        return source
    with source.open() as file:
        data = file.read()
    note = f"NUL bytes in the file ({data.count(0):,}), as a crash of the machine leaves them, were skipped"
    return replace(source, data=_around(data), notes=(*source.notes, note))


def _around(data: bytes) -> bytes:
    """Text without its NUL bytes; a line that a lost block cuts off is left out where another one follows the block."""
    first, *others = LOST.split(data)
    pieces = [first]
    for piece in others:
        if piece and not piece.startswith((b"\n", b"\r")):
            pieces[-1] = pieces[-1][: pieces[-1].rfind(b"\n") + 1]
        pieces.append(piece)
    return b"".join(pieces).replace(b"\0", b"")


def _has_nuls(source: Source) -> bool:
    """Whether the first bytes of a file, or the last, which a crash leaves unwritten, hold any."""
    if b"\0" in source.head:
        return True
    if source.size <= HEAD:
        return False
    with source.open() as file:
        file.seek(-HEAD, os.SEEK_END)
        return b"\0" in file.read(HEAD)

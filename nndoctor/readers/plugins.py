"""Readers that other packages bring, through the entry point group `nndoctor.readers`; loaded only where ours fail."""

from __future__ import annotations

from functools import cache

from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader

GROUP = "nndoctor.readers"


@cache
def installed() -> tuple[tuple[Reader, ...], tuple[str, ...]]:
    """The readers that are installed, in the order of their names, and a line for each that cannot be loaded."""
    from importlib.metadata import entry_points

    readers: list[Reader] = []
    broken: list[str] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found = point.load()
        except Exception as error:  # noqa: BLE001 - another's code may raise whatever it likes
            broken.append(f"the reader '{point.name}' ({point.value}) cannot be loaded: {_line(error)}")
            continue
        if isinstance(found, Reader):
            readers.append(found)
        else:
            broken.append(f"the reader '{point.name}' ({point.value}) is a {type(found).__name__}; expected a Reader")
    return tuple(readers), tuple(broken)


def recognising(source: Source) -> tuple[Reader | None, tuple[str, ...]]:
    """The installed reader that recognises a source, and a line for each that is broken."""
    readers, broken = installed()
    for reader in readers:
        try:
            if reader.sniff(source):
                return reader, broken
        except Exception as error:  # noqa: BLE001 - as above
            broken = (*broken, f"the reader '{reader.name}' failed at {source.path}: {_line(error)}")
    return None, broken


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]

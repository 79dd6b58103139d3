"""DVCLive: a folder with one TSV file a metric, below `plots/metrics`, or `scalars` in older versions."""

from __future__ import annotations

from pathlib import Path

from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.curve_files import CUT, Curve, files_below, from_curves, points
from nndoctor.readers.tables.table import Table

FOLDERS = ("plots/metrics", "plots/scalars", "scalars")


def sniff(source: Source) -> bool:
    """Such a folder in it, with a file whose header names the step and one metric."""
    if not source.entries.keys() & {folder.partition("/")[0] for folder in FOLDERS}:
        return False
    return any(_columns(path) is not None for path in _files(source)[1])


def read(source: Source) -> list[Table]:
    """One table with a row for each step; a metric's name is its path."""
    folder, files = _files(source)
    curves: dict[str, Curve] = {}
    notes: list[str] = []
    for path in files:
        header = _columns(path)
        if header is None:
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        curves[name], odd = points(path, "\t", header.index("step"), len(header) - 1)
        notes += [CUT.format(name, odd - 1)] if odd > 1 else []  # one is the header
    return [from_curves(curves, "dvclive", source.path, {}, tuple(notes))]


def _files(source: Source) -> tuple[Path, list[Path]]:
    for name in FOLDERS:
        folder = Path(source.path) / name
        if folder.is_dir():
            return folder, [path for path in files_below(folder) if path.suffix == ".tsv"]
    return Path(source.path), []


def _columns(path: Path) -> list[str] | None:
    """The header, where it is one of `step metric` or `timestamp step metric`."""
    header = Source(str(path)).start.partition("\n")[0].strip().split("\t")
    return header if header[:-1] in (["step"], ["timestamp", "step"]) else None


READER = Reader("dvclive", "DVCLive folders: plots/metrics/**/*.tsv", sniff, read)

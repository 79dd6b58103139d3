"""CatBoost: the folder `catboost_info` with the errors of the learn set and of each test set."""

from __future__ import annotations

from pathlib import Path

from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.curve_files import CUT, Curve, from_curves, points
from nndoctor.readers.tables.table import Table

ENDING = "_error.tsv"


def sniff(source: Source) -> bool:
    """A folder with `learn_error.tsv` or `test_error.tsv` whose header begins with the iteration."""
    return any(name.endswith(ENDING) for name in source.entries) and any(_header(path) for path in _files(source))


def read(source: Source) -> list[Table]:
    """One table with a row for each tree, a column for each set and metric."""
    curves: dict[str, Curve] = {}
    notes: list[str] = []
    for path in _files(source):
        for position, metric in enumerate(_header(path)[1:], 1):
            name = f"{path.name.removesuffix(ENDING)}/{metric}"
            curves[name], odd = points(path, "\t", 0, position)
            notes += [CUT.format(name, odd - 1)] if odd > 1 else []  # one is the header
    return [from_curves(curves, "catboost", source.path, {}, tuple(notes))]


def _files(source: Source) -> list[Path]:
    return sorted(path for path in Path(source.path).glob(f"*{ENDING}") if path.is_file())


def _header(path: Path) -> list[str]:
    header = Source(str(path)).start.partition("\n")[0].strip().split("\t")
    return header if header[0] == "iter" else []


READER = Reader("catboost", "CatBoost's folder catboost_info: learn_error.tsv and test_error.tsv", sniff, read)

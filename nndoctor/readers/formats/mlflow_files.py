"""MLflow's file store: the folder of one run below `mlruns`, one file a metric."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from nndoctor.core.run import Fact
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.semantics.hyperparameters import settings_as_facts
from nndoctor.readers.tables.curve_files import CUT, Curve, files_below, from_curves, points
from nndoctor.readers.tables.table import Table

LINE = re.compile(rb"\d{10,16} [-+]?[\w.+-]+(?: -?\d+)?[ \r\n]|\d{10,16} [-+]?[\w.+-]+(?: -?\d+)?$")
SAMPLE_FILES = 8  # files


def sniff(source: Source) -> bool:
    """A folder with `metrics` in it, or such a folder itself, whose files hold `time value step` line by line."""
    if not any(folder or "." not in name for name, folder in source.entries.items()):
        return False
    folder = _metrics(source)
    inside = files_below(folder) if folder.name == "metrics" else (p for p in folder.glob("*") if "." not in p.name)
    files = list(islice((path for path in inside if path.is_file()), SAMPLE_FILES))
    return bool(files) and all(LINE.match(Source(str(path)).head[:200]) for path in files)


def read(source: Source) -> list[Table]:
    """One table with a row for each step; a name with slashes is a path of folders."""
    folder = _metrics(source)
    curves: dict[str, Curve] = {}
    notes: list[str] = []
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name.startswith("system/") or not LINE.match(Source(str(path)).head[:200]):
            continue
        curves[name], odd = points(path, " ", 2, 1)
        notes += [CUT.format(name, odd)] if odd else []
    return [from_curves(curves, "mlflow", source.path, _settings(folder.parent / "params"), tuple(notes))]


def _metrics(source: Source) -> Path:
    top = Path(source.path)
    return top / "metrics" if (top / "metrics").is_dir() else top


def _settings(folder: Path) -> dict[str, Fact]:
    return settings_as_facts(
        (path.name, Source(str(path)).start) for path in (files_below(folder) if folder.is_dir() else ())
    )


READER = Reader("mlflow", "MLflow run folders below mlruns/ (metrics/, params/)", sniff, read)

"""The run folder of a training: a new one each time, and one to go on in cut back to its checkpoint."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from nndoctor.core.errors import UsageError
from nndoctor.core.run_folder import LAYERS, TABLE, block_record, blocks, names_record
from nndoctor.recorder.folder import replace

HOME = Path("runs")


def fresh(model_file: str, wanted: str | None) -> Path:
    """The folder asked for, or the next free `runs/<file>-<number>`. Raises UsageError for one that holds a run."""
    if wanted is not None:
        folder = Path(wanted)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"--out {wanted} is not empty; choose another folder, or continue with --resume")
        return folder
    stem = Path(model_file).stem
    taken = [path.name.rpartition("-")[2] for path in HOME.glob(f"{stem}-*")]
    return HOME / f"{stem}-{max((int(n) for n in taken if n.isdigit()), default=0) + 1}"


def latest(model_file: str, wanted: str | None) -> Path:
    """The folder to go on in: the one named, or the last of this file's. Raises UsageError where there is none."""
    if wanted is not None:
        return Path(wanted)
    stem = Path(model_file).stem
    numbered = {int(n): p for p in HOME.glob(f"{stem}-*") if (n := p.name.rpartition("-")[2]).isdigit()}
    if not numbered:
        raise UsageError(
            f"no run of {stem} in {HOME}/ to continue; train without --resume first, or name it with --out"
        )
    return numbered[max(numbered)]


def cut_back(folder: Path, step: int) -> None:
    """Take out of the table and of the layers what came after `step` steps were done. Raises OSError."""
    table = folder / TABLE
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        at = head.index("step")
        kept = [row for row in rows if row and row[at].isdigit() and int(row[at]) < step]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([head, *kept])
        replace(table, text.getvalue())
    layers = folder / LAYERS
    if layers.is_file():
        parts: list[bytes] = []
        for block in blocks(layers):
            early = np.flatnonzero(block.steps < step)
            if len(early):
                parts.append(names_record(block.layers, block.statistics))
                parts.append(block_record(block.steps[early].tolist(), block.values[:, :, early]))
        layers.write_bytes(b"".join(parts))

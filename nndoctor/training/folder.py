"""The run folder of a training: a new one each time, and one to go on in cut back to its checkpoint."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np

from nndoctor.core.errors import UsageError
from nndoctor.core.files import move, write_whole
from nndoctor.core.run_folder import FACTS, LAYERS, PRIMARY, TABLE, block_record, blocks, facts, names_record
from nndoctor.recorder.folder import replace

HOME = Path("runs")


def fresh(model_file: str, wanted: str | None) -> Path:
    """The requested folder, or the next free `runs/<file>-<number>`. Raises UsageError for one that holds a run."""
    if wanted is not None:
        folder = Path(wanted)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"--out {wanted} is not empty; choose another folder, or continue with --resume")
        return folder
    stem = Path(model_file).stem
    taken = [path.name.rpartition("-")[2] for path in HOME.glob(f"{stem}-*")]
    return HOME / f"{stem}-{max((int(n) for n in taken if n.isdigit()), default=0) + 1}"


def latest(model_file: str, wanted: str | None) -> Path:
    """The folder to resume in: the one named, or the latest of this file. Raises UsageError if there is none."""
    if wanted is not None:
        return Path(wanted)
    stem = Path(model_file).stem
    numbered = {int(n): p for p in HOME.glob(f"{stem}-*") if (n := p.name.rpartition("-")[2]).isdigit()}
    if not numbered:
        raise UsageError(
            f"no run of {stem} in {HOME}/ to continue; train without --resume first, or name it with --out"
        )
    return numbered[max(numbered)]


def cut_back(folder: Path, step: int) -> list[str]:
    """Take out of the table and of the layers what came after `step` steps were done; remarks on what was damaged.

    A table or facts that cannot be read are begun again, so that the training can go on. Raises OSError.
    """
    table, remarks = folder / TABLE, []
    head, rows, why = _table(table)
    if why:
        kept = table.with_name(f"{TABLE}.damaged")
        if table.is_file():
            move(table, kept)
            why += f", kept as {kept.name}"
        remarks.append(f"{table} is damaged ({why}); the log begins again at step {step}")
    at = head.index("step")
    early_rows = [row for row in rows if len(row) == len(head) and row[at].isdigit() and int(row[at]) < step]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *early_rows])
    replace(table, text.getvalue())
    if PRIMARY not in facts(folder):
        remarks.append(f"{folder / FACTS} is damaged; it begins again")
        replace(folder / FACTS, json.dumps({PRIMARY: 1}) + "\n")
    if (folder / LAYERS).is_file():
        _cut_layers(folder / LAYERS, step)
    return remarks


def _cut_layers(layers: Path, step: int) -> None:
    parts: list[bytes] = []
    for block in blocks(layers):
        early = np.flatnonzero(block.steps < step)
        if len(early):
            parts.append(names_record(block.layers, block.statistics))
            parts.append(block_record(block.steps[early].tolist(), block.values[:, :, early]))
    write_whole(layers, lambda file: file.write(b"".join(parts)))


def _table(path: Path) -> tuple[list[str], list[list[str]], str]:
    """The head and the rows of a run's table, of which the last may be cut off, and why it cannot be read."""
    if not path.is_file():
        return ["step"], [], "missing"
    try:
        head, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    except (ValueError, csv.Error):
        return ["step"], [], "no table"
    if "step" not in head:
        return ["step"], [], "no column step"
    return head, rows, ""

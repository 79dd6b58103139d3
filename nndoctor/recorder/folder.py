"""Writes a run folder: rows and samples are kept until a flush, and a flush leaves nothing half written that matters."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from nndoctor.core.files import write_whole
from nndoctor.core.run_folder import (
    FACTS,
    LAYERS,
    PRIMARY,
    TABLE,
    block_record,
    facts,
    is_folder,
    names_record,
    whole_length,
)
from nndoctor.recorder.analysis import Sample
from nndoctor.recorder.statistics import STATISTICS

DEFAULT = "nndoctor_run"
MAX_SAMPLES = 32  # in one block
Row = dict[str, float]


def say(message: str) -> None:
    """One line on standard error, where there is one: a closed one must not stop the training."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"nndoctor: {message}\n")


class Folder:
    """A run folder that is written by one process; `resume` continues in an existing one.

    Otherwise a folder that already holds a run is left alone, and a numbered one is created next to it (`path`).
    """

    def __init__(self, path: Path, known: Mapping[str, object], *, resume: bool) -> None:
        self.path = latest(path) if resume else path
        self.facts: dict[str, object] = {PRIMARY: 1, **known}
        self.rows: list[Row] = []
        self.samples: list[tuple[int, Sample]] = []
        self.resumed = resume and is_folder(self.path)
        self._columns: list[str] = []
        self._layers: tuple[str, ...] = ()
        self._dirty = True
        if self.resumed:
            self._take_up()
            return
        self.path = _claimed(path)
        if self.path != path:
            say(f"{path} already holds a run; recording to {self.path}")

    def fact(self, name: str, value: object) -> None:
        """Set a fact; written at the next flush where it is new."""
        if self.facts.get(name) != value:
            self.facts[name] = value
            self._dirty = True

    def flush(self) -> None:
        """Write everything to disk. Raises OSError."""
        if self.rows:
            self._write_rows()
            self.rows.clear()
        if self.samples:
            self._write_samples()
            self.samples.clear()
        if self._dirty:
            replace(self.path / FACTS, json.dumps(_plain(self.facts), indent=1, default=str) + "\n")
            self._dirty = False

    def _take_up(self) -> None:
        """Go on in a folder: cut off what a crash left half written."""
        old = facts(self.path)
        self.facts = {**old, **{k: v for k, v in self.facts.items() if k not in old or k in ("versions", "device")}}
        table = self.path / TABLE
        data = table.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with table.open("r+b") as file:
                file.truncate(len(whole))
        self._columns = next(csv.reader(io.StringIO(whole.decode("utf-8"))), [])
        layers = self.path / LAYERS
        layers.touch()
        with layers.open("r+b") as file:
            file.truncate(whole_length(layers))

    def _write_rows(self) -> None:
        names = dict.fromkeys(itertools.chain.from_iterable(self.rows))
        new = [name for name in names if name not in self._columns]
        if new:
            self._add_columns(new)
        text = _csv([[_cell(row[name]) if name in row else "" for name in self._columns] for row in self.rows])
        with (self.path / TABLE).open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    def _add_columns(self, names: list[str]) -> None:
        """Rewrite the table with further columns, empty in the rows so far."""
        table = self.path / TABLE
        old: list[list[str]] = []
        if self._columns:
            with table.open(encoding="utf-8", newline="") as file:
                old = list(csv.reader(file))[1:]
        self._columns = [*self._columns, *names]
        replace(table, _csv([self._columns, *([*row, *[""] * len(names)] for row in old)]))

    def _write_samples(self) -> None:
        parts: list[bytes] = []
        start = 0
        while start < len(self.samples):
            layers = self.samples[start][1].layers
            end = start
            while end < len(self.samples) and end - start < MAX_SAMPLES and self.samples[end][1].layers == layers:
                end += 1
            group = self.samples[start:end]
            if layers != self._layers:
                parts.append(names_record(layers, STATISTICS))
                self._layers = layers
            stacked = np.stack([sample.values for _, sample in group])  # (n, layers, statistics)
            parts.append(block_record([step for step, _ in group], stacked.transpose(2, 1, 0)))
            start = end
        with (self.path / LAYERS).open("ab") as file:
            file.write(b"".join(parts))


def _claimed(path: Path) -> Path:
    """The folder itself, or the first numbered one that holds no run; its layers' file is made, and so claims it."""
    for number in itertools.count(1):
        free = path if number == 1 else path.with_name(f"{path.name}-{number}")
        free.mkdir(parents=True, exist_ok=True)
        if any((free / name).exists() for name in (TABLE, FACTS)):
            continue
        try:
            (free / LAYERS).touch(exist_ok=False)
        except FileExistsError:  # of a run, or of one that another process has just begun
            continue
        return free
    raise AssertionError


def latest(path: Path) -> Path:
    """The folder to resume in: the one named; of the default name the last of its numbered ones."""
    if path.name != DEFAULT:
        return path
    numbered = {int(n): p for p in path.parent.glob(f"{DEFAULT}-*") if (n := p.name.rpartition("-")[2]).isdigit()}
    return numbered[max(numbered)] if numbered else path


def last_step(path: Path) -> int:
    """The last step in a run folder's table; -1 for an empty one. Raises OSError."""
    last = -1
    if (path / TABLE).exists():
        with (path / TABLE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                text = row.get("step") or ""
                last = int(text) if text.isdigit() else last
    return last


def replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one whole."""
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cell(value: float) -> str:
    whole = isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15)
    return str(int(value)) if whole else f"{value:.7g}"


def _plain(value: object) -> object:
    """A value for JSON, with NaN and infinities as their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value

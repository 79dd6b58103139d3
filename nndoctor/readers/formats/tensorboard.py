"""TensorBoard: event files, and the folders of a run with train and validation side by side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.curve_files import bounded_names
from nndoctor.readers.tables.event_files import Session, is_events, sessions
from nndoctor.readers.tables.table import Column, Table
from nndoctor.readers.vocabulary.names import SPLITS, meaning_of, tidy

Points = dict[str, tuple[np.ndarray, np.ndarray]]
MAX_FILES = 2000  # in one folder


def sniff(source: Source) -> bool:
    """An event file by its first record; a folder that holds such files, itself or in folders named after splits."""
    if not source.is_dir:
        return is_events(source)
    return any(True for _ in _folders(source))


def read(source: Source) -> list[Table]:
    """One table with a row for each step; files of one run are joined, where steps go back another stretch begins."""
    folders = list(_folders(source)) if source.is_dir else [("", [source])]
    notes: list[str] = []
    stretches: list[Points] = []
    for split, files in folders:
        found: list[Session] = []
        for file in files:
            parts, note = sessions(file)
            found += parts
            notes += [note] if note else []
        _join(stretches, [points for session in found if (points := _points(session, split))])
    if not stretches:
        raise UnreadableLog(
            f"{source.path} has events but no scalars (only graphs, images or text); log losses with add_scalar"
        )
    return [_table(stretches, tuple(notes))]


def _folders(source: Source) -> Iterable[tuple[str, list[Source]]]:
    """The split and the event files of a run's folder and of those below it that are named after a split."""
    if any(name.endswith(".csv") for name in source.entries):
        return  # the run's table says the same, and more exactly
    top = Path(source.path)
    own = _files(top)
    if own:
        yield "", own
    for name in _subfolders(source):
        if (split := _split_in(name)) and (files := _files(top / name)):
            yield split, files
        elif own and not split and meaning_of(name).is_metric:
            yield from _by_split(top / name)


def _by_split(folder: Path) -> Iterable[tuple[str, list[Source]]]:
    """What tensorboardX writes for `add_scalars("loss", {"train": ..})`: the folder loss/train next to the run's own file."""
    for name in _subfolders(Source(str(folder))):
        if (split := _split_in(name)) and (files := _files(folder / name)):
            yield split, files


def _subfolders(source: Source) -> list[str]:
    return sorted(name for name, is_folder in source.entries.items() if is_folder)


def _split_in(name: str) -> str:
    """The last word of a folder's name that names a split."""
    return next((word for word in reversed(tidy(name).split("_")) if word in SPLITS), "")


def _files(folder: Path) -> list[Source]:
    """The event files in a folder, in the order in which they were begun."""
    names = sorted(path.name for path in folder.glob("*tfevents*") if path.is_file())
    return [file for name in names[:MAX_FILES] if is_events(file := Source(str(folder / name)))]


def _points(session: Session, split: str) -> Points:
    points: Points = {}
    keras = any(tag.startswith("epoch_") for tag in session)
    for tag, (steps, values) in session.items():
        if tag.startswith("evaluation_") and tag.endswith("_vs_iterations"):
            continue  # Keras says the same once more, by another clock
        name = tag.removeprefix("epoch_") if keras and tag != "epoch_time" else tag
        at = np.asarray(steps, dtype=np.float64)
        if len(at) > 2 and at[0] == at[-1]:
            at = np.arange(len(at), dtype=np.float64)  # logged without a step
        points[f"{split}/{name}" if split else name] = (at, np.asarray(values, dtype=np.float64))
    return points


def _join(stretches: list[Points], found: list[Points]) -> None:
    """Add a folder's sessions, after the sessions whose tags they continue."""
    at = 0
    for points in found:
        while at < len(stretches) and _goes_back(stretches[at], points):
            at += 1
        if at == len(stretches):
            stretches.append({})
        for tag, (steps, values) in points.items():
            held = stretches[at].get(tag)
            both = (steps, values) if held is None else (np.append(held[0], steps), np.append(held[1], values))
            stretches[at][tag] = both


def _goes_back(held: Points, points: Points) -> bool:
    return any(tag in held and held[tag][0][-1] >= steps[0] for tag, (steps, _) in points.items())


def _table(stretches: list[Points], notes: tuple[str, ...]) -> Table:
    axes = [np.unique(np.concatenate([steps for steps, _ in points.values()])) for points in stretches]
    starts = np.cumsum([0, *(len(axis) for axis in axes)])
    rows = int(starts[-1])
    columns: dict[str, Column] = {}
    for tag in bounded_names(dict.fromkeys(tag for points in stretches for tag in points), rows):
        values, present = np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_)
        for start, axis, points in zip(starts[:-1], axes, stretches, strict=True):
            if tag in points:
                steps, numbers = points[tag]
                at = start + np.searchsorted(axis, steps)
                values[at], present[at] = numbers, True
        columns[tag] = Column(values, present)
    step = Column(np.concatenate(axes), np.ones(rows, dtype=np.bool_))
    return Table(
        {**{tag: c for tag, c in columns.items() if tidy(tag) != "step"}, "step": step}, "tensorboard", notes=notes
    )


READER = Reader(
    "tensorboard",
    "TensorBoard event files and run folders: scalars and the tensors of Keras; train/ and validation/ side by side",
    sniff,
    read,
)

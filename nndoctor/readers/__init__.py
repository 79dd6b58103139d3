"""The readers: one file a log format; `read` turns a path, a DataFrame or a dict of lists into runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from nndoctor.core.bounded import Bounded
from nndoctor.core.errors import NotALog, UnreadableLog, UsageError, nearest
from nndoctor.core.run import Fact, Run
from nndoctor.readers.formats import (
    aim_repo,
    aligned,
    catboost_info,
    columnar,
    dvclive,
    hf_trainer_state,
    json_lines,
    json_objects,
    keras_history,
    long_table,
    markdown,
    mlflow_db,
    mlflow_files,
    named_lists,
    notebook,
    numbered_json,
    ruled_tables,
    run_folder,
    separated,
    tensorboard,
    tensorboard_csv,
    text_lines,
    trackio_db,
    wandb_binary,
    wandb_panel,
    wrapped_lines,
    yolo_results_txt,
    yolo_terminal,
)
from nndoctor.readers.io.address import is_address
from nndoctor.readers.io.archives import is_archive, packing, start_unpacked, unpacked, unpacked_archive
from nndoctor.readers.io.find import find as sources_behind
from nndoctor.readers.io.nuls import without_nuls
from nndoctor.readers.io.remote import fetched, is_remote
from nndoctor.readers.io.source import Source
from nndoctor.readers.plugins import recognising
from nndoctor.readers.reader import Reader
from nndoctor.readers.refusals import model_file, unrecognised
from nndoctor.readers.semantics.assemble import assemble
from nndoctor.readers.semantics.columns import map_pairs
from nndoctor.readers.semantics.settings_files import settings_beside
from nndoctor.readers.tables.dataframe import read_object
from nndoctor.readers.tables.layout import MAX_REMEMBERED

# In the order of trial: the more a format demands of the first bytes, the earlier.
READERS: tuple[Reader, ...] = (
    run_folder.READER,
    wandb_binary.READER,
    columnar.READER,
    catboost_info.READER,
    dvclive.READER,
    mlflow_files.READER,
    trackio_db.READER,
    mlflow_db.READER,
    aim_repo.READER,
    numbered_json.READER,
    tensorboard.READER,
    hf_trainer_state.READER,
    notebook.READER,
    wrapped_lines.READER,
    json_lines.READER,
    json_objects.READER,
    keras_history.READER,
    wandb_panel.READER,
    tensorboard_csv.READER,
    yolo_results_txt.READER,
    yolo_terminal.READER,
    long_table.READER,
    separated.READER,
    markdown.READER,
    ruled_tables.READER,
    text_lines.READER,
    aligned.READER,
    named_lists.READER,
)

# Formats whose text also holds other output of the program.
PRINTED = frozenset({"text", "yolo-terminal", "ruled-tables", "aligned"})


@np.errstate(all="ignore")  # a log may hold infinity as a step or as a loss
def read(source: object, *, maps: Iterable[str] = (), usual: Mapping[str, str] | None = None) -> list[Run]:
    """Every run behind a path, a Source, a DataFrame or a dict of lists.

    `maps` are pairs `column=series` for names that cannot be guessed; `usual` ones need not be there in every log. Raises UnreadableLog where nothing can be read,
    UsageError for a map that makes no sense.
    """
    checked = map_pairs(maps)
    named = {**(usual or {}), **checked}
    if isinstance(source, (str, PathLike)):
        source = Source(fspath(source))
    if not isinstance(source, Source):
        return assemble(read_object(source), "data", named)
    return _of(replace(source, kept=tuple(column.strip() for column in named)), named, checked)


def _of(source: Source, named: Mapping[str, str], checked: Mapping[str, str]) -> list[Run]:
    """The runs in a source: fetched, unpacked, read."""
    if source.data is not None:
        return _here(source, named, checked)
    if not source.is_file and is_address(source.path):
        return _at_service(source, named, checked)
    if is_remote(source.path):
        with fetched(source.path) as here:
            if here.is_dir:
                return _below(Path(here.path), source, named, checked)
            return _of(replace(here, kept=source.kept), named, checked)
    if source.is_file and (refused := model_file(source.path)) is not None:
        raise UnreadableLog(refused)
    return _here(source, named, checked)


def _here(source: Source, named: Mapping[str, str], checked: Mapping[str, str]) -> list[Run]:
    """The runs in bytes, a file or a folder of this machine."""
    if source.data is not None or source.is_file:
        if is_archive(source):
            with unpacked_archive(source) as (folder, bad):
                return _below(folder, source, named, checked, bad)
        if packing(source) is not None:
            source = unpacked(source)
    text = without_nuls(source)
    runs = _read(text, named)
    _check_maps(runs, checked, source)
    return _with_surroundings(runs, replace(source, notes=text.notes))


def _read(source: Source, named: Mapping[str, str]) -> list[Run]:
    """The runs in a file or folder that is a log itself."""
    reader = reader_of(source)
    tables = reader.read(source)
    if reader.name in PRINTED:
        from nndoctor.readers.text.log_ending import with_ending  # patterns that only a printed log needs

        tables = with_ending(source, tables)
    return [run for table in tables for run in assemble(table, source.path, named)]


def _with_surroundings(runs: list[Run], source: Source) -> list[Run]:
    """The runs with the notes on their source, and with the settings in files next to it that the log lacks."""
    beside = settings_beside(source.path) if source.data is None else {}
    if not (beside or source.notes):
        return runs
    return [replace(run, notes=(*source.notes, *run.notes), facts={**run.facts, **beside, **run.facts}) for run in runs]


def _at_service(source: Source, named: Mapping[str, str], checked: Mapping[str, str]) -> list[Run]:
    """The runs at an address; those of a project that trained nothing are left out, unless they are all."""
    from nndoctor.readers.services import tables_at  # clients that only an address needs

    tables = tables_at(source.path)
    runs: list[Run] = []
    reasons: list[UnreadableLog] = []
    for table in tables:
        try:
            runs += assemble(table, source.path, named)
        except UnreadableLog as error:
            reasons.append(error)
    if not runs:
        raise reasons[0]
    _check_maps(runs, checked, source)
    return runs


def _below(
    folder: Path, source: Source, named: Mapping[str, str], checked: Mapping[str, str], bad: Sequence[str] = ()
) -> list[Run]:
    """Every run in a folder that was made from a source; what cannot be read becomes a fact of the first.

    `bad` are the members of an archive that could not even be unpacked.
    """
    here, there = str(folder), source.path
    found, errors = sources_behind([here], is_log)
    found = [replace(unpacked(one) if packing(one) is not None else one, kept=source.kept) for one in found]
    runs, unread = _readable(found, named)
    messages = [*(message for _, message in errors), *unread]
    reasons = [f"{there}: {one}" for one in bad] + [message.replace(here, there) for message in messages]
    if not runs:
        raise UnreadableLog(reasons[0] if reasons else f"{there} contains no training log")
    _check_maps(runs, checked, source)
    runs = [replace(run, path=run.path.replace(here, there), source=run.source.replace(here, there)) for run in runs]
    if reasons:
        facts = {**runs[0].facts, "unread_members": Fact(tuple(reasons))}
        runs[0] = replace(runs[0], facts=facts)
    return runs


def _readable(found: Iterable[Source], named: Mapping[str, str]) -> tuple[list[Run], list[str]]:
    """The runs in the logs among these sources, and why others cannot be read."""
    runs: list[Run] = []
    reasons: list[str] = []
    for one in found:
        try:
            runs += [run for table in reader_of(one).read(one) for run in assemble(table, one.path, named)]
        except NotALog:
            continue
        except UnreadableLog as error:
            reasons.append(str(error))
    return runs, reasons


def reader_of(source: Source) -> Reader:
    """The reader that recognises a source. Raises UnreadableLog where none does."""
    if source.data is None and not (source.is_file or source.is_dir or Path(source.path).exists()):
        raise UnreadableLog(f"{source.path}: no such file; expected a log file, a folder, a glob, or -")
    if not source.is_dir and not source.head.strip():
        raise UnreadableLog(f"{source.path} is empty; expected a training log with at least one row")
    found = _own(source)
    if found is not None:
        return found
    other, broken = recognising(source)
    if other is None:
        raise UnreadableLog("; ".join((unrecognised(source), *broken)))
    return other


def is_log(source: Source) -> bool:
    """Whether a reader recognises the source, or what it holds compressed; no error for what is not a log."""
    if packing(source) is not None:
        inner = start_unpacked(source)
        return inner is not None and _own(inner) is not None
    return _own(source) is not None or recognising(source)[0] is not None


def _own(source: Source) -> Reader | None:
    """Our own reader that recognises a source; of many tables of plain numbers below one header it is found once."""
    header = None if source.is_dir else source.above_plain_rows
    if header is None:
        return next((reader for reader in READERS if reader.sniff(source)), None)
    if header not in _BY_HEADER:
        _BY_HEADER[header] = next((reader for reader in READERS if reader.sniff(source)), None)
    return _BY_HEADER[header]


_BY_HEADER: Bounded[bytes, Reader | None] = Bounded(MAX_REMEMBERED)


def _check_maps(runs: list[Run], pairs: Mapping[str, str], source: Source) -> None:
    columns = {c for run in runs for s in run.series.values() for c in (s.column, *s.column.split(" + "))}
    for column, target in pairs.items():
        if target not in ("epoch", "step") and column.strip() not in columns:
            raise UsageError(
                f"--map: {source.path} has no column '{column}' with values{nearest(column, columns)}; it has {', '.join(sorted(columns)[:8])}"
            )

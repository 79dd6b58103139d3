"""A table of trials, a row each, as the tools of searches export it: settings and a score."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from itertools import chain

from nndoctor.analysis.hyperparameters import named, number
from nndoctor.analysis.search import Trial
from nndoctor.core.errors import UnreadableLog, UsageError, nearest
from nndoctor.core.metrics import BY_NAME
from nndoctor.readers.io.source import Source
from nndoctor.readers.vocabulary.names import Kind, meaning_of, tidy

MAX_ROWS = 100_000  # rows
# Columns that name or date a trial, or say how long it took, or how it scored elsewhere.
BESIDE = re.compile(
    r"^(number|id|name|trial|trial_id|run|run_id|run_name|state|status|tags?|user|notes|sweep|group|created|runtime|"
    r"hostname|host|pid|node_ip|date|done|timestamp|unnamed_0|logdir|experiment_tag|experiment_id|path|folder|file|"
    r"params|index|iter|iterations_since_restore|time_since_restore|training_iteration|checkpoint_dir_name|should_checkpoint)$"
    r"|^(datetime_|time_|user_attrs_|system_attrs_|mean_fit_|std_|rank_test_|split\d)|duration|_time$|_timestamp$"
)
SCORES = ("value", "values_0", "score", "mean_test_score", "objective", "target", "best_score", "result")
HIGHER = frozenset({"mean_test_score", "score", "best_score"})
PRUNED = frozenset({"pruned", "running", "waiting"})


def rows(source: Source) -> list[dict[str, str]]:
    """The rows of a CSV or TSV file, at most MAX_ROWS, by the names of their columns. Raises UnreadableLog for none."""
    text = source.text()
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, restval="", restkey="")
    try:
        found = [{k: v for k, v in row.items() if k} for row, _ in zip(reader, range(MAX_ROWS), strict=False)]
    except csv.Error as error:
        raise UnreadableLog(f"{source.path} is not a table of trials: {error}") from error
    if len(found) < 2 or len(found[0]) < 2:
        raise UnreadableLog(
            f"{source.path} is not a table of trials; expected one row per trial with settings and a score"
        )
    return found


def is_table_of_trials(source: Source) -> bool:
    """Whether a file is such a table: one row a trial, and not the log of one run, whose rows count steps or epochs."""
    if source.is_dir or not source.is_text or not source.name.lower().endswith((".csv", ".tsv")):
        return False
    header = {tidy(name) for name in re.split(r"[,;\t]", source.start.partition("\n")[0])}
    counts = any(meaning_of(name).kind in (Kind.EPOCH, Kind.STEP) for name in header)
    has_parameter_columns = any(name.startswith(("params_", "param_", "config_", "hp_")) for name in header)
    return has_parameter_columns or (not counts and len(header) >= 2)


def trials(
    found: Sequence[Mapping[str, str]], path: str, by: str | None, *, higher: bool | None
) -> tuple[list[Trial], str, bool]:
    """The trials of a table, the name of their score, and whether a higher one is better.

    Raises UsageError where the score is not known, or not which way it is better.
    """
    header = list(found[0])
    column = _score(header, path, by)
    upward = _upward(column, path, higher)
    states = next((name for name in header if tidy(name) in ("state", "status")), None)
    kept = [row for row in found if states is None or row[states].strip().lower().rpartition(".")[2] not in PRUNED]
    settings = [name for name in header if name != column and _is_setting(name, kept)]
    kept_trials = [
        Trial(
            f"{path}#{k}",
            {named(_bare(name)): number(row[name].strip()) for name in settings if row[name].strip()},
            _number(row[column]),
        )
        for k, row in enumerate(kept, 1)
    ]
    return kept_trials, column, upward


def _score(header: Sequence[str], path: str, by: str | None) -> str:
    """The column of the score: the one named, a well-known name, or the only metric of validation."""
    names = ", ".join(header[:12])
    if by is not None:
        called = next((name for name in header if tidy(name) == tidy(by)), None)
        if called is None:
            raise UsageError(f"{path} has no column '{by}'{nearest(by, header)}; its columns are {names}")
        return called
    usual = (name for score in SCORES for name in header if tidy(name) == score)
    metric = (name for split in ("validation", "test", "") for name in header if _is_metric_of(split, name))
    score = next(chain(usual, metric), None)
    if score is None:
        raise UsageError(f"{path}: cannot find the score column; name it with --by (columns: {names})")
    return score


def _is_metric_of(split: str, name: str) -> bool:
    """Whether a column is a loss or a known metric of a split."""
    meaning = meaning_of(name)
    return meaning.kind is Kind.SERIES and meaning.split == split and meaning.metric in (*BY_NAME, "loss")


def _upward(column: str, path: str, higher: bool | None) -> bool:
    if higher is not None:
        return higher
    what = meaning_of(column)
    if what.kind is Kind.SERIES and (what.metric == "loss" or what.metric in BY_NAME):
        return what.metric != "loss" and BY_NAME[what.metric].higher
    if tidy(column) in HIGHER:
        return True
    raise UsageError(f"{path}: is a higher '{column}' better? set --higher or --lower")


def _is_setting(name: str, kept: Sequence[Mapping[str, str]]) -> bool:
    plain = tidy(name)
    if BESIDE.search(plain) and not plain.startswith(("params_", "param_", "config_", "hp_")):
        return False
    if meaning_of(_bare(name)).kind is Kind.SERIES and meaning_of(_bare(name)).metric not in ("lr", "momentum"):
        return False
    different = {row[name].strip() for row in kept}
    words = [value for value in different if isinstance(number(value), str)]
    return len(different) > 1 and (len(words) <= 1 or len(different) <= max(10, len(kept) // 3))


def _bare(name: str) -> str:
    return re.sub(r"^(params?|config|hp|hyperparameters?)[_/.]", "", name.strip())


def _number(cell: str) -> float:
    value = number(cell.strip())
    return float(value) if isinstance(value, (int, float)) else float("nan")

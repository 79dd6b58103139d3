"""One JSON object that holds a run's history: lists by name, rows below some key, an object for each epoch."""

from __future__ import annotations

import json
import re
from collections import Counter

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.json_shapes import lists_within, rows_within
from nndoctor.readers.tables.list_columns import from_lists
from nndoctor.readers.tables.table import Table, from_records
from nndoctor.readers.text.preface import is_below_settings
from nndoctor.readers.vocabulary.names import Kind, meaning_of

KEY = re.compile(r'"([^"\\\n]{1,80})"\s*:')
PAIRS = re.compile(r'^\{"[^"]{1,80}":\[\[-?[\d.]')  # of a step and a value
WRAPPED = re.compile(r"(?:np\.|numpy\.)?(?:float\d+|array|int\d+|float_)\(([^()]*?)(?:, dtype=\w+)?\)")
PYTHON = {"nan": "NaN", "inf": "Infinity", "None": "null", "True": "true", "False": "false"}
PYTHON_WORD = re.compile(r"\b(nan|inf|None|True|False)\b")


def sniff(source: Source) -> bool:
    """An object in which a list of numbers follows a key before any other list does, or that holds rows of metrics."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    if is_below_settings(source.start):
        return False
    packed = "".join(source.start[:8192].split())
    if '"log_history"' in packed:
        return False
    if packed.startswith("{'"):
        return re.match(r"\{'[^']{1,80}':(\[|array\(\[)[-+.\dn]", packed) is not None
    if PAIRS.search(packed):
        return any(meaning_of(key).kind is Kind.SERIES for key in KEY.findall(source.start[:8192]))
    opened = packed.find('":[')
    if opened >= 0 and packed[opened + 3 : opened + 4] not in ("{", "[", ""):
        return packed[opened + 3] != '"' or _holds_rows(source)
    return _holds_rows(source)


def read(source: Source) -> list[Table]:
    """One table with a column for each list, or with the rows as they are."""
    text = source.text()
    if text.lstrip().startswith("{'"):
        text = _as_json(text)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(f"{source.path} is not a valid JSON object of lists ({error}); is it truncated?") from error
    rows = rows_within(found)
    if rows is not None:
        return [from_records(rows, "json")]
    return [from_lists(lists_within(found) or found, "keras-history", source.path)]


def _holds_rows(source: Source) -> bool:
    """Whether a small file holds a history, by its shape; of a large one, whether names of metrics come again and again."""
    if source.size <= HEAD:
        try:
            found = json.loads(source.start)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and (rows_within(found) is not None or _columns(found))
    keys = Counter(KEY.findall(source.start))
    return any(count > 1 and meaning_of(key).kind is Kind.SERIES for key, count in keys.items())


def _columns(found: dict[str, object]) -> bool:
    return any(meaning_of(name).kind is Kind.SERIES for name in lists_within(found))


def _as_json(text: str) -> str:
    """Python's way to print a dict of lists, as JSON."""
    text = WRAPPED.sub(r"\1", text.replace("'", '"'))
    return PYTHON_WORD.sub(lambda m: PYTHON[m[1]], text)


READER = Reader(
    "keras-history",
    'one JSON object: {"loss": [...], "val_loss": [...]} of Keras, XGBoost, LightGBM or CatBoost, or rows below a key',
    sniff,
    read,
)

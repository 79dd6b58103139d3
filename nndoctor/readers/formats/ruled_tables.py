"""Tables of two columns between rulers, one a moment: Stable-Baselines3, OpenAI Baselines, Spinning Up, rllab, TRL's PPO."""

from __future__ import annotations

import re

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import HEAD, Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.cells import number
from nndoctor.readers.tables.table import Table, from_records

PREFACE = 1 << 20  # bytes that may be printed before the first table
ROW = re.compile(r"^[^|]{0,80}\|\s*(?P<name>[\w/ .@%()-]*?[\w/.@%)])\s*\|\s*(?P<value>[^|]*?)\s*\|\s*$")
RULER = re.compile(r"^[^-|=]{0,80}[-=+|]{5,}\s*$")
MIN_ROWS = 3  # rows of a table


def sniff(source: Source) -> bool:
    """Two tables of the same first name between rulers, or one in a file that has just begun."""
    if source.is_dir or not source.is_text or "|" not in (start := _start(source)):
        return False
    tables = _tables(start.split("\n"))
    return any(len(table) >= MIN_ROWS for table, _ in tables[:64]) and bool(tables)


def read(source: Source) -> list[Table]:
    """One table with a row for each printed table; names are prefixed with the name of their group."""
    found = [(table, line) for table, line in _tables(source.text().split("\n")) if len(table) >= MIN_ROWS]
    if not found:
        raise UnreadableLog(f"{source.path} has no complete table of values; the run ended before it printed one")
    return [from_records([table for table, _ in found], "ruled-tables", [line for _, line in found])]


def _start(source: Source) -> str:
    text = source.start
    if source.size > HEAD and not _tables(text.split("\n")):
        return source.beginning(PREFACE)
    return text


def _tables(lines: list[str]) -> list[tuple[dict[str, object], int]]:
    """The tables and the line on which each begins, the first perhaps cut off above; one whose closing ruler is missing is left out."""
    tables: list[tuple[dict[str, object], int]] = []
    first = next((text for text in lines if text.strip()), "")
    here: dict[str, object] | None = {} if ROW.match(first) else None
    began, group = 1, ""
    for at, text in enumerate(lines, 1):
        if RULER.match(text):
            if here:
                tables.append((here, began))
            here, began, group = {}, at + 1, ""
        elif here is not None and (row := ROW.match(text)):
            name, value = row["name"].strip(), row["value"]
            if not value and name.endswith("/"):
                group = name
            elif _is_number(value):
                here[name if "/" in name else f"{group}{name}"] = value
        else:
            here = None
    return tables


def _is_number(value: str) -> bool:
    try:
        return number(value) is not None
    except ValueError:
        return False


READER = Reader(
    "ruled-tables",
    "printed tables of reinforcement learning: Stable-Baselines3, OpenAI Baselines, Spinning Up",
    sniff,
    read,
)

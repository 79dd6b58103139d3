"""Lists of numbers below their names, as people print or paste them: `train_losses = [0.9, 0.7]`, or YAML's `- 0.9`."""

from __future__ import annotations

import re

from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.list_columns import from_lists
from nndoctor.readers.tables.table import Table
from nndoctor.readers.vocabulary.names import meaning_of

NAME = r"^[ \t]*(?:self\.)?[\"']?(?P<name>[A-Za-z][\w ./-]{0,60}?)[\"']?[ \t]{0,20}"  # bounded, since blanks belong to the name, too
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf)"
OPENED = re.compile(
    NAME + r"[:=]?[ \t]{0,20}(?:(?:np\.)?array\(|tensor\()?\[(?P<inside>[^\]\[]{3,})\]", re.IGNORECASE | re.MULTILINE
)
PRINTED = re.compile(
    r"[{,]\s*[\"'](?P<name>[A-Za-z][\w ./-]{0,60}?)[\"']\s*:\s*(?:array\()?\[(?P<inside>[^\]\[]{3,})\]"
)
BULLETS = re.compile(
    NAME + rf":[ \t]{{0,20}}\n(?P<inside>(?:[ \t]*-[ \t]+(?:{NUMBER})[ \t]*(?:\n|$)){{3,}})",
    re.IGNORECASE | re.MULTILINE,
)
WRAPPED = re.compile(r"(?:np\.)?(?:float\d*|tensor|array)\(([^()]*?)(?:, (?:dtype|device)=[^()]*)?\)")
MIN_NUMBERS = 3  # of a list


def sniff(source: Source) -> bool:
    """A list of three numbers or more after the name of a loss or a metric."""
    return not source.is_dir and source.is_text and bool(_lists(source.start))


def read(source: Source) -> list[Table]:
    """One table with a column for each list."""
    lists = _lists(source.text())
    if not lists:
        raise UnreadableLog(f"{source.path} has no complete named list of numbers; is it truncated?")
    return [from_lists(lists, "lists", source.path)]


def _lists(text: str) -> dict[str, object]:
    """The lists by their names; of two with one name the longer."""
    found: dict[str, list[str]] = {}
    for pattern in (OPENED, PRINTED, BULLETS):
        for match in pattern.finditer(text):
            inside = WRAPPED.sub(r"\1", match["inside"])
            numbers = re.findall(rf"(?<![\w.])(?:{NUMBER})(?![\w.])", inside, re.IGNORECASE)
            if len(numbers) < MIN_NUMBERS or re.search(r"[^-+.,\w\s]", inside):
                continue
            if len(numbers) > len(found.get(match["name"], ())):
                found[match["name"]] = numbers
    has_metric = any(meaning_of(name).is_metric for name in found)
    return dict(found) if has_metric else {}


READER = Reader("lists", "lists of numbers with a name: train_losses = [0.9, 0.7, …], YAML lists", sniff, read)

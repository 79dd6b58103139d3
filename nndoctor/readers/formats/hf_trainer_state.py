"""Hugging Face trainer_state.json: the Trainer's log history."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.tables.json_items import items
from nndoctor.readers.tables.table import Table, from_records

FACT_NAMES = {
    "max_steps": "max_steps",
    "num_train_epochs": "num_train_epochs",
    "train_batch_size": "batch_size",
    "global_step": "global_step",
}
HISTORY = re.compile(r'"log_history"\s*:\s*(\[)')


def sniff(source: Source) -> bool:
    """A JSON object with a log_history, or with the step, epoch and flags that the Trainer writes before it."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    return '"log_history"' in source.start or (
        '"global_step"' in source.start and '"is_world_process_zero"' in source.start
    )


def read(source: Source) -> list[Table]:
    """The history without its last summary row, whose train_loss is the mean over the run; cut files as far as they go."""
    text = source.text()
    found = HISTORY.search(text)
    if found is None:
        raise UnreadableLog(
            f"{source.path} has no log_history; expected a complete trainer_state.json (is the file truncated?)"
        )
    records: list[Mapping[str, object]] = []
    lines: list[int] = []
    notes: tuple[str, ...] = ()
    try:
        for item, line in items(text, found.start(1)):
            if isinstance(item, dict) and not ("train_loss" in item and "train_runtime" in item):
                records.append(item)
                lines.append(line)
    except (ValueError, RecursionError):
        notes = ("the file is truncated; the part before the cut was read",)
    if not records:
        raise UnreadableLog(
            f"{source.path} has no training values in its log_history; log more often (lower logging_steps)"
        )
    return [from_records(records, "hf-trainer-state", lines, _facts(text), notes)]


def _facts(text: str) -> dict[str, Fact]:
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    facts: dict[str, Fact] = {}
    for theirs, ours in FACT_NAMES.items():
        value = state.get(theirs)
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        facts[ours] = Fact(int(number) if number.is_integer() else number)
    return facts


READER = Reader("hf-trainer-state", "Hugging Face trainer_state.json", sniff, read)

"""Hugging Face trainer_state.json: the Trainer's log history."""

from __future__ import annotations

import json

from nndoctor.errors import UnreadableLog
from nndoctor.readers.reader import Reader
from nndoctor.readers.source import Source
from nndoctor.readers.table import Table, from_records
from nndoctor.run import Fact

KEPT = {
    "max_steps": "max_steps",
    "num_train_epochs": "num_train_epochs",
    "train_batch_size": "batch_size",
    "global_step": "global_step",
}


def sniff(source: Source) -> bool:
    """A JSON object with a log_history."""
    if source.is_dir or not source.is_text or not source.start.lstrip().startswith("{"):
        return False
    return '"log_history"' in source.start or (source.name == "trainer_state.json" and '"global_step"' in source.start)


def read(source: Source) -> list[Table]:
    """The history without its last summary row, whose train_loss is the mean over the run."""
    try:
        state = json.loads(source.text())
    except (ValueError, RecursionError) as error:
        raise UnreadableLog(f"{source.path} is no whole JSON object ({error}); was the checkpoint cut off?") from error
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not history:
        raise UnreadableLog(
            f"{source.path} has an empty log_history: the Trainer had logged nothing yet; lower logging_steps"
        )
    records = [r for r in history if isinstance(r, dict) and not ("train_loss" in r and "train_runtime" in r)]
    facts = {ours: Fact(value) for theirs, ours in KEPT.items() if isinstance(value := state.get(theirs), (int, float))}
    if not records:
        raise UnreadableLog(
            f"{source.path} holds only the summary of the run, no point of its curve; lower logging_steps"
        )
    return [from_records(records, "hf-trainer-state", None, facts)]


READER = Reader("hf-trainer-state", "Hugging Face trainer_state.json", sniff, read)

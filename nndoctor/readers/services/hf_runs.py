"""`hf:owner/model[@revision]`: how a model on the Hugging Face Hub was trained, by huggingface_hub.

The first of these that a repository holds: the Trainer's state, TensorBoard's event files, tables such as metrics.csv,
and the table of results in the model card.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nndoctor.core.errors import UnreadableLog
from nndoctor.core.run import Fact
from nndoctor.readers.formats import hf_trainer_state, json_lines, markdown, separated, tensorboard
from nndoctor.readers.io.source import Source
from nndoctor.readers.reader import Reader
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.table import Table

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CHECKPOINT = re.compile(r"checkpoint-(\d+)")
TABLES = re.compile(
    r"(?:metrics|history|progress|log|logs|train_log|training_log|loss|losses|log_history)\.(csv|tsv|jsonl|json)"
)
MAX_FILES = 50  # of one kind


def read(rest: str) -> list[Table]:
    """The tables of the runs in a repository."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # else each of its retries is a line
    name, _, revision = rest.strip("/").partition("@")
    owner, *below = name.split("/")
    if not below:
        raise UnreadableLog("expected hf:OWNER/MODEL or hf:OWNER/MODEL@REVISION")
    api, repository, top = HfApi(), f"{owner}/{below[0]}", "/".join(below[1:])
    names = [one for one in api.list_repo_files(repository, revision=revision or None) if _is_below(one, top)]
    with tempfile.TemporaryDirectory(prefix="nndoctor-") as folder:
        fetch = _fetcher(api, repository, revision or None, Path(folder))
        for wanted, readers in _kinds(names):
            tables = [one for file in wanted[:MAX_FILES] for one in _tables(fetch(file), file, readers)]
            if tables:
                return [replace(tables[0], label="")] if len(tables) == 1 else tables
    raise UnreadableLog(
        "no trainer_state.json, event file, table of metrics or model card with training results in this repository"
    )


def _is_below(name: str, top: str) -> bool:
    return not top or name.startswith(f"{top}/")


def _fetcher(api: HfApi, repository: str, revision: str | None, folder: Path) -> Callable[[str], Path]:
    """What brings a file of the repository into a folder that is soon removed."""

    def fetch(name: str) -> Path:
        return Path(api.hf_hub_download(repository, name, revision=revision, local_dir=folder))

    return fetch


def _kinds(names: Sequence[str]) -> Iterator[tuple[list[str], tuple[Reader, ...]]]:
    """The files of each kind that may tell of the training, and their readers; the best kind first."""
    yield _states(names), (hf_trainer_state.READER,)
    yield [name for name in names if "tfevents" in name], (tensorboard.READER,)
    tables = [name for name in names if TABLES.fullmatch(PurePosixPath(name).name.lower())]
    yield tables, (json_lines.READER, separated.READER)
    yield [name for name in names if PurePosixPath(name).name == "README.md"][:1], (markdown.READER,)


def _states(names: Sequence[str]) -> list[str]:
    """The Trainer's states, of the checkpoints of one run only the last, and none where the run's own state is in the folder above."""
    states = [PurePosixPath(name) for name in names if PurePosixPath(name).name == "trainer_state.json"]
    runs: dict[PurePosixPath, tuple[int, PurePosixPath]] = {}
    for path in states:
        match = CHECKPOINT.fullmatch(path.parent.name)
        folder, step = (path.parent.parent, int(match[1])) if match else (path.parent, 1 << 62)
        runs[folder] = max(runs.get(folder, (-1, path)), (step, path))
    return [str(path) for _, path in runs.values()]


def _tables(path: Path, name: str, readers: Sequence[Reader]) -> list[Table]:
    """The tables of a fetched file; none where no reader of its kind knows it."""
    source = Source(str(path))
    reader = next((one for one in readers if one.sniff(source)), None)
    if reader is None:
        return []
    try:
        tables = reader.read(source)
    except UnreadableLog:  # another kind may do
        return []
    return [replace(table, label=name, facts={**table.facts, "file": Fact(name)}) for table in tables]


SERVICE = Service(
    "the Hugging Face Hub",
    "huggingface_hub",
    "hub",
    "set HF_TOKEN or run 'hf auth login', and accept the model's terms",
    read,
)

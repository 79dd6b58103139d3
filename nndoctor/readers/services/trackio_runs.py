"""`trackio:project[/run]`: the runs in Trackio's local store, read without Trackio."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from nndoctor.core.errors import UnreadableLog, nearest
from nndoctor.readers.formats import trackio_db
from nndoctor.readers.io.source import Source
from nndoctor.readers.services.service import Service
from nndoctor.readers.tables.table import Table


def folder() -> Path:
    """Where Trackio keeps its projects: TRACKIO_DIR, else below the home of Hugging Face."""
    if named := os.environ.get("TRACKIO_DIR"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", f"{cache}/huggingface")
    return Path(home).expanduser() / "trackio"


def read(rest: str) -> list[Table]:
    """The tables of a run, or of all runs of a project."""
    project, _, run = rest.strip("/").partition("/")
    path = folder() / f"{re.sub(r'[^A-Za-z0-9_-]', '', project) or 'default'}.db"
    if not path.is_file():
        known = sorted(one.stem for one in folder().glob("*.db"))
        raise UnreadableLog(
            f"no project {project} in {folder()}{nearest(project, known)}; "
            + (f"there are {', '.join(known[:8])}" if known else "the folder holds none; is TRACKIO_DIR set?")
        )
    tables = trackio_db.read(Source(str(path)))
    if not run:
        return tables
    wanted = [table for table in tables if run in (table.label, table.facts["run_id"].value)]
    if not wanted:
        names = [table.label for table in tables]
        raise UnreadableLog(f"no run '{run}'{nearest(run, names)}; there are {', '.join(names[:8])}")
    return [replace(wanted[0], label="")] if len(wanted) == 1 else wanted


SERVICE = Service("Trackio", "trackio", "trackio", "read the store as the user who wrote it", read)

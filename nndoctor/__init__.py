"""nndoctor diagnoses neural-network training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nndoctor._version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nndoctor.finding import Finding
    from nndoctor.report import Report
    from nndoctor.run import Run

__all__ = ["Finding", "Report", "Run", "__version__", "diagnose", "read"]

_HOMES = {"Finding": "nndoctor.finding", "Report": "nndoctor.report", "Run": "nndoctor.run"}


def read(source: object, *, maps: Iterable[str] = ()) -> list[Run]:
    """Every run in a log: a path, a DataFrame, a dict of lists or a Keras History.

    `maps` are pairs 'column=series' for columns whose names say nothing (`my col=train/loss`). Raises UnreadableLog
    where nothing can be read, UsageError for a map that makes no sense.
    """
    from nndoctor.readers import read as read_runs

    return read_runs(source, maps=maps)


def diagnose(source: object, *, maps: Iterable[str] = ()) -> list[Report]:
    """One report for each run in a log, or for the Run given; arguments and errors are those of `read`."""
    from nndoctor.catalogue import RULES
    from nndoctor.engine import diagnose as judge
    from nndoctor.run import Run

    runs = [source] if isinstance(source, Run) else read(source, maps=maps)
    return [judge(run, RULES) for run in runs]


def __getattr__(name: str) -> object:
    """Load what the face shows only when it is asked for."""
    if name not in _HOMES:
        message = f"module 'nndoctor' has no attribute '{name}'"
        raise AttributeError(message)
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)

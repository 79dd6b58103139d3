"""nndoctor diagnoses neural-network training runs: `nndoctor.diagnose("run.csv")`.

The names below are loaded when they are first used: importing nndoctor loads neither numpy, pandas nor torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from nndoctor._version import __version__

if TYPE_CHECKING:
    from nndoctor.api import diagnose, read
    from nndoctor.core.finding import Finding
    from nndoctor.core.report import Report
    from nndoctor.core.run import Run
    from nndoctor.recorder import Recorder
    from nndoctor.sanity import assert_trains, check_model

_HOMES = {
    "assert_trains": "sanity",
    "check_model": "sanity",
    "diagnose": "api",
    "read": "api",
    "Finding": "core.finding",
    "Recorder": "recorder",
    "Report": "core.report",
    "Run": "core.run",
}

__all__ = ["Finding", "Recorder", "Report", "Run", "__version__", "assert_trains", "check_model", "diagnose", "read"]


def __getattr__(name: str) -> object:
    if name == "integrations":
        return import_module("nndoctor.integrations")
    if name in _HOMES:
        return getattr(import_module(f"nndoctor.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nndoctor' has no attribute '{name}'")

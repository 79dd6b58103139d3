"""nndoctor diagnoses neural-network training runs: `nndoctor.diagnose("run.csv")`.

The names below are loaded when they are first used: importing nndoctor loads neither numpy, pandas nor torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nndoctor._version import __version__

if TYPE_CHECKING:
    from nndoctor.api import diagnose, read
    from nndoctor.core.finding import Finding
    from nndoctor.core.report import Report
    from nndoctor.core.run import Run
    from nndoctor.recorder import Recorder
    from nndoctor.sanity.api import assert_trains, check_model

_HOMES = {
    "assert_trains": "sanity.api",
    "check_model": "sanity.api",
    "diagnose": "api",
    "read": "api",
    "Finding": "core.finding",
    "Recorder": "recorder",
    "Report": "core.report",
    "Run": "core.run",
}

_NEED_TORCH = ("Recorder", "assert_trains", "check_model")

__all__ = ["Finding", "Recorder", "Report", "Run", "__version__", "assert_trains", "check_model", "diagnose", "read"]


def __getattr__(name: str) -> object:
    if name == "integrations":
        return import_module("nndoctor.integrations")
    if name in _NEED_TORCH and find_spec("torch") is None:
        from nndoctor.core.errors import MissingExtra

        raise MissingExtra(f"nndoctor.{name}", "torch", "torch")
    if name in _HOMES:
        return getattr(import_module(f"nndoctor.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nndoctor' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

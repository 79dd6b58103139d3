"""How a value shows itself: the reporters lie above the values, so they are looked up by name when something is shown.

A report made anywhere (by the API, a callback or a test) prints as a page, and importing a value loads no reporter.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

REPORTERS = "nndoctor.reporters.display"


def displayed(function: str, value: object, **options: object) -> Any:  # noqa: ANN401 - as various as the functions
    """What a function of REPORTERS makes of a value."""
    return getattr(import_module(REPORTERS), function)(value, **options)

"""Display of values: reporters are in a higher layer than values, so they are imported by name when a value is shown.

A report made anywhere (by the API, a callback or a test) prints as a page, and importing a value loads no reporter.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

REPORTERS = "nndoctor.reporters.display"


def displayed(function: str, value: object, **options: object) -> Any:  # noqa: ANN401 - as various as the functions
    """What a function of REPORTERS makes of a value."""
    return getattr(import_module(REPORTERS), function)(value, **options)

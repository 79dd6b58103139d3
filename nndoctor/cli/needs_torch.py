"""The commands that run a model need torch; the others never load it."""

from __future__ import annotations

from importlib.util import find_spec

from nndoctor.core.errors import MissingExtra


def needs_torch(purpose: str) -> None:
    """Raise MissingExtra where torch is not installed."""
    if find_spec("torch") is None:
        raise MissingExtra(purpose, "torch", "torch")

"""The list of formats that are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nndoctor.readers.io.address import SCHEMES
from nndoctor.reporters.json import dumped
from nndoctor.reporters.page import Page, Style, padded


class Named(Protocol):
    """What a format's reader says of itself."""

    @property
    def name(self) -> str:
        """The format."""

    @property
    def title(self) -> str:
        """What is recognised, in words."""


def table(ours: Sequence[Named], others: Sequence[Named], page_style: Style) -> str:
    """Each format with what is recognised, those of other packages below."""
    page = Page(page_style)
    wide = max(len(reader.name) for reader in (*ours, *others)) + 2
    for reader in ours:
        _row(page, reader, wide)
    if others:
        page.blank()
        page.line(("By other packages", "dim"))
    for reader in others:
        _row(page, reader, wide)
    page.blank()
    page.line(("Addresses", "dim"))
    for name, (form, title) in SCHEMES.items():
        page.line((padded(name, wide), "bold"), f"{form}: {title}", hanging=wide)
    page.blank()
    page.line(
        ("Any of them compressed (.gz, .bz2, .xz, .zst), in a .zip or .tar, or elsewhere (s3://, https://).", "dim")
    )
    return page.text()


def _row(page: Page, reader: Named, wide: int) -> None:
    page.line((padded(reader.name, wide), "bold"), reader.title, hanging=wide)


def as_json(ours: Sequence[Named], others: Sequence[Named]) -> str:
    """A list of objects: name, title, builtin."""
    rows = [{"name": r.name, "title": r.title, "builtin": True} for r in ours]
    rows += [{"name": r.name, "title": r.title, "builtin": False} for r in others]
    return dumped(rows, indent=2) + "\n"

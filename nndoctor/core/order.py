"""The columns by which a table of runs can be sorted."""

from __future__ import annotations

from enum import StrEnum


class SortBy(StrEnum):
    """What --sort takes."""

    finding = "finding"
    name = "name"
    best = "best"
    last = "last"
    lr = "lr"

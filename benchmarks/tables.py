"""The tables of a Markdown page, and whether a figure meets its goal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

Row = dict[str, str]

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def tables(text: str) -> list[list[Row]]:
    r"""Every table of a page: a row is a dict from the heading of the column to the cell.

    >>> tables("| a | b |\n|---|---|\n| 1 | **no** |\n")
    [[{'a': '1', 'b': 'no'}]]
    """
    found = []
    for is_table, lines in groupby(text.splitlines(), key=lambda line: line.startswith("|")):
        if is_table:
            head, _, *rows = [_cells(line) for line in lines]
            found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("*") for cell in line.strip().strip("|").split("|")]


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    r"""A table of a page.

    >>> table(["a", "b"], [[1, "no"]])
    '| a | b |\n| --- | --- |\n| 1 | no |'
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def number_in(cell: str) -> float:
    """The first number of a cell. Raises ValueError where there is none.

    >>> number_in("1,051 ms"), number_in("0.88 (202/229)"), number_in("+0.4%")
    (1051.0, 0.88, 0.4)
    """
    found = NUMBER.search(cell)
    if found is None:
        raise ValueError(f"no number in {cell!r}")
    return float(found[0].replace(",", ""))


def meets(measured: str, goal: str) -> bool | None:
    """Whether a figure is as its goal asks (`≤ 3` or `≥ 3`, in the unit of the figure); None without a goal.

    >>> meets("0.94×", "≤ 1.2×"), meets("0.64 (105/163)", "≥ 0.78"), meets("0.64", "")
    (True, False, None)
    """
    if not goal:
        return None
    if goal[0] not in "≤≥":
        raise ValueError(f"{goal!r} is not a goal: it must begin with ≤ or ≥")
    value, limit = number_in(measured), number_in(goal)
    return value <= limit if goal[0] == "≤" else value >= limit

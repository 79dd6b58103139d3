"""What many processes print into one stream: of lines that name their rank, one rank's are kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

LOOKED_AT = 2000  # lines
NAMED = re.compile(
    r"^(?P<before>.{0,60}?)(?:\[?\b(?:global_|local_)?(?:rank|default|gpu|worker)[ :=_]?(?P<rank>\d{1,5})\]?"
    r"|\[\d+,(?P<mpi>\d{1,5})\]<std\w+>|\([A-Za-z_]\w*[ ,]+(?:rank=\d+, ?)?pid=(?P<pid>\d+)[^)]*\))(?:[:>|-]|\s)\s*",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"^(?P<before>)(?P<rank>\d{1,5}):\s(?=\D)")


def one_voice(lines: Sequence[str], tells: Callable[[str], bool]) -> list[str]:
    """The lines, those of all ranks but one left empty; `tells` says of a line whether it holds a loss or a metric.

    The rank that tells most is kept, of several the lowest; lines that name no rank are kept.
    """
    for pattern in (NAMED, NUMBERED):
        sample = [(rank, line) for line in lines[:LOOKED_AT] if (rank := _rank(pattern, line)) is not None]
        if _interleaved([rank for rank, _ in sample]):
            told = Counter(rank for rank, line in sample if tells(line))
            if not told:
                return list(lines)
            most = max(told.values())
            kept = min(rank for rank, count in told.items() if count == most)
            return [_kept(pattern, line, kept) for line in lines]
    return list(lines)


def _interleaved(ranks: list[int]) -> bool:
    """Whether two ranks or more take turns: they go back more than once, and each comes again."""
    if len(ranks) < 4 or len(ranks) < 2 * len(set(ranks)) or len(set(ranks)) < 2:
        return False
    return sum(later < earlier for earlier, later in pairwise(ranks)) > 1 or len(set(ranks)) * 2 == len(ranks)


def _rank(pattern: re.Pattern[str], line: str) -> int | None:
    found = pattern.match(line)
    if found is None:
        return None
    groups = found.groupdict()
    return int(groups["rank"] or groups.get("mpi") or groups.get("pid") or 0)


def _kept(pattern: re.Pattern[str], line: str, kept: int) -> str:
    found = pattern.match(line)
    if found is None:
        return line
    return f"{found['before']}{line[found.end() :]}" if _rank(pattern, line) == kept else ""

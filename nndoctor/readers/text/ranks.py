"""What many processes print into one stream: of lines that name their rank, one rank's are kept, with the step times of all."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SAMPLE_LINES = 2000  # lines
NAMED = re.compile(
    r"^(?P<before>.{0,60}?)(?:\[?\b(?:global_|local_)?(?:rank|default|gpu|worker)[ :=_]?(?P<rank>\d{1,5})\]?"
    r"|\[\d+,(?P<mpi>\d{1,5})\]<std\w+>|\([A-Za-z_]\w*[ ,]+(?:rank=\d+, ?)?pid=(?P<pid>\d+)[^)]*\))(?:[:>|-]|\s)\s*",
    re.IGNORECASE,
)
STEP_TIME = re.compile(
    r"\b(?:step[ _]?time|iter(?:ation)?[ _]?time|time[ _]per[ _]?(?:step|iter\w*)|time)(?: ?\((?:m?s)\)|_m?s)?[ :=]{1,3}(?P<time>\d+\.?\d*)",
    re.IGNORECASE,
)
MIN_LATER_LINES = 2  # lines of every other rank after the last one of a rank that stopped
MIN_LINES = 5  # lines of a rank that show that it reports at every step
LAST = re.compile(r"^(?P<before>.*\S)\s+rank[ :=](?P<rank>\d{1,5})\s*$")  # WeNet and CosyVoice
NUMBERED = re.compile(r"^(?P<before>)(?P<rank>\d{1,5}):\s(?=\D)")


@dataclass(frozen=True, slots=True)
class RankLines:
    """One rank's lines with all others left empty; `stopped_rank` is the rank that stopped reporting, and the number of its last line."""

    lines: list[str]
    stopped_rank: tuple[int, int] | None = None


def lines_of_one_rank(lines: Sequence[str], tells: Callable[[str], bool]) -> RankLines:
    """The lines, those of all ranks but one left empty; `tells` says of a line whether it holds a loss or a metric.

    The rank with the most such lines is kept (the lowest of several); lines that name no rank are kept.
    """
    for pattern in (NAMED, NUMBERED, LAST):
        sample = [(rank, line) for line in lines[:SAMPLE_LINES] if (rank := _rank(pattern, line)) is not None]
        if _interleaved([rank for rank, _ in sample]):
            counts = Counter(rank for rank, line in sample if tells(line))
            if not counts:
                return RankLines(list(lines))
            most = max(counts.values())
            kept = min(rank for rank, count in counts.items() if count == most)
            left = [_kept(pattern, line, kept) for line in lines]
            return RankLines(_with_times(lines, left, pattern, kept), _stopped_rank(lines, pattern, tells))
    return RankLines(list(lines))


def _stopped_rank(
    lines: Sequence[str], pattern: re.Pattern[str], tells: Callable[[str], bool]
) -> tuple[int, int] | None:
    """The one rank that stopped reporting while every other went on, and the number of its last line; else None."""
    lines_of: dict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines, 1):
        if (rank := _rank(pattern, line)) is not None and tells(line):
            lines_of[rank].append(number)
    if len(lines_of) < 2 or min(map(len, lines_of.values())) < MIN_LINES:
        return None
    early = min(lines_of, key=lambda rank: lines_of[rank][-1])
    last = lines_of[early][-1]
    others = [np.asarray(numbers) for rank, numbers in lines_of.items() if rank != early]
    goes_on = min(int((numbers > last).sum()) for numbers in others) >= MIN_LATER_LINES
    as_often = 2 * len(lines_of[early]) >= max(int((numbers <= last).sum()) for numbers in others)
    return (early, last) if goes_on and as_often else None


def _with_times(lines: Sequence[str], kept: list[str], pattern: re.Pattern[str], chosen: int) -> list[str]:
    """The kept lines, each with the step times that the ranks print for the same step, in the order of printing."""
    times: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for at, line in enumerate(lines):
        if (rank := _rank(pattern, line)) is not None and (found := STEP_TIME.search(line)):
            times[rank].append((at, found["time"]))
    if len(times) < 2 or chosen not in times:
        return kept
    for rank, times_of_rank in times.items():
        for (at, _), (_, time) in zip(times[chosen], times_of_rank, strict=False):
            kept[at] += f" rank_{rank}_step_time: {time}"
    return kept


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

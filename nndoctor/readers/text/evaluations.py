"""Evaluations that are printed as training is, below a line that announces them (Paddle's high-level API)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

BEGINS = re.compile(r"^\W*Eval begin\b", re.IGNORECASE)
ENDS = re.compile(r"^\W*(?:Eval samples\b|Epoch\W+\d)", re.IGNORECASE)
EPOCH = re.compile(r"^\W*Epoch\W+(?P<epoch>\d+)\b", re.IGNORECASE)
STEP = re.compile(r"^\s*step\s+(?P<done>\d+)/(?P<total>\d+)\s+(?:\[[^\]]*\]\s+)?-\s+(?P<rest>.*)", re.IGNORECASE)


def evaluations_named(lines: Iterable[str]) -> Iterator[str]:
    """The lines; of an evaluation only the last, its numbers as those of validation at the epoch."""
    epoch, evaluating = "", False
    for line in lines:
        if found := EPOCH.match(line):
            epoch = found["epoch"]
        evaluating = BEGINS.match(line) is not None or (evaluating and ENDS.match(line) is None)
        step = STEP.match(line) if evaluating and epoch else None
        yield line if step is None else _of_validation(step, epoch)


def _of_validation(step: re.Match[str], epoch: str) -> str:
    """The last line of an evaluation; the empty text for the others, which tell of a part of the set."""
    if step["done"] != step["total"]:
        return ""
    return f"Epoch {epoch} " + ", ".join(f"val {pair.strip()}" for pair in step["rest"].split(" - ") if ": " in pair)

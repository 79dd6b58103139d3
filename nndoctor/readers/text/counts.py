"""Lines that begin with a count such as `[3/25]` and hold a validation: the count is of epochs, not of steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from nndoctor.readers.text.marks import STAMP
from nndoctor.readers.text.pairs import parse
from nndoctor.readers.vocabulary.names import meaning_of

COUNT = re.compile(r"\s*+(?:[\[(]\s*+)?(?P<at>\d+)\s*/\s*(?P<total>\d+)(?:\s*[\])]|(?=[\s,:|]))")
BOTH = {"train", "validation"}


def counts_epochs(start: str) -> bool:
    """Whether the counted lines of a text follow each other one by one, and each holds training and validation."""
    counts: list[int] = []
    for found, line in _counted(start.rpartition("\n")[0]):
        if not _validated(line):
            return False
        counts.append(int(found["at"]))
    return len(counts) > 1 and all(after - before == 1 or after < before for before, after in pairwise(counts))


def with_epoch(line: str) -> str:
    """A counted line of such a text with its epoch in words."""
    text = STAMP.sub("", line, count=1)
    found = COUNT.match(text)
    return line if found is None else f"epoch {found['at']}/{found['total']} {text[found.end() :]}"


def _counted(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """The lines that begin with a count, without their timestamps."""
    for line in text.split("\n"):
        unstamped = STAMP.sub("", line, count=1)
        if found := COUNT.match(unstamped):
            yield found, unstamped


def _validated(text: str) -> bool:
    """Whether a line that has no other mark than its count holds a training and a validation value."""
    line = parse(text)
    metrics = [meaning for meaning in map(meaning_of, line.pairs) if meaning.is_metric]
    splits = {meaning.split or ("train" if meaning.metric == "loss" else "") for meaning in metrics}
    return list(line.marks) == ["step"] and line.bar is None and splits >= BOTH

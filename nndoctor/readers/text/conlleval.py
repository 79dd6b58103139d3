"""The table of `conlleval`, which scores named entities: the row of all classes counts, of the split that is announced above it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nndoctor.readers.vocabulary.names import SPLITS

ANNOUNCED = re.compile(
    rf"\beval\w*\W{{0,3}}(?:on )?(?P<split>{'|'.join(sorted(SPLITS, key=len, reverse=True))})\W*$", re.IGNORECASE
)
OF_ALL = re.compile(r"\baccuracy:\s*(?P<accuracy>[\d.]+)%;\s*$")
SCORES = re.compile(r"precision:\s*(?P<precision>[\d.]+)%;\s*recall:\s*(?P<recall>[\d.]+)%;\s*FB1:\s*(?P<f1>[\d.]+)")
WITHOUT_SPLIT = "validation"  # an evaluation, if nothing else is said


def entities_scored(lines: Iterable[str]) -> Iterator[str]:
    """The lines; of such tables only the row of all classes, with the split in the names and all scores in percent."""
    split = WITHOUT_SPLIT
    for line in lines:
        if found := ANNOUNCED.search(line) if "eval" in line.lower() else None:
            split = SPLITS[found["split"].lower()]
        scores = SCORES.search(line) if "FB1:" in line else None
        yield line if scores is None else _of_all(line, scores, split)


def _of_all(line: str, scores: re.Match[str], split: str) -> str:
    """The row of all classes with plain names; the empty text for that of one class."""
    whole = OF_ALL.search(line, 0, scores.start())
    if whole is None:
        return ""
    said = {"accuracy": whole["accuracy"], **{name: scores[name] for name in ("precision", "recall", "f1")}}
    return f"{line[: whole.start()]}{', '.join(f'{split} {name}: {value}%' for name, value in said.items())}"

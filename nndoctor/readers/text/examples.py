"""Lines that each give the scores of another file or class: an evaluation, and no training."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndoctor.readers.text.records import Record

FILE = re.compile(r"[^\s:=,'\"]+\.(?:png|jpe?g|bmp|tiff?|nii(?:\.gz)?|npy|wav|flac|mp3|mp4|avi)(?!\w)", re.IGNORECASE)
NUMBERED = re.compile(
    r"\b(?:class|category|image|sample|example|query|subject|patient|scene|video|speaker|sequence)\W{0,3}\d+\b",
    re.IGNORECASE,
)
MIN_FILES = 5  # fewer may be what a training writes
MIN_DISTINCT = 0.95  # share of the records with a file of their own


def is_of_examples(found: Sequence[Record], lines: Sequence[str]) -> bool:
    """Whether no record says its epoch or step, and nearly each is on a line with a file or a class of its own."""
    if len(found) < MIN_FILES or any(record.own for record in found):
        return False
    texts = [lines[record.line - 1] for record in found]
    return any(len(_named(pattern, texts)) >= MIN_DISTINCT * len(found) for pattern in (FILE, NUMBERED))


def _named(pattern: re.Pattern[str], texts: Sequence[str]) -> set[str]:
    """What some texts name, each once."""
    return {match[0] for text in texts if (match := pattern.search(text))}

"""Lines that each give the scores of another file: an evaluation by examples, and no training."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nndoctor.readers.text.records import Record

FILE = re.compile(r"[^\s:=,'\"]+\.(?:png|jpe?g|bmp|tiff?|nii(?:\.gz)?|npy|wav|flac|mp3|mp4|avi)(?!\w)", re.IGNORECASE)
MIN_FILES = 5  # fewer may be what a training writes
MIN_DISTINCT = 0.95  # share of the records with a file of their own


def is_of_examples(found: Sequence[Record], lines: Sequence[str]) -> bool:
    """Whether no record says its epoch or step, and nearly each is on a line with a file of its own."""
    if len(found) < MIN_FILES or any(record.own for record in found):
        return False
    files = {match[0] for record in found if (match := FILE.search(lines[record.line - 1]))}
    return len(files) >= MIN_DISTINCT * len(found)

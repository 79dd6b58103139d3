"""Lines that each give the scores of another file, class, group or evaluated episode: an evaluation, and no training."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from nndoctor.readers.text.records import Record
from nndoctor.readers.vocabulary.names import meaning_of

FILE = re.compile(r"[^\s:=,'\"]+\.(?:png|jpe?g|bmp|tiff?|nii(?:\.gz)?|npy|wav|flac|mp3|mp4|avi)(?!\w)", re.IGNORECASE)
NUMBERED = re.compile(
    r"\b(?:class|category|image|sample|example|query|subject|patient|scene|video|speaker|sequence)\W{0,3}\d+\b",
    re.IGNORECASE,
)
EVALUATED = re.compile(r"\[\s*(?:eval|evaluation|test)\w*\s*\].*?\bepisode\W{0,3}(?P<at>\d+)", re.IGNORECASE)
LABELLED = re.compile(r"^\W*(?P<label>[A-Za-z][\w-]*(?: [\w-]+)?)\s{2,}[A-Za-z][\w@-]*\s?[=:]\s?[-+]?\d")
MIN_LABELLED = 0.8  # share of the lines; a score of the whole may be above those of the groups
MIN_FILES = 5  # fewer may be what a training writes
FIRST_EPISODES = 2  # numbers with which an evaluation may begin again
MIN_DISTINCT = 0.95  # share of the records with a file of their own


def is_of_examples(found: Sequence[Record], lines: Sequence[str]) -> bool:
    """Whether no record says its epoch or step, and nearly each is on a line with a file or a class of its own."""
    if len(found) < MIN_FILES or any(record.own for record in found):
        return False
    texts = [lines[record.line - 1] for record in found]
    if any(len(_named(pattern, texts)) >= MIN_DISTINCT * len(found) for pattern in (FILE, NUMBERED)):
        return True
    return not any(meaning_of(name).metric == "loss" for one in found for name in one.values) and _are_of_groups(texts)


def _are_of_groups(texts: Sequence[str]) -> bool:
    """Whether nearly each line begins with a word of its own, as `easy    EM=0.70  F1=0.81` does: the scores of groups of examples."""
    labels = [match["label"].lower() for text in texts if (match := LABELLED.match(text))]
    return len(labels) >= MIN_LABELLED * len(texts) and len(set(labels)) == len(labels)


def _named(pattern: re.Pattern[str], texts: Sequence[str]) -> set[str]:
    """What some texts name, each once."""
    return {match[0] for text in texts if (match := pattern.search(text))}


def is_of_evaluated_episodes(found: Sequence[Record], lines: Sequence[str]) -> bool:
    """Whether nearly all records are on lines that say `[EVAL]`, and count one episode after the other: of a policy that learns no more."""
    at = [int(match["at"]) for record in found if (match := EVALUATED.search(lines[record.line - 1]))]
    if len(at) < max(MIN_FILES, MIN_DISTINCT * len(found)):
        return False
    return all(after == before + 1 or after <= FIRST_EPISODES for before, after in pairwise(at))

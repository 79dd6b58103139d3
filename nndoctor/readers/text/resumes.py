"""Lines of a printed log that say that the run was resumed, or a checkpoint loaded, there, or that another one begins."""

from __future__ import annotations

import re

from nndoctor.core.run import Fact
from nndoctor.readers.io.source import HEAD, LARGE_TEXT, Source

MAX_EXTENDED = 5  # times that a run is extended; totals that change more often count something else
MAX_LINES = 20  # a log that loads a checkpoint more often does so as part of its training
RESUMED = re.compile(
    r"^.*\b(?:(?:resuming|resumed)\b|(?:re)?load(?:ed|ing)\b.{0,60}\bcheckpoint\b"
    r"|restor(?:ed|ing)\b.{0,40}\b(?:parameters|model|weights|checkpoint|state)\b).*$",
    re.IGNORECASE | re.MULTILINE,
)

# `Epoch [200]/[299]`: where the total changes while the count goes on, a script was started again.
COUNTED_OUT = re.compile(r"\bepochs?\W{0,4}(?P<at>\d+)\]?\s?/\s?\[?(?P<of>\d+)(?![\w.])", re.IGNORECASE)

# The summary that Keras prints of a model, and the arguments that many scripts print when they start.
BEGUN = re.compile(r"^(?:Total params: [\d,]+|.*\bNamespace\(\w+=.*)", re.MULTILINE)

# One of them is in every such line: a text without them, as most are, is not searched line by line.
WORDS = ("resuming", "resumed", "loaded", "loading", "restored", "restoring")


def resume_lines(source: Source) -> dict[str, Fact]:
    """The fact `resume_lines`: the numbers of the lines that report or show a resume, counted from 1."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    lower = text.lower()
    reported = RESUMED.finditer(text) if any(word in lower for word in WORDS) else ()
    places = sorted({*(line.start() for line in reported), *_extended(text)})
    found = tuple(text.count("\n", 0, place) + 1 for place in places)
    return {"resume_lines": Fact(found)} if 0 < len(found) <= MAX_LINES else {}


def _extended(text: str) -> list[int]:
    """Where a text counts its epochs out of another total, and goes on from the epoch before."""
    if not COUNTED_OUT.search(text[:HEAD]):
        return []
    found: list[int] = []
    at = of = 0
    for count in COUNTED_OUT.finditer(text):
        here, total = int(count["at"]), int(count["of"])
        if of and total != of and at < here <= total:
            found.append(count.start())
        at, of = here, total
    return found if len(found) <= MAX_EXTENDED else []


def begun_lines(source: Source) -> dict[str, Fact]:
    """The fact `begun_lines`: the numbers of the lines that show that a script was started or a model built, counted from 1."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    if "Total params: " not in text and "Namespace(" not in text:
        return {}
    found = [text.count("\n", 0, line.start()) + 1 for line in BEGUN.finditer(text)]
    return {"begun_lines": Fact(tuple(found))} if len(found) > 1 else {}

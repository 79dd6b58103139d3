"""Lines of a printed log that say that the run was resumed, or a checkpoint loaded, there, or that another one begins."""

from __future__ import annotations

import re

from nndoctor.core.run import Fact
from nndoctor.readers.io.source import LARGE_TEXT, Source

MAX_LINES = 20  # a log that loads a checkpoint more often does so as part of its training
RESUMED = re.compile(
    r"^.*\b(?:(?:resuming|resumed)\b|(?:re)?load(?:ed|ing)\b.{0,60}\bcheckpoint\b"
    r"|restor(?:ed|ing)\b.{0,40}\b(?:parameters|model|weights|checkpoint|state)\b).*$",
    re.IGNORECASE | re.MULTILINE,
)

# The summary that Keras prints of a model, and the arguments that many scripts print when they start.
BEGUN = re.compile(r"^(?:Total params: [\d,]+|.*\bNamespace\(\w+=.*)", re.MULTILINE)

# One of them is in every such line: a text without them, as most are, is not searched line by line.
WORDS = ("resuming", "resumed", "loaded", "loading", "restored", "restoring")


def resume_lines(source: Source) -> dict[str, Fact]:
    """The fact `resume_lines`: the numbers of the lines that report a resume, counted from 1."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    lower = text.lower()
    if not any(word in lower for word in WORDS):
        return {}
    found = [text.count("\n", 0, line.start()) + 1 for line in RESUMED.finditer(text)]
    return {"resume_lines": Fact(tuple(found))} if 0 < len(found) <= MAX_LINES else {}


def begun_lines(source: Source) -> dict[str, Fact]:
    """The fact `begun_lines`: the numbers of the lines that show that a script was started or a model built, counted from 1."""
    if source.size > LARGE_TEXT:
        return {}
    text = source.text()
    if "Total params: " not in text and "Namespace(" not in text:
        return {}
    found = [text.count("\n", 0, line.start()) + 1 for line in BEGUN.finditer(text)]
    return {"begun_lines": Fact(tuple(found))} if len(found) > 1 else {}

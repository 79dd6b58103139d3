"""What a line of a file shows in the end, where progress bars are drawn over each other, or next to their numbers."""

from __future__ import annotations

import re

from nndoctor.readers.text.marks import EPOCH, STEP
from nndoctor.readers.text.pasted import broken

MIN_LINE = 80  # characters; a shorter line is one record
REDRAWN = re.compile(r"[\r\x08]+")
BAR_BEHIND = re.compile(r"^(?P<before>[^%|]*\bloss\W{1,3}[-+\d.naif]+[^%|]*?)\s*\d{1,2}%\|", re.IGNORECASE)
BEHIND_BAR = re.compile(r"\d{1,3}%\|[^\r\n]*?(?:it/s|s/it)\](?P<after>\s*[A-Za-z][^|]*[=:]\s*[-+\d.naif]+\s*)$")

END_OF_BAR = re.compile(r"\d{1,3}%\|[^\r\n]*?(?:it/s|s/it)[^\]|]*\]\s*(?=[A-Za-z])")


def drawings(text: str) -> list[str]:
    """The records of one line of a file, normally one.

    A progress bar redrawn for several epochs gives the last drawing of each epoch, of one that was full the last full
    one: Lightning ends an epoch with an empty bar. A line that was pasted without its line breaks gives all its records.
    """
    if "\r" not in text:
        return broken(text) if len(text) > MIN_LINE else [text]
    last: dict[str, str] = {}
    full: dict[str, str] = {}
    for piece in text.split("\r"):
        if found := EPOCH.search(piece):
            last[found["epoch"]] = piece
            if "100%|" in piece:
                full[found["epoch"]] = piece
    return [full.get(epoch, piece) for epoch, piece in last.items()] if len(last) > 1 else [text]


def last_drawing(text: str) -> str:
    """Of a line that was drawn over and over the last drawing; of a dictionary next to a bar the dictionary."""
    if "\r" in text or "\x08" in text:
        pieces = [piece for piece in REDRAWN.split(text) if piece.strip()] or [""]
        text = next((piece for piece in reversed(pieces) if "{'" in piece), pieces[-1])
    if "{'" in text and "%|" in text:
        text = text[text.index("{'") :].partition("}")[0]  # printed after a bar, or before it
    return text


def before_its_bar(text: str) -> str:
    """A line that says a step and its loss before a bar (`step 3/36 completed (loss: 0.5):  33%|`) or behind its end, without the bar."""
    if "/s]" in text or "s/it]" in text:
        behind = BEHIND_BAR.search(text)
        if behind is not None:
            return behind["after"]
        end = END_OF_BAR.search(text)
        if end is not None and (EPOCH.match(text, end.end()) or STEP.match(text, end.end())):
            return text[end.end() :]  # a line of its own, printed where the bar was drawn
    found = BAR_BEHIND.search(text)
    return found["before"] if found and STEP.search(found["before"]) else text

"""The lines of a log that announce the split of those below them."""

from __future__ import annotations

import re

from nndoctor.readers.vocabulary.names import SPLITS

MAX_HEADING = 60  # characters
HEADING = re.compile(
    rf"^\W*(?:\w+\W+){{0,2}}?(?P<split>{'|'.join(sorted(SPLITS, key=len, reverse=True))})(?:\W+\w+){{0,2}}[\s)\]]*:\W*$",
    re.IGNORECASE,
)
BEGINS = re.compile(
    r"^\W*(?:(?P<split>eval|evaluation|validation|test)\s+(?:begin|start)|(?:now\s+)?(?P<doing>testing|evaluating|validating)"
    r"(?:\s+(?:in|on|the|this|eval|evaluation|test|val|validation|valid|mode|set|split|model|phase|data|dataset|network|now|epoch))*[\W_]*$)",
    re.IGNORECASE,
)
DOING = {"testing": "test", "evaluating": "validation", "validating": "validation"}


def heading(text: str) -> str:
    """The split that a line of its own announces, as `Test Error:` and `testing in eval mode` do; else the empty text."""
    if len(text) >= MAX_HEADING:
        return ""
    if ":" in text:
        found = HEADING.match(text)
        return SPLITS[found["split"].lower()] if found else ""
    begun = BEGINS.match(text)
    if begun is None:
        return ""
    return DOING[begun["doing"].lower()] if begun["doing"] else SPLITS[begun["split"].lower()]

"""What a printed log says before its first numbers: settings as a JSON object."""

from __future__ import annotations

import json
import re

JSON_AGAIN = re.compile(r"\s*(?:$|[{,\]]|\[(?!\d+\]\s))")  # but `[20] valid's auc: 0.7` is a line of boosted trees


def is_below_settings(start: str) -> bool:
    """Whether a text begins with a JSON object, as of settings, and goes on below it with other than JSON."""
    text = start.lstrip()
    if not text.startswith("{"):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return JSON_AGAIN.match(text, end) is None

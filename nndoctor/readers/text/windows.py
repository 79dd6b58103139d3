"""Names that say in parentheses over what their number is a mean, or that it is in percent: `avg reward (last 25): 0.0`."""

from __future__ import annotations

import re

# `reward (last 100 episodes):`, `score (100 ep) =`, `acc (%):`
QUALIFIED = re.compile(
    r"(?P<mean>\b(?:mean|avg\.?|average|moving|running|rolling)\b[\w /-]{0,24}?)?(?P<name>\b[A-Za-z]\w*)\s?"
    r"\((?:(?P<over>(?:(?:mean|avg|average|moving|rolling|running)\s)?(?:of\s|over\s)?(?:the\s)?(?:last|past|previous|prev|over)\s?\d+[^()=:]{0,16}|\d+[ -]?(?:ep|game|run|trial|roll)[^()=:]{0,12})|%)\)"
    r"(?=\s*[:=])",
    re.IGNORECASE,
)

OF_EPISODES = re.compile(r"rewards?|returns?|scores?|rew|ret", re.IGNORECASE)  # logged of one episode, too


def without_windows(text: str) -> str:
    """The text with such names in plain words: `avg reward: 0.0`, `mean score = 3`."""
    return QUALIFIED.sub(_plain, text) if "(" in text else text


def _plain(found: re.Match[str]) -> str:
    name = found["name"]
    if found["mean"]:
        return f"{found['mean']}{name}"
    return f"mean {name}" if found["over"] and OF_EPISODES.fullmatch(name) else name

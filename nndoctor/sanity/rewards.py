"""Whether a file speaks of rewards, or of costs: the words tell what the sign of a policy's loss should be."""

from __future__ import annotations

import re
from pathlib import Path

from nndoctor.sanity.bench import Bench

REWARDS = re.compile(r"adv|reward|actor|critic|policy|returns\b", re.IGNORECASE)
COSTS = re.compile(r"cost|penalt|regret|tour|energy|distance|delay", re.IGNORECASE)


def source_of(bench: Bench) -> str:
    """The text of the user's file; empty where it cannot be read."""
    try:
        return Path(bench.subject.path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""

"""How firmly the experiments support a finding."""

from __future__ import annotations

from enum import Enum


class Strength(Enum):
    """Strong: a report must have the finding. Weak: it may."""

    NONE = 0
    WEAK = 1
    STRONG = 2


def graded(*, strong: bool, weak: bool = False) -> Strength:
    """The strength of two conditions."""
    if strong:
        return Strength.STRONG
    return Strength.WEAK if weak else Strength.NONE

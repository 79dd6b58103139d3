"""Remedies for searches over settings."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, PLAYBOOK

CATALOGUE = (
    Remedy(
        "widen-search",
        "search wider: ten times beyond the edge where values are rates, twice where they are sizes",
        "the optimum lies beyond what was tried, or what was tried makes no difference",
        CS231N,
    ),
    Remedy(
        "search-other-settings",
        "leave these settings as they are, and search others: the learning rate first",
        "settings that make no difference here make none in further trials",
        PLAYBOOK,
    ),
    Remedy(
        "search-on-log-scale",
        "draw the exponent, not the value: lr = 10 ** uniform(-5, -1)",
        "each decade then gets as many trials as any other",
        CS231N,
    ),
    Remedy(
        "search-what-matters",
        "spend the next trials on this setting, drawn at random around its best values",
        "a random search tries a new value of what matters in every trial, a grid the same few again",
        "Bergstra and Bengio, JMLR 2012",
    ),
)

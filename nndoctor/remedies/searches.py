"""Remedies for searches over settings."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, PLAYBOOK

CATALOGUE = (
    Remedy(
        "widen-search",
        "widen the search: 10× beyond the edge for rates, 2× for sizes",
        "the optimum lies outside the range that was searched, or the setting has no effect",
        CS231N,
    ),
    Remedy(
        "search-other-settings",
        "keep these settings fixed and search others, the learning rate first",
        "settings that make no difference here will make none in further trials",
        PLAYBOOK,
    ),
    Remedy(
        "search-on-log-scale",
        "sample the exponent: lr = 10 ** uniform(-5, -1)",
        "each decade then gets as many trials as any other",
        CS231N,
    ),
    Remedy(
        "search-what-matters",
        "focus the next trials on this setting, near its best values",
        "random search tries a new value of the important setting in every trial, a grid repeats the same few",
        "Bergstra and Bengio, JMLR 2012",
    ),
)

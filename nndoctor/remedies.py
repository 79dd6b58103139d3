"""The catalogue of remedies: what to try, why it helps, where the field says so. Rules refer to them by name."""

from __future__ import annotations

from nndoctor.finding import Remedy

_CATALOGUE = (
    Remedy(
        "early-stopping",
        "keep the weights of the best validation epoch and stop when it has not improved for a while",
        "past the best epoch the network fits what is peculiar to the training examples",
        "Prechelt, Early Stopping - But When?, 1998",
    ),
)

REMEDIES = {remedy.name: remedy for remedy in _CATALOGUE}

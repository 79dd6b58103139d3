"""The catalogue of remedies: what to try, why it helps, where the field says so. Rules refer to them by name."""

from __future__ import annotations

from nndoctor.remedies import (
    checkup,
    curves,
    finetuning,
    generalization,
    generative,
    layers,
    machine,
    reinforcement,
    runs,
    searches,
)

REMEDIES = {
    remedy.name: remedy
    for family in (
        curves,
        generalization,
        finetuning,
        layers,
        checkup,
        runs,
        searches,
        reinforcement,
        generative,
        machine,
    )
    for remedy in family.CATALOGUE
}

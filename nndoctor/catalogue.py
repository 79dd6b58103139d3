"""The catalogue: every rule, in the order of its code."""

from __future__ import annotations

from nndoctor.rule import Rule

RULES: tuple[Rule, ...] = ()

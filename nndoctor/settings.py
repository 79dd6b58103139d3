"""What a user sets for a diagnosis, validated."""

from __future__ import annotations

from dataclasses import replace

from nndoctor.errors import UsageError
from nndoctor.run import Fact, Run


def share(text: str, option: str) -> float:
    """`5%` or `0.05` as a share of one. Raises UsageError for anything outside [0, 1)."""
    try:
        value = float(text.strip().rstrip("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise UsageError(f"{option} wants an error between 0 and 1, or in percent (0.05 or 5%); found '{text}'")
    return value


def with_target(run: Run, target: float | None) -> Run:
    """The run with the target error among its facts."""
    return run if target is None else replace(run, facts={**run.facts, "target_error": Fact(target)})

"""The norm to which the Trainer of a script clips gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIGHTNING, TRANSFORMERS = ("lightning", "pytorch_lightning"), "transformers"


def largest_norm(names: Mapping[str, object]) -> float | None:
    """The largest norm of the gradients that a Trainer among these lets pass; None where none clips by norm."""
    return next((norm for value in names.values() if (norm := _norm(value))), None)


def _norm(trainer: Any) -> float | None:  # noqa: ANN401
    packages = [base.__module__.split(".")[0] for base in type(trainer).__mro__ if base.__name__ == "Trainer"]
    if TRANSFORMERS in packages and hasattr(trainer, "args"):
        return trainer.args.max_grad_norm or None
    if any(package in LIGHTNING for package in packages):
        by_norm = getattr(trainer, "gradient_clip_algorithm", None) in (None, "norm")
        return trainer.gradient_clip_val if by_norm else None
    return None

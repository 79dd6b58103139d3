"""Rows that prove a fault by themselves, so that a log of one row is read; of any other, one row is too few to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nndoctor.core.run import Fact, Run

SINGLE_ROW = "single_row"  # the fact that says that a run is such a row
FITTED = 0.9  # accuracy from which a loss of exactly 0 may be right
PERCENT = 100.0  # an accuracy above 1 is in percent
SURE = 0.99  # accuracy of a discriminator that is next to never wrong
BEATEN = 8.0  # loss of a generator whose examples pass with a probability of 0.03 %


def proves_a_fault(values: Mapping[str, float]) -> bool:
    """Whether a row, by the names of its series, says that nothing is learned, whatever was before and after it."""
    return _costs_nothing(values) or _has_no_signal(values) or _is_beaten(values)


def with_single_row(runs: list[Run]) -> list[Run]:
    """The runs; a lone one of a row that proves a fault with the fact that it is one."""
    if len(runs) != 1 or any(len(series) > 1 for series in runs[0].series.values()):
        return runs
    row = {name: float(series.values[0]) for name, series in runs[0].series.items() if len(series)}
    return [replace(runs[0], facts={**runs[0].facts, SINGLE_ROW: Fact(True)})] if proves_a_fault(row) else runs


def _costs_nothing(values: Mapping[str, float]) -> bool:
    """Whether every loss is exactly 0 next to an accuracy at which it cannot be."""
    losses = [value for name, value in values.items() if name in ("train/loss", "validation/loss")]
    accuracies = [_share(value) for name, value in values.items() if name.endswith("/accuracy")]
    return bool(losses and accuracies) and not any(losses) and max(accuracies) < FITTED


def _has_no_signal(values: Mapping[str, float]) -> bool:
    """Whether the rewards of each group are equal, and so the gradient is exactly 0."""
    return values.get("reward_std") == 0 and values.get("grad_norm") == 0


def _is_beaten(values: Mapping[str, float]) -> bool:
    """Whether a discriminator makes no errors, and the generator has lost."""
    accuracy = values.get("discriminator_accuracy", values.get("train/accuracy", 0.0))
    beaten = "discriminator_loss" in values and values.get("generator_loss", 0.0) > BEATEN
    return beaten and _share(accuracy) >= SURE


def _share(accuracy: float) -> float:
    return accuracy / PERCENT if accuracy > 1 else accuracy

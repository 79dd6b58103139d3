"""Which trials of a search tried a change of the best one: what the prognosis expects was then measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nndoctor.analysis.search import Trial
from nndoctor.compare.remedy_outcomes import SIZES
from nndoctor.core.run import FactValue

MIN_RATIO = 3.0  # factor between two values of a setting from which one is a trial of more, or less, than the other
LENGTHS = ("epochs", "steps", "max_steps")

RAISED = {
    "lr*10": ("lr",),
    "steps*4": LENGTHS,
    "wider": SIZES,
    "weight-decay": ("weight_decay", "l2"),
    "dropout": ("dropout",),
}
LOWERED = {"lr/10": ("lr",), "less-regularization": ("weight_decay", "l2", "dropout")}


def tried(change: str, ranked: Sequence[Trial]) -> list[Trial]:
    """The trials, best first as they come, whose settings differ from the first one's as the change does; others may differ too."""
    best, *others = ranked
    return [trial for trial in others if _made(change, best, trial)]


def _made(change: str, best: Trial, other: Trial) -> bool:
    raised = any(_above(other.settings.get(s), best.settings.get(s)) for s in RAISED.get(change, ()))
    return raised or any(_above(best.settings.get(s), other.settings.get(s)) for s in LOWERED.get(change, ()))


def _above(a: FactValue | None, b: FactValue | None) -> bool:
    """Whether a setting is at least MIN_RATIO times another; any value is that of zero."""
    numbers = [v for v in (a, b) if isinstance(v, (int, float)) and math.isfinite(v)]
    return len(numbers) == 2 and numbers[0] > 0 and numbers[0] >= MIN_RATIO * max(numbers[1], 0.0)

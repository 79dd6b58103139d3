"""What a framework takes for the best state of a training: a loss that is kept at its highest, or an accuracy at its lowest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nndoctor.experiment.lightning import is_trainer
from nndoctor.experiment.transformers_trainer import trainer_in

LOWER = re.compile(r"loss|error|perplexity|(^|_)(r?mse|mae|wer|cer|nll)($|_)", re.IGNORECASE)
HIGHER = re.compile(r"acc|(^|_)(auc|f1|iou|miou|dice|recall|precision|r2|bleu)($|_)", re.IGNORECASE)
BEST_IS = {"min": "lowest", "max": "highest"}
Kept = tuple[str, str, str]
"""What keeps a state, the metric that it watches, and whether it keeps the lowest or the highest value."""


def wrong_best(names: Mapping[str, object]) -> Kept | None:
    """What keeps the worst state for the best among the callbacks that a model is fitted with, or of a Trainer; None where nothing does."""
    for who, metric, mode in _watching(names):
        lower, higher = LOWER.search(metric), HIGHER.search(metric)
        if (mode == "max" and lower and not higher) or (mode == "min" and higher and not lower):
            return who, metric, BEST_IS[mode]
    return None


def _watching(names: Mapping[str, object]) -> Iterator[Kept]:
    trainer = trainer_in(names)
    settings: Any = getattr(trainer, "args", None)
    if getattr(settings, "load_best_model_at_end", False) and settings.metric_for_best_model:
        yield "load_best_model_at_end", settings.metric_for_best_model, "max" if settings.greater_is_better else "min"
    given = [names.get("callbacks"), *(getattr(one, "callbacks", None) for one in names.values() if is_trainer(one))]
    for callback in (each for some in given if isinstance(some, Iterable) for each in some):
        metric, mode = getattr(callback, "monitor", None), _mode(callback)
        if isinstance(metric, str) and mode in BEST_IS:
            yield type(callback).__name__, metric, mode


def _mode(callback: Any) -> str | None:  # noqa: ANN401 - a callback of any framework
    """`min` or `max`, as Lightning names it; of Keras that of the comparison that it makes."""
    named = {"greater": "max", "less": "min"}.get(getattr(getattr(callback, "monitor_op", None), "__name__", ""))
    mode = getattr(callback, "mode", None)
    return named if mode not in BEST_IS else mode

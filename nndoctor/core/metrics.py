"""What is known of each metric: which way is better, and whether it is a share of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Level = TypeVar("Level", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's nature: `higher` is better, `share` if it is in [0, 1]."""

    name: str
    higher: bool
    share: bool


# In the order in which a run is judged by them: the first that the log holds is its metric.
METRICS: tuple[Metric, ...] = (
    Metric("accuracy", higher=True, share=True),
    Metric("error", higher=False, share=True),
    Metric("balanced_accuracy", higher=True, share=True),
    Metric("f1", higher=True, share=True),
    Metric("dice", higher=True, share=True),
    Metric("iou", higher=True, share=True),
    Metric("map", higher=True, share=True),
    Metric("map50", higher=True, share=True),
    Metric("auc", higher=True, share=True),
    Metric("precision", higher=True, share=True),
    Metric("recall", higher=True, share=True),
    Metric("matthews", higher=True, share=False),
    Metric("correlation", higher=True, share=False),
    Metric("r2", higher=True, share=False),
    Metric("bleu", higher=True, share=False),
    Metric("rouge", higher=True, share=False),
    Metric("word_error", higher=False, share=False),
    Metric("character_error", higher=False, share=False),
    Metric("top5_accuracy", higher=True, share=True),
    Metric("mae", higher=False, share=False),
    Metric("rmse", higher=False, share=False),
    Metric("mse", higher=False, share=False),
    Metric("perplexity", higher=False, share=False),
    Metric("bits_per_byte", higher=False, share=False),
    Metric("bits_per_character", higher=False, share=False),
    Metric("psnr", higher=True, share=False),
    Metric("ssim", higher=True, share=False),
)

BY_NAME = {metric.name: metric for metric in METRICS}


def metric_of(series: str) -> Metric | None:
    """The metric that a series holds (`validation/accuracy`); None for a loss and for what is not known."""
    return BY_NAME.get(series.rpartition("/")[2])


def error_level(series: str, level: Level) -> Level:
    """The error at a level of a series: the value itself, or its distance from a best value of 1."""
    metric = metric_of(series)
    return abs(1 - level) if metric is not None and metric.share and metric.higher else abs(level)


WORDS = {
    "map": "mAP",
    "map50": "mAP50",
    "f1": "F1",
    "iou": "IoU",
    "word_error": "word error rate",
    "character_error": "character error rate",
    "bleu": "BLEU",
    "rouge": "ROUGE",
    "auc": "AUC",
}


def series_in_words(name: str) -> str:
    """A series, or a metric without its split, as one says it.

    >>> series_in_words("train/loss"), series_in_words("validation/map"), series_in_words("grad_norm")
    ('training loss', 'validation mAP', 'grad norm')
    """
    split, _, metric = name.rpartition("/")
    words = WORDS.get(metric, metric.replace("_", " "))
    return f"{'training' if split == 'train' else split} {words}".strip()

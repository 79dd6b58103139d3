"""What a log leaves to be worked out: totals of losses, the split that validates, percent as fractions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nndoctor.core.metrics import BY_NAME
from nndoctor.core.run import SPLITS
from nndoctor.core.series import PERCENT, Series
from nndoctor.readers.semantics.adversaries import whole_of_halves
from nndoctor.readers.semantics.guessed_shares import guessed_in_percent
from nndoctor.readers.semantics.sums import per_token

STAND_INS = ("mse", "rmse", "mae", "perplexity")  # falls as a loss falls: better than no loss at all
BITS = re.compile(r"bp[bc]|bits[_ ]per[_ ](?:b|c)")
ABOVE_SHARE = 1.5  # a share of one is never above; a percentage nearly always is somewhere
MAX_PERCENT = 100.5
DECIMALS = 14
ABOVE_ONE = frozenset({"word_error", "character_error"})  # rates that may exceed 1: in percent only where cells say so
POOR_LOSS = 2.0  # with an accuracy near 1, a cross-entropy is far smaller
NEAR_LOSS = (
    1.5  # factor by which the logarithm of a perplexity and the loss that it is of differ at most at their first values
)
CLEARLY, NEAR = 20.0, 0.1  # no share, and so near to it is a fraction beside it: 0.93 where training is at 95


def completed(
    found: Mapping[str, Series], parts: Mapping[str, Series]
) -> tuple[dict[str, Series], tuple[str, ...], set[str]]:
    """The series of a run, notes for its reader, and the columns that were used."""
    series = dict(found)
    whole_of_halves(series)
    notes = _summed(series, parts)
    notes += per_token(series)
    notes += _validating(series)
    _in_bits(series)
    _of_codebook(series)
    notes += _standing_in(series)
    notes += _beyond_shares(series)
    used = {column for s in series.values() for column in (s.column, *s.column.split(" + "))}
    return series, tuple(notes), used


def _summed(series: dict[str, Series], parts: Mapping[str, Series]) -> list[str]:
    """A loss that is logged only in parts is their sum, on the steps that the fullest of them have."""
    notes: list[str] = []
    for split in SPLITS:
        own = [s for name, s in parts.items() if name.startswith(f"{split}/")]
        if f"{split}/loss" in series or not own:
            continue
        fullest = max(own, key=len)
        own = [p for p in own if np.array_equal(p.steps, fullest.steps)]
        total = np.sum([p.values for p in own], axis=0)
        names = [p.column for p in own]
        series[f"{split}/loss"] = replace(fullest, name=f"{split}/loss", values=total, column=" + ".join(names))
        if len(own) > 1:
            notes.append(f"{split} loss is the sum of {', '.join(names)}")
    return notes


def _validating(series: dict[str, Series]) -> list[str]:
    """A test split that is logged along the way, where there is no validation split, is what validates."""
    if any(name.startswith("validation/") for name in series):
        return []
    along = [name for name, s in series.items() if name.startswith("test/") and len(s) > 1]
    if not along or not any(name.startswith("train/") for name in series):
        return []
    for name in along:
        renamed = name.replace("test/", "validation/", 1)
        series[renamed] = replace(series.pop(name), name=renamed)
    return ["no validation split; using the test split instead"]


def _in_bits(series: dict[str, Series]) -> None:
    """A validation loss in bits per byte is a metric of its own next to a training loss in nats per token."""
    train, validation = series.get("train/loss"), series.get("validation/loss")
    if train is None or validation is None or BITS.search(train.column.lower()):
        return
    unit = BITS.search(validation.column.lower())
    if unit is not None:
        name = f"validation/bits_per_{'byte' if unit.group().endswith('b') else 'character'}"
        series[name] = replace(series.pop("validation/loss"), name=name)


def _of_codebook(series: dict[str, Series]) -> None:
    """Beside an error of reconstruction, a perplexity is that of the codes, and rises as more of them are used."""
    if "reconstruction" in series and "train/perplexity" in series:
        codes = replace(series.pop("train/perplexity"), name="codebook_perplexity")
        series.setdefault("codebook_perplexity", codes)
        error = series["reconstruction"]
        series.setdefault("train/loss", replace(error, name="train/loss"))


def _standing_in(series: dict[str, Series]) -> list[str]:
    """Where the log has no loss, a measure of error that falls as a loss does is judged as one."""
    if "train/loss" in series:
        return _same_measure(series) or _of_perplexity(series)
    if "validation/loss" in series:
        return []
    metric = next((metric for metric in STAND_INS if f"train/{metric}" in series), None)
    if metric is None:
        return _squared_error(series)
    for split in ("train", "validation"):
        found = series.get(f"{split}/{metric}")
        if found is not None:
            values = np.log(found.values) if metric == "perplexity" else found.values
            series[f"{split}/loss"] = replace(found, name=f"{split}/loss", values=values)
    shown = "the logarithm of the perplexity" if metric == "perplexity" else f"its {metric}"
    return [f"no loss in the log; using {shown} instead"]


def _squared_error(series: dict[str, Series]) -> list[str]:
    """An `error` above 100 is no share of wrong answers: it is the loss, of both splits."""
    error = series.get("train/error")
    if error is None or not len(error.y) or error.high <= MAX_PERCENT:
        return []
    for split in ("train", "validation"):
        if (found := series.pop(f"{split}/error", None)) is not None:
            series[f"{split}/loss"] = replace(found, name=f"{split}/loss")
    return [f"no loss in the log; using {error.column} instead, which exceeds 100 and is no error rate"]


def _same_measure(series: dict[str, Series]) -> list[str]:
    """A validation MSE of the size of the training loss, in a log without any share, is the validation loss."""
    mse = series.get("validation/mse")
    loss = series["train/loss"]
    if mse is None or "validation/loss" in series or not (len(mse.y) and len(loss.y)):
        return []
    shares = [name for name in series if (known := BY_NAME.get(name.rpartition("/")[2])) is not None and known.share]
    low, high = sorted((mse.last, loss.last))
    if shares or low <= 0 or high > 2 * low:
        return []
    series["validation/loss"] = replace(mse, name="validation/loss")
    return [f"no validation loss in the log; using {mse.column} instead, which matches the size of the training loss"]


def _of_perplexity(series: dict[str, Series]) -> list[str]:
    """A validation perplexity whose logarithm begins near the training loss is that of the same loss, which is then known for validation, too."""
    perplexity, loss = series.get("validation/perplexity"), series["train/loss"]
    if perplexity is None or "validation/loss" in series or not (len(perplexity.y) and len(loss.y)):
        return []
    if (
        perplexity.low <= 1
        or loss.initial <= 0
        or not 1 / NEAR_LOSS < np.log(perplexity.initial) / loss.initial < NEAR_LOSS
    ):
        return []
    series["validation/loss"] = replace(perplexity, name="validation/loss", values=np.log(perplexity.values))
    return ["validation loss is the logarithm of the perplexity in the log"]


def _beyond_shares(series: dict[str, Series]) -> list[str]:
    """Leave out, with a note, a series that is named like a share but rises above 100: it counts something else."""
    notes: list[str] = []
    for name, s in list(series.items()):
        known = BY_NAME.get(name.rpartition("/")[2])
        if known is not None and known.share and len(s.y) and s.high > MAX_PERCENT:
            del series[name]
            notes.append(f"{s.column} rises to {s.high:.4g}: neither a fraction nor a percentage, so it is not judged")
    return notes


def as_shares(series: Mapping[str, Series], percent: set[str]) -> dict[str, Series]:
    """Percent into fractions, together for all splits of one metric; `percent` are the columns with % in their cells."""
    scaled = dict(series)
    for metric in {name.rpartition("/")[2] for name in series}:
        group = {name: s for name, s in series.items() if name.rpartition("/")[2] == metric and "/" in name}
        for name in _of_shares(metric, group, series, percent):
            shares = np.round(group[name].values * PERCENT, DECIMALS)  # 84.62 / 100 is not quite 0.8462
            scaled[name] = replace(group[name], values=shares, scale=PERCENT)
    return scaled


def _of_shares(
    metric: str, group: Mapping[str, Series], series: Mapping[str, Series], percent: set[str]
) -> Sequence[str]:
    """Which series of one metric are in percent; none where it is no share."""
    known, says = BY_NAME.get(metric), any(s.column in percent for s in group.values())
    if known is None or not (known.share or (metric in ABOVE_ONE and says)):
        return ()
    if metric == "accuracy" and (_top5_in_percent(series) or guessed_in_percent(series)):
        percent = percent | {s.column for s in group.values()}
    return _in_percent(group, percent, higher=known.higher, poor=metric == "accuracy" and _poor(series))


def _in_percent(group: Mapping[str, Series], percent: set[str], *, higher: bool, poor: bool) -> list[str]:
    """Which series of one metric are in percent.

    A column that never rises above 1 is one of fractions where only the others say percent, or where only then it is
    near them.
    """
    tops = {name: s.high if len(s.y) else 0.0 for name, s in group.items()}
    highest = max(tops.values(), default=0.0)
    if says := _saying_percent(group, percent, highest):
        return [name for name, top in tops.items() if top > 1 or name in says]
    if highest <= ABOVE_SHARE and not (poor and highest > 1):
        return []
    near = 0.01 * highest + NEAR if higher and highest > CLEARLY else -np.inf
    return [name for name, top in tops.items() if top > 1 or top >= near]


def _saying_percent(group: Mapping[str, Series], percent: set[str], highest: float) -> list[str]:
    """The series with % in their cells, or in the name of their column where a value of the metric is above 1."""
    return [n for n, s in group.items() if s.column in percent or (highest > 1 and _says_percent(s.column))]


def _top5_in_percent(series: Mapping[str, Series]) -> bool:
    """Whether the share of answers among the first five is in percent, and never below that of the first: both are printed alike."""
    for split in SPLITS:
        five, one = series.get(f"{split}/top5_accuracy"), series.get(f"{split}/accuracy")
        if five is not None and one is not None and len(five.y) and len(one.y) and one.high <= five.high > ABOVE_SHARE:
            return True
    return False


def _poor(series: Mapping[str, Series]) -> bool:
    """Whether the losses are those of a network that is right about one example in a hundred, never of one that always is."""
    losses = [s for name, s in series.items() if name.endswith("/loss") and len(s.y)]
    return bool(losses) and all(s.last > POOR_LOSS for s in losses)


def _says_percent(column: str) -> bool:
    low = column.lower()
    return "%" in low or "pct" in low or "percent" in low

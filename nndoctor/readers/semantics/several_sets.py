"""Metrics on several validation sets: their mean is judged, but not where one set gets worse while another improves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nndoctor.core.series import Series
from nndoctor.readers.vocabulary.names import SET_OF_SEVERAL

MAX_SETS = 3  # validation sets that a note names
MIN_EVALUATIONS = 3  # losses of a set, from which its course is known
MIN_RISE, MAX_LEFT = 1.5, 0.75  # times its first value that the loss of a lost set ends at, and of one that is learned
LOSS = "validation/loss"
OF_SET = "set:"  # begins the name of a series of one set: `set:old/loss`


def of_several_sets(
    found: Mapping[str, Series], groups: Mapping[str, list[Series]]
) -> tuple[dict[str, Series], tuple[str, ...]]:
    """The series with those that are logged for several validation sets, each as the mean over the sets, and notes on them.

    Sets whose loss rises far while that of another falls are left out of the means, and kept under their own names.
    """
    series = dict(found)
    notes: list[str] = []
    lost = _lost_sets(groups.get(LOSS, []))
    for name, sets in groups.items():
        kept = [s for s in sets if _set_of(s) not in lost]
        for own in sets:
            if own not in kept:
                new = f"{OF_SET}{_set_of(own)}/{name.rpartition('/')[2]}"
                series[new] = replace(own, name=new)
        series[name], columns = _mean(kept or sets)
        shown = f"{', '.join(columns[:MAX_SETS])}{', …' if len(columns) > MAX_SETS else ''}"
        notes.append(f"{name.replace('/', ' ')} is {'the mean of ' if len(columns) > 1 else ''}{shown}")
    return series, tuple(notes)


def _set_of(series: Series) -> str:
    """The set of a column: `old` of `eval_old_loss`."""
    named = SET_OF_SEVERAL.fullmatch(series.column.strip())
    return named["set"] if named else series.column


def _lost_sets(losses: Sequence[Series]) -> set[str]:
    """The sets whose loss rises far, where that of another falls; none where all go the same way."""
    known = [s for s in losses if len(s.y) >= MIN_EVALUATIONS and s.initial > 0]
    rises = {_set_of(s) for s in known if s.last > MIN_RISE * s.initial and s.final > s.initial}
    falls = any(s.final < MAX_LEFT * s.initial and s.final < (1 / MAX_LEFT) * s.low for s in known)
    return rises if falls and len(rises) < len(losses) else set()


def _mean(sets: Sequence[Series]) -> tuple[Series, list[str]]:
    """The mean of the sets that are evaluated at the same steps as the fullest one, and their columns."""
    fullest = max(sets, key=len)
    alike = [s for s in sets if np.array_equal(s.steps, fullest.steps)]
    columns = [s.column for s in alike]
    values = np.mean([s.values for s in alike], axis=0)
    return replace(fullest, values=values, column=" + ".join(columns)), columns

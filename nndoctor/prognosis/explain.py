"""Why a probability is what it is: the aspects of a run that move it most, and how similar runs turned out."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.measurements import MEASUREMENTS, NAMES, vector
from nndoctor.analysis.measurements.view import View
from nndoctor.core.prognosis import Reason
from nndoctor.core.run import Run
from nndoctor.prognosis.changes import BY_NAME, HELPS
from nndoctor.prognosis.changes import NAMES as CHANGE_NAMES
from nndoctor.prognosis.model import Model
from nndoctor.prognosis.outlook import Outlook
from nndoctor.prognosis.words import describe

MAX_REASONS = 2  # aspects of the run that are named; the runs that it resembles follow


@cache
def themes() -> dict[str, tuple[int, ...]]:
    """The places of the measurements of each theme."""
    found: dict[str, list[int]] = {}
    for k, measurement in enumerate(MEASUREMENTS):
        found.setdefault(measurement.theme, []).append(k)
    return {theme: tuple(places) for theme, places in found.items()}


NO_REASON = frozenset({"log"})  # themes that do not concern the training itself


def reasons_for(run: Run, outlook: Outlook, head: str) -> tuple[Reason, ...]:
    """The aspects without which the probability would be most different, in the direction in which it was decided."""
    shifts = dict(zip(themes(), _shifts(outlook, head, list(themes().values())), strict=True))
    sign = 1.0 if outlook.probability(head) >= 0.5 else -1.0
    view, row = View(run), vector(run)
    reasons: list[Reason] = []
    for theme in sorted(shifts, key=lambda t: -sign * shifts[t]):
        if sign * shifts[theme] <= 0 or len(reasons) == MAX_REASONS:
            break
        says = describe(view, theme) if theme not in NO_REASON else None
        if says is not None and all(reason.says != says for reason in reasons):
            strongest = _strongest(outlook, head, themes()[theme])
            reasons.append(Reason(NAMES[strongest], None if np.isnan(row[strongest]) else float(row[strongest]), says))
    return tuple(reasons)


def _strongest(outlook: Outlook, head: str, places: tuple[int, ...]) -> int:
    """The one of some measurements that moves the score most."""
    alone = _shifts(outlook, head, [(place,) for place in places])
    return places[int(np.argmax(np.abs(alone)))]


def _shifts(outlook: Outlook, head: str, groups: list[tuple[int, ...]]) -> list[float]:
    """How far each group of measurements moves the score of a head, against those of a typical healthy run."""
    k = outlook.model.heads.index(head)
    rows = np.where(_changed(tuple(groups), len(outlook.bins)), outlook.model.extra["typical"], outlook.bins)
    scores = outlook.model.scores(rows, slice(k, k + 1))[:, 0]
    return [float(shift) for shift in scores[0] - scores[1:]]


@cache
def _changed(groups: tuple[tuple[int, ...], ...], count: int) -> NDArray[np.bool_]:
    """A mask of each group's measurements, after a row for none, shape (1 + groups, count)."""
    rows = np.zeros((len(groups) + 1, count), dtype=np.bool_)
    for row, places in zip(rows[1:], groups, strict=True):
        row[list(places)] = True
    return rows


def similar(outlook: Outlook, change: str) -> Reason | None:
    """How often a change helped in the most similar runs that tried it."""
    gains = outlook.similar[:, CHANGE_NAMES.index(change)]
    tried = gains[~np.isnan(gains)]
    if not len(tried):
        return None
    helped = int(np.sum(tried > HELPS))
    says = f"{BY_NAME[change].words} helped in {helped} of {len(tried)} similar runs"
    return Reason("similar_runs", helped / len(tried), says)


def retrained(model: Model) -> int:
    """The number of retrained networks that the model was trained on."""
    return int(model.extra["compared"][1])

"""A training loss that rises for good: it jumps and stays up, climbs until the end, or never comes below its first value."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.convergence import reach
from nndoctor.analysis.level import dwarfs_second, first_level
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import closing, quantile

ANNEALED = re.compile(r"kl|kld|regulari|commit|aux|beta")
MIN_POINTS = 8
MIN_JUMP = 0.3  # share of the reach, from one value to the next
LAST_TENTH = 0.1  # share of the run at its end
MIN_SCALE = 0.1  # share of the reach that counts at least where the first value dwarfs the others
MIN_PART_POINTS = 4  # values of a part of the loss
NEAR_ZERO = 0.2  # share of its last level below which a part that is annealed began
MAX_PART_GROWTH = 1.02  # times its first level at which no other part has risen
NEVER_BELOW = 0.98  # share of the first value that no value is below
STEP_TO_VALUE = 1.05  # noise of a value over the median size of a step
LOWEST_TENTH = 0.1  # quantile of the values after a jump
MIN_RATES = 3  # learning rates that show a schedule
MAX_RATES_BEFORE = 4  # learning rates before a jump among which it was raised
RAISED = 1.5  # times the learning rate before it
MIN_STAYS = 0.25  # share of the reach by which nine values in ten after the jump are above the level before it
NOISES = 8.0  # times the noise before it that a jump exceeds
MIN_BEFORE = 5  # values before the jump
MIN_AFTER = 5  # values after the jump
MIN_AFTER_SHARE = 0.1  # share of the run after the jump
MIN_CLIMB, MIN_RISES = 0.35, 4  # share of the reach, and rises in a row that end the run
MIN_FEW_CLIMB, MIN_FEW_RISES, MIN_FEW_TIMES = (
    0.5,
    3,
    3.0,
)  # the same, and times the lowest value, where the gradient grows
MAX_LOW_AT, MIN_AFTER_LOW = 0.3, 8  # share of the run by which a steady climb begins, and values after that
MIN_ORDERED = 0.9  # rank correlation with time of the values from the lowest on
RISE_AT_FIRST = (Workload.GAN, Workload.CONTRASTIVE)  # an opponent that learns, or more negatives, raise the loss
MIN_STEADY, STEADY_TIMES = 0.1, 3.0  # share of the lowest value, and times the fall before it, that it exceeds
MIN_ABOVE_START = 1.4  # times the first value
MAX_NOISE = 0.1  # share of the rise; more noise leaves doubt


@dataclass(frozen=True, slots=True)
class Rise:
    """A rise for good: `kind` is `jump`, `climb` or `from-start`, `index` the value from which it counts."""

    kind: str
    index: int


@once
def rises_for_good(run: Run) -> Rise | None:
    """The rise of the training loss that was not undone, or None; under a learning rate that is raised at once none counts."""
    loss = run.series_of("train/loss", MIN_POINTS)
    if loss is None or not np.isfinite(reach(run)) or reweighted(run):
        return None
    scale = reach(run)
    if dwarfs_second(loss):  # a first value after an explosion is no measure of what was learned
        scale = min(scale, max(first_level(loss).mean - loss.low, MIN_SCALE * scale))
    return _from_start(loss) or _climb(run, loss, scale) or _jump(run, loss, scale)


@once
def climbs_steadily(run: Run) -> bool:
    """Whether the training loss climbs from early in the run to its end, nearly every value above those before it, far beyond its first value."""
    loss = run.series_of("train/loss", MIN_POINTS)
    if loss is None or loss.low <= 0 or reweighted(run) or workload(run) in RISE_AT_FIRST:
        return False
    low = int(np.argmin(loss.y))
    after = loss.y[low:]
    if low > MAX_LOW_AT * len(loss.y) or len(after) <= MIN_AFTER_LOW:
        return False
    rise = min(loss.final, float(np.median(after[-MIN_RATES:]))) - loss.low
    ordered = float(np.corrcoef(np.arange(len(after)), np.argsort(np.argsort(after, kind="stable")))[0, 1])
    return rise > max(MIN_STEADY * loss.low, STEADY_TIMES * (loss.initial - loss.low)) and ordered > MIN_ORDERED


def reweighted(run: Run) -> bool:
    """Whether the training loss rises because the weights of its parts change, as where the KL term of a VAE is annealed.

    The weight itself is in the log and changes, or no part but one that began near zero rises.
    """
    beta = run.series_of("beta", 2)
    if beta is not None and beta.high > beta.low:
        return True
    parts = [s for s in run.series.values() if _is_part(s)]
    others = [s for s in parts if not _is_annealed(s)]
    return 0 < len(others) < len(parts) and all(s.last <= MAX_PART_GROWTH * s.first for s in others)


def _is_annealed(part: Series) -> bool:
    """Whether a part is named for a term that is annealed, and began near zero."""
    return ANNEALED.search(part.name) is not None and abs(part.initial) < NEAR_ZERO * abs(part.last)


def _is_part(series: Series) -> bool:
    """Whether a series is a part of the training loss: a loss of its own name, or the KL divergence."""
    named = series.name == "kl" or (series.name.startswith("train/") and series.name.endswith("_loss"))
    return named and len(series.y) >= MIN_PART_POINTS


def _from_start(loss: Series) -> Rise | None:
    y, first = loss.y, loss.initial
    end = float(np.median(closing(y, LAST_TENTH)))
    calm = loss.noise < MAX_NOISE * (end - first)
    return (
        Rise("from-start", 0)
        if first > 0 and y.min() >= NEVER_BELOW * first and end > MIN_ABOVE_START * first and calm
        else None
    )


def _climb(run: Run, loss: Series, scale: float) -> Rise | None:
    """The run ends in rises only, each above the noise, that together undo much of what was reached."""
    rises = np.diff(loss.y) > loss.noise
    last_fall = np.flatnonzero(~rises)
    begins = int(last_fall[-1]) + 1 if len(last_fall) else 0
    long_enough = len(loss.y) - 1 - begins >= MIN_RISES
    if long_enough and loss.final - loss.low > MIN_CLIMB * scale:
        return Rise("climb", begins)
    return Rise("climb", int(np.argmin(loss.y))) if _climbs_with_gradient(run, loss, scale) else None


def _climbs_with_gradient(run: Run, loss: Series, scale: float) -> bool:
    """Whether all values from the lowest on rise and undo more, and the gradient norm ends at its highest."""
    norm, rises = run.series_of("grad_norm", MIN_POINTS), np.diff(loss.y[int(np.argmin(loss.y)) :])
    if norm is None or norm.final < norm.high or len(rises) < MIN_FEW_RISES or rises.min() <= 0:
        return False
    return loss.final - loss.low > MIN_FEW_CLIMB * scale and loss.final > MIN_FEW_TIMES * loss.low > 0


def _jump(run: Run, loss: Series, scale: float) -> Rise | None:
    """One value far above those before it, and no way back to them."""
    y = loss.y
    jumps = np.diff(y)
    at = int(np.argmax(jumps[MIN_BEFORE - 1 :])) + MIN_BEFORE if len(jumps) >= MIN_BEFORE else 0
    after = y[at:]
    if at < MIN_BEFORE or len(after) < max(MIN_AFTER, MIN_AFTER_SHARE * len(y)) or _raised(run, float(loss.x[at])):
        return None
    window = y[max(0, at - 4 * MIN_BEFORE) : at]
    level, noise = float(np.median(window[-MIN_BEFORE:])), float(np.median(np.abs(np.diff(window)))) * STEP_TO_VALUE
    high = float(y[at]) - level > max(MIN_JUMP * scale, NOISES * noise)
    return Rise("jump", at) if high and quantile(after, LOWEST_TENTH) > level + MIN_STAYS * scale else None


def _raised(run: Run, step: float) -> bool:
    """Whether the learning rate was raised just before a step: a warm restart starts high on purpose."""
    lr = run.series_of("lr", MIN_RATES)
    if lr is None:
        return False
    before = lr.y[lr.x <= step][-MAX_RATES_BEFORE:]
    return len(before) > 1 and bool((before[1:] > RAISED * before[:-1]).any())

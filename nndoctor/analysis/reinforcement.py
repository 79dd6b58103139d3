"""How well a policy does: levels of the reward, whether the task is solved, the entropy and the size of its updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import MEDIAN_ERROR, TINY, Array, closing, median, opening

WINDOWS = 10  # pieces of a run whose medians are compared
MIN_VALUES = 3  # values of a piece
START, END = 1 / 20, 1 / 7  # shares of a run whose medians are its levels at the start and at the end
SOLVED = 0.9  # reward between 0 and 1
SOLVED_SHARE = 0.8  # share of the way from the first reward to 1
KEPT = 0.5  # share of its rise that the reward of a solved task keeps
MIN_GAIN = 1.8  # standard deviations of the first rewards of a group; a policy that gains so much has learned the task
MIN_GAIN_OF_GAME = 0.3  # share of the size of a game's first reward
OWN_SCALE = 0.5  # share of the size of the first reward that is the unit of a gain where nothing else gives a scale
MIN_AT_CAP = 0.5  # share of the last quarter at the highest value ever seen: the episode's limit is reached
MIN_SPREAD = 1e-4  # spread of rewards that carries an advantage
ERRORS = 3.0  # standard errors of a level by which a rise exceeds chance
FLOAT_ERROR = 1e-9  # of a reward
MIN_VARIANCE = 0.02  # of a reward between 0 and 1
NEARBY = 0.05  # share of the run around a step
MIN_UPDATES = 10  # updates of a policy that never changes
SAME_ENTROPY = 1e-3  # share of its size; the observed states differ a little even under one policy


@dataclass(frozen=True, slots=True)
class Levels:
    """Medians of a series over pieces of the run: at its start, at its best (highest) and its end; `error` is that of one."""

    start: float
    best: float
    best_step: float
    low: float
    last: float
    error: float


def levels(series: Series) -> Levels:
    """The levels of a series of at least one finite value."""
    x, y = series.x, series.y
    size = max(min(MIN_VALUES, len(y)), len(y) // WINDOWS)
    edges = range(0, max(len(y) - size + 1, 1), max(size // 2, 1))
    pieces = np.array([median(y[a : a + size]) for a in edges])
    best = int(pieces.argmax())
    error = MEDIAN_ERROR * series.noise / np.sqrt(size)
    return Levels(
        start=median(opening(y, START)),
        best=float(pieces[best]),
        best_step=float(x[min(best * max(size // 2, 1) + size // 2, len(x) - 1)]),
        low=float(pieces.min()),
        last=median(closing(y, END)),
        error=float(error),
    )


@once
def reward(run: Run) -> Levels | None:
    """The levels of the reward; None where there is none."""
    found = run.series_of("reward", MIN_VALUES)
    return levels(found) if found is not None else None


@once
def complete(run: Run) -> bool:
    """Whether the reward ends at the most that there is: nearly 1 of a share, or the limit of an episode."""
    found, level = run.series.get("reward"), reward(run)
    if found is None or level is None:
        return False
    nearly = level.last >= SOLVED or level.last - level.start > SOLVED_SHARE * (1 - level.start)
    if found.low >= 0 and found.high <= 1 and nearly:
        return True
    late = found.y[-max(MIN_VALUES, len(found.y) // 4) :]
    game = "reward_std" not in run.series
    return game and float(np.mean(late >= found.high - FLOAT_ERROR)) >= MIN_AT_CAP and found.high > found.low


@once
def solved(run: Run) -> bool:
    """Whether the task is complete, or the reward has kept most of a rise far above its start."""
    level = reward(run)
    if level is None or level.last < level.start + KEPT * (level.best - level.start):
        return False
    return complete(run) or level.last - level.start > MIN_GAIN * spread(run)


def gained_at(run: Run, step: float) -> float | None:
    """The share of the reward's rise that had come by a step; None where there is no rise."""
    found, level = run.series.get("reward"), reward(run)
    if found is None or level is None or level.best - level.start <= ERRORS * level.error:
        return None
    width = NEARBY * found.length
    near = found.y[np.abs(found.x - step) <= width]
    return (median(near) - level.start) / (level.best - level.start) if len(near) else None


def spread(run: Run) -> float:
    """How far the rewards of one start are apart: the unit of a gain."""
    found, level = run.series["reward"], reward(run)
    start = level.start if level is not None else 0.0
    std = run.series_of("reward_std")
    if std is not None and std.first > MIN_SPREAD:
        return std.first
    if found.low >= 0 and found.high <= 1:
        return float(np.sqrt(max(start * (1 - start), MIN_VARIANCE)))
    return max(OWN_SCALE * abs(start), 2 * found.noise, TINY)


@once
def improves(run: Run) -> bool:
    """Whether the reward ends clearly above its start."""
    level = reward(run)
    if level is None:
        return False
    if solved(run):
        return True
    game = "reward_std" not in run.series and run.series["reward"].high > 1
    return level.last - level.start > max(
        MIN_GAIN_OF_GAME * abs(level.start) if game else MIN_GAIN * spread(run), ERRORS * level.error
    )


@once
def entropy(run: Run) -> Series | None:
    """The policy's entropy, higher where it is more random: `entropy_loss` is its negative in most libraries."""
    found = run.series_of("entropy")
    if found is not None:
        return found
    loss = run.series_of("entropy_loss")
    if loss is None:
        return None
    return loss.with_values(-loss.values) if loss.first < 0 else loss


def dead_steps(run: Run) -> Array | None:
    """For each step 1 where no group of rewards differs, else the share of groups that do not; None where nothing shows it."""
    groups, std = run.series_of("zero_spread_groups"), run.series_of("reward_std")
    if groups is not None:
        return groups.y
    if std is None:
        return None
    return (std.y <= MIN_SPREAD * max(1.0, float(np.abs(std.y).max()))).astype(float)


def is_dead_row(run: Run) -> bool:
    """Whether the log has one step alone, in which no group of rewards differs and the gradient is exactly 0."""
    dead, norm = dead_steps(run), run.series_of("grad_norm")
    return dead is not None and len(dead) == 1 == dead[0] and norm is not None and norm.high == norm.low == 0


def size_of_updates(run: Run, *, of_text: bool) -> Series | None:
    """The divergence between the policies before and after an update; outside of text `kl` is that, too."""
    names = "approx_kl" if of_text else "approx_kl|kl"
    return run.series_of(names)


def unchanged_policy(run: Run, *, of_text: bool) -> tuple[Series, Series] | None:
    """The divergence of a policy's updates, 0 in all of them, and its entropy, which stays the same while the reward does not improve; else None."""
    moved, spread = size_of_updates(run, of_text=of_text) or run.series_of("kl"), entropy(run)
    if moved is None or spread is None or min(len(moved.y), len(spread.y)) < MIN_UPDATES:
        return None
    if bool(moved.y.any()) or improves(run) or spread.low <= 0 or spread.high - spread.low > SAME_ENTROPY * spread.high:
        return None
    return moved, spread

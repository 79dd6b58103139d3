"""How a policy fares: levels of the reward, whether the task is solved, the entropy and the size of its updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndoctor.core.run import Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median

WINDOWS = 10  # pieces of a run whose medians are compared
FEWEST = 3  # values of a piece
SOLVED = 0.9  # of a reward between 0 and 1
CLOSED = 0.8  # of the way from the first reward to 1
MASTERED = 1.8  # standard deviations of the first rewards of a group: who gains so much has learned the task
BETTER = 0.3  # of the size of a game's first reward
DOUBLED = 0.5  # of the size of the first reward: the gain where nothing else gives a scale
CAP = 0.5  # of the last quarter at the highest value ever seen: the episode's limit is reached
DEAD = 1e-4  # a spread of rewards below it carries no advantage


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
    size = max(min(FEWEST, len(y)), len(y) // WINDOWS)
    edges = range(0, max(len(y) - size + 1, 1), max(size // 2, 1))
    pieces = np.array([median(y[a : a + size]) for a in edges])
    best = int(pieces.argmax())
    error = 1.25 * series.noise / np.sqrt(size)
    return Levels(
        start=median(y[: max(FEWEST, len(y) // 20)]),
        best=float(pieces[best]),
        best_step=float(x[min(best * max(size // 2, 1) + size // 2, len(x) - 1)]),
        low=float(pieces.min()),
        last=median(y[-max(FEWEST, len(y) // 7) :]),
        error=float(error),
    )


@once
def reward(run: Run) -> Levels | None:
    """The levels of the reward; None where there is none."""
    found = run.series.get("reward")
    return levels(found) if found is not None and len(found.y) >= FEWEST else None


@once
def complete(run: Run) -> bool:
    """Whether the reward ends at the most that there is: nearly 1 of a share, or the limit of an episode."""
    found, way = run.series.get("reward"), reward(run)
    if found is None or way is None:
        return False
    nearly = way.last >= SOLVED or way.last - way.start > CLOSED * (1 - way.start)
    if found.low >= 0 and found.high <= 1 and nearly:
        return True
    late = found.y[-max(FEWEST, len(found.y) // 4) :]
    game = "reward_std" not in run.series
    return game and float(np.mean(late >= found.high - 1e-9)) >= CAP and found.high > found.low


@once
def solved(run: Run) -> bool:
    """Whether the task is complete, or the reward has kept most of a rise far above its start."""
    way = reward(run)
    if way is None or way.last < way.start + 0.5 * (way.best - way.start):
        return False
    return complete(run) or way.last - way.start > MASTERED * spread(run)


def gained_at(run: Run, step: float) -> float | None:
    """The share of the reward's rise that had come by a step; None where there is no rise."""
    found, way = run.series.get("reward"), reward(run)
    if found is None or way is None or way.best - way.start <= 3 * way.error:
        return None
    width = 0.05 * (float(found.x[-1]) - float(found.x[0]))
    near = found.y[np.abs(found.x - step) <= width]
    return (median(near) - way.start) / (way.best - way.start) if len(near) else None


def spread(run: Run) -> float:
    """How far the rewards of one start lie apart: the unit of a gain."""
    found, way = run.series["reward"], reward(run)
    start = way.start if way is not None else 0.0
    std = run.series.get("reward_std")
    if std is not None and len(std.y) and std.first > DEAD:
        return std.first
    if found.low >= 0 and found.high <= 1:
        return float(np.sqrt(max(start * (1 - start), 0.02)))
    return max(DOUBLED * abs(start), 2 * found.noise, 1e-12)


@once
def improves(run: Run) -> bool:
    """Whether the reward ends clearly above its start."""
    way = reward(run)
    if way is None:
        return False
    if solved(run):
        return True
    game = "reward_std" not in run.series and run.series["reward"].high > 1
    return way.last - way.start > max(BETTER * abs(way.start) if game else MASTERED * spread(run), 3 * way.error)


@once
def entropy(run: Run) -> Series | None:
    """The policy's entropy, higher where it is more random: `entropy_loss` is its negative in most libraries."""
    found = run.series.get("entropy")
    if found is not None and len(found.y):
        return found
    loss = run.series.get("entropy_loss")
    if loss is None or not len(loss.y):
        return None
    return loss.with_values(-loss.values) if loss.first < 0 else loss


def dead_steps(run: Run) -> Array | None:
    """For each step 1 where no group of rewards differs, else the share of groups that do not; None where nothing shows it."""
    groups, std = run.series.get("zero_spread_groups"), run.series.get("reward_std")
    if groups is not None and len(groups.y):
        return groups.y
    if std is None or not len(std.y):
        return None
    return (std.y <= DEAD * max(1.0, float(np.abs(std.y).max()))).astype(float)


def size_of_updates(run: Run, *, of_text: bool) -> Series | None:
    """The divergence between the policies before and after an update; outside of text `kl` is that, too."""
    names = "approx_kl" if of_text else "approx_kl|kl"
    found = run.get(names)
    return found if found is not None and len(found.y) else None

"""How restless a loss is: how much it trembles, whether it swings, stands above what it had reached, or climbs and comes back."""

from __future__ import annotations

import math

import numpy as np

from nndoctor.analysis.chance import UNLEARNED, chance_loss
from nndoctor.analysis.convergence import reach, roughness
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, noise_level, quantile

FEW = 8  # points: a swing is seen three times at least
THIRDS = 5  # points, which leave two third differences
EPOCHS = 40  # readings at most: a longer log has levels to compare
USUAL = 0.85  # of the epochs; the highest rest are spikes
AGAIN = 0.1  # of the reach, in all rises but the highest
WHITE = 1.8  # times what independent noise would leave in those levels: small batches alone do not wander
GROWTH = 5.0  # times: the noise of the last third against that of the first
CLIMB = 0.25  # of the reach, kept up by a tenth of the run
BRIEF = 0.2  # of the readings
FEW_JUMPS = 2
MADE_GOOD = 0.15  # of the climb: what may be left of it at the end


def both(run: Run, loss: Series) -> list[Series]:
    """Both losses where validation has points enough: weights that swing show in both, small batches in one."""
    validation = run.series.get("validation/loss")
    return [loss, validation] if validation is not None and len(validation.y) >= FEW else [loss]


def side_by_side(run: Run, loss: Series) -> bool:
    """Whether the log has few readings, each with one of validation beside it: epochs, whose means no batch shakes."""
    curves = both(run, loss)
    return len(curves) > 1 and len(loss.y) <= EPOCHS and len(curves[1].y) > 0.5 * len(loss.y)


def jitter(run: Run) -> float:
    """What the steps themselves shake the losses by, of the rougher of both, as a share of the reach.

    From third differences, in which a smooth curve leaves nothing and independent noise 20 times its variance
    (1 + 9 + 9 + 1, the squares of their weights). A validation loss is measured on the same examples each time, so that
    only the weights move it: its noise grows with the steps' size.
    """
    curves = [run.series.get(name) for name in ("train/loss", "validation/loss")]
    shaken = [_shaken(series.y) for series in curves if series is not None and len(series.y) >= THIRDS]
    return max(shaken, default=math.inf) / reach(run)


def _shaken(y: Array) -> float:
    return float(np.sqrt(np.mean(np.diff(y, 3) ** 2) / 20))


def above_best(run: Run, loss: Series) -> float:
    """The mean distance from the best so far, spikes left out, of the calmer of both losses: a share of what was learned."""
    return min(_above_best(run, series) for series in both(run, loss))


def _above_best(run: Run, series: Series) -> float:
    """The same of one loss, over the whole run or its second half: a share of the reach, or of all that there is to learn, where that is known."""
    risen = (series.y - np.minimum.accumulate(series.y))[1:]
    scale = max(reach(run), UNLEARNED * (chance_loss(run) or 0.0))
    return min(_usual(risen), _usual(risen[len(risen) // 2 :])) / scale


def _usual(values: Array) -> float:
    return float(np.sort(values)[: math.ceil(USUAL * len(values))].mean())


def rises_again(run: Run, loss: Series) -> bool:
    """Whether the loss has risen more than once: one step up that stays is another fault."""
    rises = np.sort(np.diff(loss.y).clip(0))
    return float(rises[:-1].sum()) > AGAIN * reach(run)


def swing(run: Run, loss: Series, limit: float) -> float:
    """How far the loss moves between readings of its second half; where it is over the limit, the calmer of both losses."""
    found = _swing(run, loss)
    return min(_swing(run, series) for series in both(run, loss)) if found > limit else found


def _swing(run: Run, series: Series) -> float:
    """The same of one loss, as a share of its own way down, or from chance."""
    own = max(series.first, chance_loss(run) or series.first) - series.best
    late = series.y[len(series.y) // 2 :]
    rough = noise_level(late) if series.name.startswith("validation") else roughness(series, 0.5)
    guessing = chance_loss(run) or 0.0  # all that there is to learn, where that is known
    return rough / max(own, 0.5 * reach(run), UNLEARNED * guessing)


def wanders(loss: Series) -> bool:
    """Whether the level moves by more than independent noise would leave in it, or the noise itself grew."""
    points = max(len(loss.y) // 60, 1)
    if points == 1 or _worsens(loss):
        return True
    left = max(loss.noise / points**0.5 * 1.25, 1e-12)
    return bool(roughness(loss, 0.5) / left / WHITE >= 1.0)


def _worsens(loss: Series) -> bool:
    """Whether the noise itself grew many times over: the noise of small batches shrinks as a run learns."""
    third = len(loss.y) // 3
    return noise_level(loss.y[-third:]) > GROWTH * max(noise_level(loss.y[:third]), 1e-9 * abs(loss.last))


def climb(series: Series) -> tuple[float, float]:
    """The highest level over the lowest before it that a tenth of the run's points keep up, and its step."""
    y = series.smooth
    above = y - np.minimum.accumulate(y)
    height = quantile(above, 0.9)
    return height, float(series.reduced[0][int(np.argmax(above))])


def averaged(loss: Series) -> float:
    """Points whose median makes one point of the smooth curve."""
    return max(len(loss.y) / 20, 1.0)


def only_spikes(run: Run, loss: Series) -> bool:
    """Whether most of the climb was one jump that is made good, or the loss was up for a few readings only."""
    above = loss.y - np.minimum.accumulate(loss.y)
    left = loss.last - loss.best
    jumps = np.diff(loss.y)
    alone = float(jumps.max()) > 0.5 * float(above.max()) and int(np.sum(jumps > 0.25 * above.max())) <= FEW_JUMPS
    jumped = alone and left < MADE_GOOD * float(above.max())
    brief = float(np.mean(above > 0.5 * CLIMB * reach(run))) <= BRIEF and left < 0.05 * reach(run)
    return jumped or brief

"""On which side of the usable range a learning rate lies, by short trainings at others."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nndoctor.sanity.bench import Bench

SLOW = 0.03  # of what there is to gain: so little in so many steps, and ten times as much at another rate
SLOW_FOR_KIND = 0.15  # where the rate is below what is usual for its optimizer, too
USUAL = {"SGD": 0.1, "Adagrad": 0.01, "Adadelta": 1.0, "Rprop": 0.01}  # torch's and the textbooks' own; the others 1e-3
USUAL_OF_REST = 1e-3
FAR_BELOW = 0.6  # of the gain at a lower rate: a longer trial shows whether it stays so
BELOW_IF_UNUSUAL = 0.8  # the same where the rate is far above what is usual for its optimizer
FAR_ABOVE_USUAL = 30.0  # times that
FAR_GAIN = 10.0  # times the gain at a hundred times the rate
FAR_HIGHER = 100  # times the configured rate
STOOD = 0.02  # of what there is to gain: no progress
LEAST_GAIN = 0.05  # of it: the least that shows that a lower rate makes some
CLEAR, MOST_OF_IT = 0.2, 0.5  # of it: what a lower rate must gain to be compared, and a far higher one


@dataclass(frozen=True, slots=True)
class Trial:
    """One short training: the factor on the configured rate, the loss before and after on the same examples.

    `before` is at most the loss of knowing nothing: what a bad start costs and the first steps win back does not count.
    """

    factor: float
    before: float
    after: float
    first: float = 0.0  # the loss of the first outputs, whatever it is

    @property
    def gain(self) -> float:
        """How far the loss fell; minus infinity where it is not finite any more."""
        return self.before - self.after if math.isfinite(self.after) else -math.inf


def verdict(bench: Bench, rate: float, trials: list[list[Trial]], low: float, *, few: bool) -> tuple[str, int]:
    """The side that most seeds agree on, and how many do."""
    usual = USUAL.get(str(bench.facts.get("optimizer")), USUAL_OF_REST)
    slow = SLOW_FOR_KIND if rate < usual else SLOW
    unusual = rate > FAR_ABOVE_USUAL * usual
    bench.fact("lr_unusually_high", unusual)
    sides = [side(one, low, slow, unusual=unusual) for one in trials]
    # Few steps do not tell a slow start from a low rate, unless it is far below the usual ones; and a rate that is usual is not
    # too low, unless a far higher one gains most of what there is to gain.
    few = few and rate * FAR_HIGHER > usual
    as_usual = rate >= usual and bench.subject.optimizer is not None
    if few or as_usual:
        kept = [as_usual and _far_below(one, low) for one in trials]
        sides = ["inside" if each == "below" and not keep else each for each, keep in zip(sides, kept, strict=True)]
    most = max(("inside", "above", "below"), key=sides.count)
    return most, sides.count(most)


def side(trials: list[Trial], floor: float, slow: float = SLOW, *, unusual: bool = False) -> str:
    """Whether the configured rate is above, inside or below the usable range in one seed's trials."""
    here = trial_at(trials, 1.0)
    room = here.before - floor
    lower = [t for t in trials if t.factor < 1]
    higher = [t for t in trials if t.factor > 1]
    if not room > 0 or not lower or not higher:
        return "inside"
    top, best_below = max(higher, key=lambda t: t.gain), max(t.gain for t in lower)
    if top.gain < best_below and _above(here.gain / room, best_below / room, unusual=unusual):
        return "above"
    if here.gain < -CLEAR * room and top.factor < FAR_HIGHER:  # what rises at first, as with a codebook, is not slow
        return "inside"
    return "below" if _below(here.gain / room, top.gain / room, top.factor, slow) else "inside"


def _above(gain: float, best: float, *, unusual: bool) -> bool:
    """Whether a lower rate gains far more, both as shares of what there is to gain; of a rate far above the usual ones less is asked."""
    nothing = gain < STOOD and best > max(LEAST_GAIN, 2 * gain)
    risen = unusual and gain < 0 and best > STOOD
    return nothing or risen or (gain < (BELOW_IF_UNUSUAL if unusual else FAR_BELOW) * best and best > CLEAR)


def _below(gain: float, top: float, factor: float, slow: float) -> bool:
    """Whether a much higher rate gains far more than the configured one, which gains almost nothing."""
    times = 4 if slow > SLOW else 10
    if factor >= 10 and top > 0.1 and gain < slow and top > times * gain:
        return True
    return factor >= FAR_HIGHER and top > max(FAR_GAIN * gain, MOST_OF_IT) and gain < 2 * SLOW


def _far_below(trials: list[Trial], floor: float) -> bool:
    """Whether a rate a hundred times as high gains most of what there is to gain, and the configured one hardly anything."""
    here = trial_at(trials, 1.0)
    room = here.before - floor
    far = max((t.gain for t in trials if t.factor >= FAR_HIGHER), default=0.0)
    return room > 0 and far > MOST_OF_IT * room and here.gain < 2 * SLOW * room


def trial_at(trials: list[Trial], factor: float) -> Trial:
    """The trial at a factor on the configured rate."""
    return next(t for t in trials if t.factor == factor)

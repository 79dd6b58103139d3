"""Whether a run is alive: values that are not finite, losses that drop to exactly zero, values that repeat to the last digit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nndoctor.core.metrics import series_in_words
from nndoctor.core.run import LAYER, SPLITS, Run, once
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, median

DECIMAL = 10.0
UNIT_ERROR, FLOAT_ERROR = 1e-9, 1e-9  # by which a rounded value differs from its decimal, per unit and in all
MAX_DIGITS = 8  # digits after the point beyond which a log counts as exact
MIN_IDENTICAL = 4  # values; in fewer, coarse rounding alone may make them the same
MANY_IDENTICAL = 10  # evaluations that are enough where a loss has few digits
MAX_LEFT = 0.9  # share of its first level to which a training loss falls while the validation sees nothing of it
SURE_DIGITS = 5  # significant digits; no update leaves so many unchanged
MIN_FEW = 3  # values that are enough where two losses have so many digits
MIN_DIGITS = 3  # significant digits: `0.7` five times in a row is rounding
MIN_SAME, MIN_SHARE_SAME = 3, 0.3  # evaluations at the end that are the same, and their share
MIN_CHANGE = 0.01  # share of the loss; a smaller change between the last two that differ is that of a loss that settles
MAX_FIRST = 2  # values of a training loss before it stops for good; a curve that settles has more
MIN_IDLE = 2  # metrics that repeat, and evaluations, where nothing is trained
MAX_GLIMPSE = 0.02  # share of the steps before the log that it covers; a mean of those hardly changes meanwhile
MIN_ZEROS = 3  # values at the end
ROUNDED_ZERO = 1e-15  # what is left of a sum of zeros in floating point
# Units of the last printed digit: a loss that falls smoothly passes through smaller values on its way to zero.
SUDDEN = 20.0
SUDDEN_SHARE = 0.1  # the same as a share of the first loss
RECENT = 8  # values before the repeats: a curve that settles comes down to them in smaller and smaller steps
MIN_REPEATS, REPEATED_SHARE = 5, 0.2  # values, and share of the run, that are the same to the end


@dataclass(frozen=True, slots=True)
class NotFinite:
    """The NaN and infinite values of one series: the first one's step and kind, how many of how many, and how many end it."""

    name: str
    step: float
    count: int
    total: int
    trailing: int
    infinite: bool = False
    line: int | None = None

    @property
    def lasts(self) -> bool:
        """Whether the run ends in them, or most of its values are among them: scattered ones come from a loss scale that adapts."""
        return self.trailing >= min(MIN_ZEROS, self.total) or 2 * self.count > self.total

    @property
    def from_start(self) -> bool:
        """Whether no value is finite."""
        return self.count == self.total


def not_finite(run: Run, name: str) -> NotFinite | None:
    """The values of a series that are not finite; None where all are, or where there is no such series."""
    series = run.series.get(name)
    if series is None:
        return None
    bad = ~np.isfinite(series.values)
    if not bad.any():
        return None
    at = int(np.argmax(bad))
    good = np.flatnonzero(~bad)
    trailing = len(bad) - 1 - int(good[-1]) if len(good) else len(bad)
    line = None if series.lines is None else int(series.lines[at])
    infinite = bool(np.isinf(series.values[at]))
    return NotFinite(name, float(series.steps[at]), int(bad.sum()), len(bad), trailing, infinite, line)


@once
def columns_not_finite(run: Run) -> tuple[NotFinite, ...]:
    """The same of the log's columns that are no series of the run (parts of a loss, KL, entropy), by the log's own names."""
    found: list[NotFinite] = []
    for name, fact in run.facts.items():
        if name.startswith("not_finite:") and isinstance(fact.value, tuple):
            step, count, total, trailing = (float(v) for v in fact.value)
            column = name.partition(":")[2]
            found.append(NotFinite(column, step, int(count), int(total), int(trailing), line=fact.line))
    return tuple(found)


def unit(values: Array) -> float:
    """The unit of the last printed digit of some finite values: 0.001 for `1.597`; 0 for values that are not rounded."""
    sample = values[:: max(1, len(values) // 200)]
    for digits in range(MAX_DIGITS + 1):
        scale = DECIMAL**digits
        if bool(np.allclose(sample * scale, np.round(sample * scale), rtol=0, atol=UNIT_ERROR * scale + FLOAT_ERROR)):
            return float(DECIMAL**-digits)
    return 0.0


def significant_digits(values: Array) -> int:
    """How many digits the largest of some values is printed with; MAX_DIGITS for values that are not rounded."""
    smallest, largest = unit(values), float(np.abs(values).max(initial=0.0))
    if smallest == 0:
        return MAX_DIGITS
    digits = math.floor(math.log10(max(largest, smallest)) - math.log10(smallest) + FLOAT_ERROR) + 1
    return min(digits, MAX_DIGITS)


def repeats_from(series: Series) -> int:
    """The index from which all values are the same to the end, for a series with at least one finite value."""
    other = np.flatnonzero(series.y != series.final)
    return int(other[-1]) + 1 if len(other) else 0


def judged_series(run: Run) -> list[Series]:
    """The losses and metrics of the splits: what changes when the weights do."""
    own = (s for name, s in run.series.items() if name.split("/")[0] in SPLITS and not name.startswith(LAYER))
    return [s for s in own if len(s.y) > 1]


@once
def identical(run: Run) -> bool:
    """Whether every value of every loss and metric is the same to the last digit, in digits and values enough to mean something."""
    judged = judged_series(run)
    losses = [s for s in judged if s.name.endswith("/loss")]
    if not losses or any(s.low != s.high for s in judged):
        return False
    loss = max(losses, key=len)
    if loss.low == 0 or len(loss.y) < (MIN_FEW if _are_exact(losses) else MIN_IDENTICAL):
        return False
    digits = max(significant_digits(loss.y[:1]), int(run.number("printed_digits") or 0))
    return digits >= MIN_DIGITS or len(judged) > 1


def is_glimpse(run: Run) -> bool:
    """Whether a log shows one loss of few digits over a few steps in the middle of a run: a mean, or one logged rarely, may stay the same so long."""
    judged = judged_series(run)
    if len(judged) > 1 or run.axis != "step" or significant_digits(judged[0].y) >= SURE_DIGITS:
        return False
    return judged[0].length < MAX_GLIMPSE * float(judged[0].steps[0])


@once
def repeated_validation(run: Run) -> Series | None:
    """A validation loss that is the same to the last digit, as every validation metric is, while the training loss falls; else None."""
    loss, train = run.series_of("validation/loss", MIN_IDENTICAL), run.series_of("train/loss", MIN_IDENTICAL)
    own = [s for s in judged_series(run) if s.name.startswith("validation/")]
    if loss is None or train is None or loss.final == 0 or any(s.low != s.high for s in own):
        return None
    digits = significant_digits(loss.y)
    enough = digits >= SURE_DIGITS or (digits >= MIN_DIGITS and len(loss.y) >= MANY_IDENTICAL)
    return loss if enough and train.last <= MAX_LEFT * train.first else None


def _are_exact(losses: list[Series]) -> bool:
    """Whether there are two losses that are both printed with many digits."""
    return len(losses) > 1 and all(significant_digits(loss.y) >= SURE_DIGITS for loss in losses)


def constant_discriminator(run: Run) -> Series | None:
    """The loss of a GAN's discriminator where it is one and the same number throughout, and not 0, while the generator's varies.

    The generator's values show to how many digits the log is printed.
    """
    one, other = run.series.get("discriminator_loss"), run.series.get("generator_loss")
    if one is None or other is None or min(len(one.y), len(other.y)) < MIN_REPEATS:
        return None
    if one.low != one.high or one.low == 0 or other.low == other.high:
        return None
    return one if unit(other.y) < DECIMAL**-MIN_DIGITS * abs(one.low) else None


def sudden_zero(series: Series) -> int | None:
    """The index of the first of the exact zeros that end a loss, where it fell to them from a value far above; else None.

    0 for a loss that is zero throughout.
    """
    if len(series.y) < MIN_ZEROS or abs(series.final) > ROUNDED_ZERO:
        return None
    at = repeats_from(series)
    if at == 0:
        return 0
    if len(series.y) - at < MIN_ZEROS:
        return None
    before = series.y[max(at - 3, 0) : at]
    last, start = median(before), median(series.y[: min(at, 5)])
    smallest = unit(series.y[:at])
    return at if last > max(SUDDEN * smallest, SUDDEN_SHARE * start) else None


def stuck_value(series: Series) -> int | None:
    """The index from which a loss that varied repeats one value exactly, to the end, without having settled there; else None."""
    at = repeats_from(series)
    repeats = len(series.y) - at
    if at < MIN_REPEATS or repeats < max(MIN_REPEATS, REPEATED_SHARE * len(series.y)) or series.final == 0:
        return None
    before = series.y[:at]
    smallest = max(unit(before), FLOAT_ERROR * abs(series.final))
    steps = np.diff(series.y[max(at - RECENT, 0) : at + 1])
    varied = median(np.abs(steps[-3:])) > SUDDEN * smallest and steps.min() < 0 < steps.max()
    return at if varied and significant_digits(before) >= MIN_DIGITS else None


def stops_suddenly(loss: Series, at: int) -> bool:
    """Whether many exact values are the same from an index on, after others that all differ, and by more than one that settles."""
    same = len(loss.y) - at
    if at == 0 or same < max(MIN_SAME, MIN_SHARE_SAME * len(loss.y)) or significant_digits(loss.y) < SURE_DIGITS:
        return False
    settles = abs(float(loss.y[at] - loss.y[at - 1])) < MIN_CHANGE * abs(loss.final)
    return len(np.unique(loss.y[: at + 1])) == at + 1 and not settles


def idle_evaluations(run: Run) -> list[Series]:
    """Two validation metrics by the log's own columns that are the same to the last of many digits in all evaluations; else none."""
    own = {s.column or s.name: s for s in reversed(judged_series(run)) if s.name.startswith("validation/")}
    exact = [s for s in own.values() if significant_digits(s.y) >= SURE_DIGITS]
    if any(s.low != s.high or len(s.y) < MIN_IDLE for s in own.values()) or len(exact) < MIN_IDLE:
        return []
    return exact[::-1][:MIN_IDLE]


def all_stop(series: list[Series]) -> bool:
    """Whether a loss and every other series are the same to the last digit from one of their first values on."""
    at = max(map(repeats_from, series))
    if not 0 < at <= MAX_FIRST or min(len(s.y) for s in series) - at < MIN_SAME:
        return False
    return all(significant_digits(s.y) >= MIN_DIGITS for s in series[1:])


def names_of_others(judged: list[Series], loss: str) -> str:
    """The losses and metrics but one, as a phrase; of many their number."""
    names = [series_in_words(s.name) for s in judged if s.name != loss]
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} other series"


def others_of_constant(loss: Series, judged: list[Series], at: int) -> str:
    """What the other series do while the loss repeats from an index on, as a clause; empty where that is no sign of missing updates."""
    others = [s for s in judged if s is not loss]
    if at == 0:
        moving = (s.name for s in others if s.low != s.high)
        return next((f"while {series_in_words(name)} changes" for name in moving), "")
    verb = "repeats" if len(others) == 1 else "repeat"
    return f"and {names_of_others(judged, loss.name)} {verb} as well" if all_stop([loss, *others]) else ""

"""The ranges of a search: from the file's own settings, narrowed to those of good trials, moved where the best are at an edge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nndoctor.core.errors import UsageError
from nndoctor.treatment.rebound import optimizer_of
from nndoctor.treatment.subject import loaded, rebatchable

RATE_FACTOR = 100.0  # the first range is the file's own learning rate times and divided by this
DECAYS = (1e-6, 1e-1)  # of weight decay; below it changes nothing, above it nothing is learned
SMALLEST_BATCH, LARGEST_SHARE = 8, 4  # examples; of the training set, a quarter
ONE_IN_GOOD = 4  # one trial in this many counts as good; the next round's range holds those
EDGE_SHARE = 0.1  # of a range's logarithmic width; a best trial this close to an end moves the range
USUAL_RATE = 1e-3  # of a file without an optimizer


@dataclass(frozen=True, slots=True)
class Range:
    """From where to where a setting is drawn, evenly in its logarithm; `whole` numbers are rounded to powers of two."""

    low: float
    high: float
    whole: bool = False

    def narrowed(self, good: Sequence[float], best: float, tried: Sequence[float] = ()) -> Range:
        """The range of the good values with room around them; further where the best value is at the edge of it.

        The edge is the range's, and that of the values that were tried, which a few trials leave far inside it.
        """
        width = math.log(self.high / self.low)
        low, high = math.log(min(good)), math.log(max(good))
        room = max(EDGE_SHARE * width, (high - low) / 4)
        place = math.log(best / self.low) / width
        below = width / 2 if place <= EDGE_SHARE or best <= min(tried, default=0.0) else room
        above = width / 2 if place >= 1 - EDGE_SHARE or best >= max(tried, default=math.inf) else room
        found = Range(math.exp(low - below), math.exp(high + above), self.whole)
        return Range(max(found.low, 1.0), max(found.high, 1.0), True) if self.whole else found


def ranges_of(path: str) -> dict[str, Range]:
    """What is searched, and where: learning rate, weight decay and batch size, as far as the file lets them change."""
    subject = loaded(path, 0)
    optimizer = optimizer_of(subject)
    group = optimizer.param_groups[0] if optimizer is not None else {"lr": USUAL_RATE, "weight_decay": 0.0}
    lr = float(group["lr"])
    if lr <= 0:
        raise UsageError(f"{path}: the optimizer's learning rate is {lr:g}; a search needs one above 0 to start from")
    found = {"lr": Range(lr / RATE_FACTOR, lr * RATE_FACTOR)}
    if "weight_decay" in group:
        found["weight_decay"] = Range(*DECAYS)
    examples = subject.train_data.examples or 0
    if rebatchable(subject.train_data) is not None and examples // LARGEST_SHARE > 2 * SMALLEST_BATCH:
        found["batch_size"] = Range(SMALLEST_BATCH, min(examples // LARGEST_SHARE, 256), whole=True)
    return found


def next_ranges(
    ranges: Mapping[str, Range], found: Sequence[tuple[Mapping[str, float], int, float]]
) -> dict[str, Range]:
    """The ranges of the good trials; where all diverged, lower learning rates."""
    alive = sorted((t for t in found if math.isfinite(t[2])), key=lambda trial: trial[2])
    if not alive:
        return {
            name: Range(r.low / RATE_FACTOR, r.high / RATE_FACTOR) if name == "lr" else r for name, r in ranges.items()
        }
    good = alive[: max(2, len(found) // ONE_IN_GOOD)]
    return {
        name: held.narrowed(
            [values[name] for values, _, _ in good],
            good[0][0][name],
            [values[name] for values, _, _ in found] if name == "lr" else [],  # the others matter less than noise does
        )
        for name, held in ranges.items()
    }

"""What a single change of the experiment would gain: the entries of a report's prognosis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Probabilities from which something is called very likely or likely, and below which it is called unlikely.
VERY_LIKELY, LIKELY, UNLIKELY = 0.95, 0.65, 0.35
TITLES = {
    "lr*10": "lr ×10",
    "lr/10": "lr ÷10",
    "steps*4": "4× longer",
    "wider": "wider network",
    "more-data": "more data",
    "weight-decay": "weight decay",
    "dropout": "dropout",
    "constant-schedule": "constant lr",
    "stop-early": "stop early",
}
"""Short names of the changes; any other change is shown by its own name."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A measurement that is evidence for or against a change, and a short phrase that states it."""

    measurement: str
    value: float | None
    says: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one change is expected to gain.

    `change` is the name of the change (`lr/10`), `loss` the series that it is expected to improve (`train/loss`).
    `helps` is the probability that the gain exceeds 0.1. `gain`, `gain_low` and `gain_high` are in units of the
    distance from the loss of the best constant prediction to the best loss that any change reaches. `compared` is the
    number of retrained networks that the estimate comes from. `best` is the probability that, where anything helps, no
    other change gains 0.05 more. Where both are known, `current` is the loss at the end
    of the run and `unit` the change of the loss at a gain of 1, both as the log counts them.
    """

    change: str
    loss: str
    helps: float
    gain: float
    gain_low: float
    gain_high: float
    compared: int
    because: tuple[Reason, ...] = ()
    best: float = 1.0
    current: float | None = None
    unit: float | None = None

    @property
    def title(self) -> str:
        """The change in two or three words."""
        return TITLES.get(self.change, self.change.replace("-", " "))

    @property
    def expected(self) -> tuple[float, float, float] | None:
        """The loss that the change is expected to reach, and the range from the best to the worst case."""
        if self.current is None or self.unit is None:
            return None
        mean, best, worst = (self.current - gain * self.unit for gain in (self.gain, self.gain_high, self.gain_low))
        return mean, best, worst


def likelihood(probability: float) -> str:
    """A probability in a word and as a percentage; only what needs no judgement is certain.

    >>> likelihood(0.79), likelihood(0.5), likelihood(0.09), likelihood(0.999), likelihood(1.0)
    ('likely (79%)', 'possible (50%)', 'unlikely (9%)', 'very likely (99%)', 'certain')
    """
    if probability >= 1:
        return "certain"
    percentage = min(max(round(100 * probability), 1), 99)
    if probability >= LIKELY:
        return f"{'very ' if probability >= VERY_LIKELY else ''}likely ({percentage}%)"
    return f"{'possible' if probability >= UNLIKELY else 'unlikely'} ({percentage}%)"


def most_promising(prognosis: Iterable[Expectation]) -> list[Expectation]:
    """The changes ordered by the probability that they help and are the best to try, the most promising first."""
    return sorted(prognosis, key=lambda entry: -entry.helps * entry.best)


def confidence_in_words(confidence: float) -> str:
    """The confidence of a finding: as a probability, but what is reported all the same is not called unlikely.

    >>> confidence_in_words(0.79), confidence_in_words(0.28)
    ('likely (79%)', 'low confidence (28%)')
    """
    return likelihood(confidence).replace("unlikely", "low confidence")

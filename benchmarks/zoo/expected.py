"""What the labels of a run ask of a report: what it must name, what it may name, and what no log can settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FINDINGS = (  # what the labels can judge, causes before what they cause
    "nan-loss",
    "diverged",
    "lr-too-high",
    "lr-too-low",
    "lr-decayed-too-early",
    "warmup-unfinished",
    "adaptive-rate-starved",
    "not-converged",
    "high-bias",
    "plateau-at-start",
    "loss-spikes",
    "sawtooth-epochs",
    "high-variance",
    "overtraining",
    "noisy-validation",
    "validation-better-than-train",
    "validation-equals-train",
)
# What is visible at the end of a run that learned nothing, and the labels that such a run may have.
AT_CHANCE = frozenset({"stuck-at-chance", "no-weight-changes", "impossible-metric"})
LEAVE_AT_CHANCE = frozenset({"plateau-at-start", "lr-too-low", "lr-too-high", "diverged", "nan-loss"})
REMARKS = frozenset({"healthy", "validation-better-than-train"})  # labels that are no fault


@dataclass(frozen=True, slots=True)
class Expected:
    """`found` must be named; `accepted` may be; of `open` the log cannot say which: a report may name any, if it ranks the causes."""

    primary: str | None  # the planted finding where the experiments confirm it, else the first confirmed
    found: frozenset[str]
    accepted: frozenset[str]
    open: frozenset[str]

    @classmethod
    def of(cls, line: dict[str, Any]) -> Expected:
        """From one line of the zoo."""
        found, weak = frozenset(line["strong"]), frozenset(line["weak"])
        unsettled = frozenset(name for note in line["undecidable"] for name in note["findings"])
        faults = [name for name in line["strong"] if name not in REMARKS]
        planted = [name for name in line["planted"].split(":")[0].split("+") if name in faults]
        accepted = found | weak | unsettled
        if accepted & LEAVE_AT_CHANCE:
            accepted |= AT_CHANCE
        return cls(next(iter(planted or faults), None), found, accepted, unsettled)

    @property
    def healthy(self) -> bool:
        """Whether no change helped materially."""
        return "healthy" in self.found

    @property
    def faults(self) -> frozenset[str]:
        """The findings that a report must name as error or warning."""
        return self.found - REMARKS

    def truth(self, name: str) -> bool | str:
        """Whether a finding is there: True, False, "undecidable" from the log, or "weak": neither asked for nor wrong."""
        if name in self.open:
            return "undecidable"
        if name in self.found:
            return True
        return "weak" if name in self.accepted else False

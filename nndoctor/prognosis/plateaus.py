"""What the prognosis says of a loss that hardly moves: that it is a plateau, or that the network had learned before the first row."""

from __future__ import annotations

from dataclasses import replace

from nndoctor.analysis.chance import at_chance
from nndoctor.analysis.guessing import ends_at_guessing
from nndoctor.analysis.learning_rate import with_zero_rate
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import FAINT, PLAUSIBLE, UNDECIDED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.run import Run
from nndoctor.prognosis.findings import certain, course, probability, reported

NAME = "plateau-at-start"

# Probability of a plateau, by the rest of the log, from which a flat loss is one: of 142 such runs of the zoo, 121 are.
MIN_PROBABLE = 0.4
MIN_POSSIBLE = 0.2
"""The same from which it is worth a warning: of 53 runs between, 31 are plateaus; of 114 below, 33, and the others had mostly
learned what they could before the first row."""

# The same from which a loss that moves a little is one, too: of 38 runs of the zoo in which nothing else is found, 31 are.
SURE = 0.8
MAX_FALL = 0.15  # share of its first level by which such a loss falls at most


def weighed_plateau(run: Run, seen: Symptom, *, hidden: bool) -> Symptom:
    """A flat loss as the rest of the log makes it probable: a network that learned before the first row gives one as well.

    Where noise may hide a fall (`hidden`), nothing is certain.

    A loss that moves so slowly that a higher rate helps is reported as that: of 45 such runs of the zoo, 44 confirm it.
    """
    if hidden:
        return _hedged(run, seen, FAINT, Severity.INFO)
    if _answers_alike(run):
        return seen
    probable = probability(run, NAME)
    if probable is None:
        pretrained = workload(run) is Workload.FINE_TUNING and not at_chance(run)
        return _hedged(run, seen, PLAUSIBLE, Severity.WARNING) if pretrained else seen
    if probable >= MIN_PROBABLE:
        return seen
    possible = probable >= MIN_POSSIBLE and reported(run, "lr-too-low") is None
    return _hedged(run, seen, UNDECIDED if possible else FAINT, Severity.WARNING if possible else Severity.INFO)


def _answers_alike(run: Run) -> bool:
    """Whether the accuracy shows that the network gives one answer to everything, as none does that had learned before the first row."""
    guessing = ends_at_guessing(run)
    return guessing is not None and guessing.evidence == "majority"


def _hedged(run: Run, seen: Symptom, confidence: float, severity: Severity) -> Symptom:
    loss = run.series["train/loss"]
    text = f"training loss stays at {number(loss.final)} from the first row: the network learns nothing, or had learned before it"
    return replace(
        seen,
        message=with_zero_rate(run, text),
        confidence=confidence,
        severity=severity if seen.severity is None else max(seen.severity, severity, key=lambda s: s.rank),
    )


def derived_plateau(run: Run, causes: tuple[Cause, ...]) -> Symptom | None:
    """A loss that moves, but by little, where the prognosis is nearly certain that the network does not learn.

    One that ends at the level of guessing is reported as that.
    """
    loss, sure = run.series["train/loss"], certain(run, NAME, SURE)
    little = loss.first - loss.last < MAX_FALL * abs(loss.first)
    if sure is None or not little or reported(run, "lr-too-low") is not None or at_chance(run):
        return None
    return Symptom(
        f"{course(run)}: the network learns next to nothing",
        sure,
        {"first": loss.first, "last": loss.last},
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[0]), float(loss.x[-1])),
        causes=causes,
        severity=Severity.WARNING,
    )

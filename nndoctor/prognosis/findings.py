"""Findings that the model derives from what similar runs showed: their probability, causes and remedies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from nndoctor.analysis.workload import Workload, counts_tokens, workload
from nndoctor.core.finding import Cause, Symptom
from nndoctor.core.formatting import number, step
from nndoctor.core.prognosis import LIKELY, UNLIKELY, most_promising
from nndoctor.core.run import Run
from nndoctor.prognosis.changes import BY_NAME
from nndoctor.prognosis.expect import estimates, explained_estimates
from nndoctor.prognosis.outlook import Outlook, outlook

# Share of the healthy runs on workloads it was not trained on that the thresholds of the model flag at most, all together.
HEALTHY_FLAGGED = 0.015
HALF = 0.5  # share of the similar runs in which a change helped from which they are named beside a finding
LATE_SHARE = 0.75  # share of the run after which a finding about the whole run is located


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a change that would help says of the run, and the experiment that would show it."""

    name: str
    test: str


CAUSES = {
    "lr*10": Explanation("learning rate too low", "one run with 10 times the learning rate"),
    "lr/10": Explanation("learning rate too high", "one run with a tenth of the learning rate"),
    "steps*4": Explanation("training too short", "go on with this run for four times the steps"),
    "wider": Explanation("network too small", "one run with a network four times as wide"),
    "more-data": Explanation("too little training data", "one run with more data, or a learning curve over its amount"),
    "weight-decay": Explanation("too little regularization", "one run with weight decay"),
    "dropout": Explanation("too little regularization", "one run with dropout"),
    "less-regularization": Explanation("regularization too strong", "one run without dropout and weight decay"),
    "constant-schedule": Explanation("learning rate decayed too early", "one run with a constant learning rate"),
    "stop-early": Explanation("training too long", "the validation loss of the best epoch"),
}


def probability(run: Run, finding: str) -> float | None:
    """The probability that a finding is right; None where there is no prognosis."""
    seen = outlook(run)
    return seen.probability(f"finding:{finding}") if isinstance(seen, Outlook) else None


def certain(run: Run, finding: str, limit: float) -> float | None:
    """The probability that a finding is right where it reaches a limit; None below it, and where there is no prognosis."""
    probable = probability(run, finding)
    return probable if probable is not None and probable >= limit else None


LEAST_GAIN = {"lr-too-low": ("lr*10", 0.2)}
"""Findings that mean that a change gains a share of the possible improvement: the change, and the share that it must be expected to gain.

Of 33 runs of independent workloads that the model called too slow, three were expected to gain less, and retraining confirmed none of
them; it confirmed the next one, expected to gain 0.23."""


def reported(run: Run, finding: str) -> float | None:
    """The probability of a finding that the model reports; None where it does not, and where there is no prognosis."""
    seen = outlook(run)
    sure = seen.found(finding) if isinstance(seen, Outlook) else None
    if sure is None or finding not in LEAST_GAIN:
        return sure
    change, least = LEAST_GAIN[finding]
    expected = next((entry.gain for entry in estimates(run) if entry.change == change), least)
    return sure if expected >= least else None


def helps(run: Run, change: str) -> float | None:
    """The probability that a change helps; None where there is no prognosis."""
    seen = outlook(run)
    return seen.helps(change) if isinstance(seen, Outlook) else None


OF_OVERFITTING = ("more-data", "weight-decay", "dropout", "stop-early")  # the changes that treat overfitting
# Probability that one of them helps, below which a gap in error is no reason to act: of 119 that the zoo confirms, one lies there.
OVERFITS = 0.3
LOSS_OVERFITS = 0.4
"""The same for a gap in loss alone, which looks large where the log lacks its first rows: of 152 that the zoo confirms, 13 lie
there, and of 90 in healthy runs 77."""


def overfitting_unlikely(run: Run, limit: float = OVERFITS) -> bool:
    """Whether everything that treats overfitting is unlikely to help; False where there is no prognosis, or none for such text."""
    if workload(run) is Workload.FINE_TUNING and (counts_tokens(run) or not run.judged_by_share):
        return False  # the retrained networks began from random weights, and learn a format for longer
    known = [chance for change in OF_OVERFITTING if (chance := helps(run, change)) is not None]
    return bool(known) and max(known) < limit


def causes(run: Run, first: str = "") -> tuple[Cause, ...]:
    """What would explain the run, by the changes that may help, the most promising first; `first` is the change that a finding claims."""
    promising = [e for e in most_promising(explained_estimates(run)) if e.helps >= UNLIKELY and e.change in CAUSES]
    named: dict[str, Cause] = {}
    for entry in promising:
        cause = CAUSES[entry.change]
        says = next((reason.says for reason in entry.because), BY_NAME[entry.change].words + " may help")
        named.setdefault(cause.name, Cause(cause.name, entry.helps, says, cause.test))
    if not first:
        return tuple(named.values())
    claimed = Cause(CAUSES[first].name, UNLIKELY, BY_NAME[first].words + " may help", CAUSES[first].test)
    own = named.pop(claimed.name, claimed)  # a finding is its own first cause, even if the change alone is less likely
    others = tuple(named.values())
    return (replace(own, weight=max(c.weight for c in (own, *others))), *others)


def remedies(run: Run, own: Iterable[str]) -> tuple[str, ...]:
    """A rule's own remedies, after those of the changes that are more likely to help than not."""
    helpful = [e.change for e in most_promising(estimates(run)) if e.helps >= LIKELY]
    first = tuple(own)[:1]
    return tuple(dict.fromkeys([*first, *(BY_NAME[change].remedies[0] for change in helpful), *own]))


DOUBTED = 0.25  # probability that a change helps, below which no finding that it treats is reported


def ordered_remedies(run: Run, own: Sequence[str]) -> tuple[str, ...]:
    """A rule's own remedies, the likeliest to help first; those that no change carries out last, all as they are without a prognosis."""
    chance = {name: entry.helps for entry in estimates(run) for name in BY_NAME[entry.change].remedies}
    return tuple(sorted(own, key=lambda name: -chance.get(name, 0.0)))


def derived_finding(
    run: Run, finding: str, change: str, own: Iterable[str], message: Callable[[], str]
) -> Symptom | None:
    """The symptom of a finding that the model reports; None where it does not. `change` is the one that treats it.

    A finding whose own remedy will hardly help is not reported: headline and remedies would contradict each other.
    """
    sure = reported(run, finding)
    if sure is None or (helps(run, change) or 0.0) < DOUBTED:
        return None
    loss = run.series["train/loss"]
    entry = next((e for e in estimates(run) if e.change == change), None)
    evidence = {"last": loss.final, "first": loss.initial}
    if entry is not None:
        evidence |= {"helps": entry.helps, "gain": entry.gain}
    return Symptom(
        message(),
        sure,
        evidence,
        series="train/loss",
        step=float(loss.x[-1]),
        span=(float(loss.x[int(LATE_SHARE * (len(loss.x) - 1))]), float(loss.x[-1])),
        causes=causes(run, change),
        remedies=remedies(run, own),
    )


def course(run: Run) -> str:
    """`training loss goes from 2.3 to 0.41 in 30 epochs`: the run in one clause."""
    loss = run.series["train/loss"]
    length = float(loss.x[-1] - loss.x[0])
    unit = f"{run.axis}{'' if length == 1 else 's'}"
    return f"training loss goes from {number(float(loss.y[0]))} to {number(float(loss.y[-1]))} in {step(length)} {unit}"


def outcome(run: Run, change: str) -> str:
    """What a change did in similar runs: `a lower learning rate helped in 31 of 34 similar runs`.

    Empty if it helped in less than half of them, which would read as evidence against the finding.
    """
    entry = next((e for e in explained_estimates(run) if e.change == change), None)
    similar = [r for r in entry.because if r.measurement == "similar_runs"] if entry is not None else []
    says = [r.says for r in similar if r.value is not None and r.value >= HALF]
    return f"; {says[0]}" if says else ""

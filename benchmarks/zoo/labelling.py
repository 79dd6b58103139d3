"""From the evidence of all retrainings to labels: which findings a report must, and which it may, have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.zoo import labels_generalization, labels_training
from benchmarks.zoo.evidence import Evidence
from benchmarks.zoo.expected import FINDINGS
from benchmarks.zoo.interventions import COSTLY
from benchmarks.zoo.logs import Logged
from benchmarks.zoo.strength import Strength

Judge = Callable[[Evidence, Logged], Strength]
_ALL: dict[str, Judge] = {**labels_training.JUDGES, **labels_generalization.JUDGES}
JUDGES = {name: _ALL[name] for name in FINDINGS}
REMARKS = frozenset({"validation-better-than-train"})  # no fault: a healthy run may have it
KIN = {  # one plant, and the ways in which it may show
    "lr-too-high": ("diverged", "nan-loss"),
    "diverged": ("lr-too-high", "nan-loss"),
    "nan-loss": ("lr-too-high", "diverged"),
    "high-variance": ("overtraining",),
    "overtraining": ("high-variance",),
    "lr-too-low": ("not-converged", "adaptive-rate-starved", "plateau-at-start"),
    "adaptive-rate-starved": ("lr-too-low",),
    "not-converged": ("lr-too-low",),
    "lr-decayed-too-early": ("lr-too-low", "not-converged"),
    "warmup-unfinished": ("lr-too-low", "not-converged"),
    "validation-better-than-train": ("high-bias",),
}
# What can't be asked for beside a stronger fact, only accepted: nobody can judge the capacity of a network that doesn't
# train, nor its generalization, and where one fault explains the curve the other need not be named.
UNSTABLE = ("nan-loss", "diverged")
COVERED = {
    "high-bias": (
        *UNSTABLE,
        "plateau-at-start",
        "lr-too-high",
        "lr-too-low",
        "lr-decayed-too-early",
        "warmup-unfinished",
        "adaptive-rate-starved",
    ),
    "lr-too-low": ("warmup-unfinished", "lr-decayed-too-early"),
    "plateau-at-start": ("nan-loss", "warmup-unfinished", "lr-too-low"),
    "adaptive-rate-starved": ("lr-too-low",),
    "high-variance": (*UNSTABLE, "plateau-at-start"),
    "overtraining": (*UNSTABLE, "plateau-at-start", "loss-spikes"),
    "validation-better-than-train": (*UNSTABLE, "plateau-at-start", "lr-too-high", "noisy-validation"),
    "not-converged": (*UNSTABLE, "loss-spikes", "warmup-unfinished", "lr-decayed-too-early"),
}
STILL = {"lr-too-low", "plateau-at-start", "high-bias"}  # how a log can look in which nothing moves
FLAT = 0.1  # of DT
FREE_LIMIT, COSTLY_LIMIT = 0.10, 0.20


@dataclass(frozen=True, slots=True)
class Labels:
    """`strong` findings are expected of a report, `weak` ones accepted; `undecidable` says what a log alone can't settle."""

    status: str
    strong: list[str]
    weak: list[str]
    undecidable: list[dict[str, object]]


def label(evidence: Evidence, logged: Logged) -> Labels:
    """The labels of one run; where plan and experiment disagree its status is ambiguous."""
    planted = evidence.experiment.planted.split(":")[0].split("+")
    found = _uncovered({name: judge(evidence, logged) for name, judge in JUDGES.items()}, planted)
    strong = [name for name, s in found.items() if s is Strength.STRONG]
    weak = [name for name, s in found.items() if s is Strength.WEAK]
    faults = [name for name in strong if name not in REMARKS]
    if not faults and could_gain_little(evidence):
        strong.insert(0, "healthy")
    status = "labelled" if agree(planted, strong, weak) else "ambiguous"
    return Labels(status, strong, weak, undecidable(evidence, logged, strong, weak))


def _uncovered(found: dict[str, Strength], planted: Sequence[str]) -> dict[str, Strength]:
    """The findings, with those that a stronger fact covers made weak; what was planted only instability covers."""
    strong = {name for name, s in found.items() if s is Strength.STRONG}
    covered = {n for n in strong if strong & set(COVERED.get(n, ())) & (set(UNSTABLE) if n in planted else strong)}
    return {name: Strength.WEAK if name in covered else s for name, s in found.items()}


def agree(planted: Sequence[str], strong: Sequence[str], weak: Sequence[str]) -> bool:
    """Whether the experiments confirm what was planted: firmly, by its kin, or weakly beside the rest of what was planted.

    >>> agree(["diverged"], ["lr-too-high"], []), agree(["lr-too-low"], ["healthy"], ["lr-too-low"])
    (True, False)
    """
    faults = {name for name in strong if name not in REMARKS | {"healthy"}}
    return all(p in strong or bool(faults & {*KIN.get(p, ()), *(planted if p in weak else ())}) for p in planted)


def could_gain_little(evidence: Evidence) -> bool:
    """Whether no free change gains over 10 % of DV, and no costly one over 20 %."""
    free = [g.validation for name, g in evidence.gains.items() if name not in COSTLY]
    costly = [g.validation for name, g in evidence.gains.items() if name in COSTLY]
    stopped = labels_generalization.early_stopping_gain(evidence)
    return max([*free, stopped], default=0) <= FREE_LIMIT and max(costly, default=0) <= COSTLY_LIMIT


def undecidable(evidence: Evidence, logged: Logged, strong: list[str], weak: list[str]) -> list[dict[str, object]]:
    """The findings that are never counted against a report that ranks the causes honestly, with the reason."""
    if "healthy" in strong:
        return []
    e, named = evidence.experiment, {*strong, *weak}
    still = labels_training.seems_to_fall(evidence)
    falling, settled = (named, set[str]()) if still else (set[str](), named)
    without_rate = set[str]() if e.log.lr else named
    moved = labels_training.moved_in_log(evidence, logged), labels_training.moved(evidence)
    notes: list[tuple[bool, list[str], str]] = [
        ("lr-too-low" in falling, ["lr-too-low", "not-converged"], "both still fall"),
        ("not-converged" in falling, ["not-converged", "lr-too-low"], "both still fall"),
        (
            any(change < FLAT for change in moved) and bool(STILL & named),
            sorted({"lr-too-low", "plateau-at-start"} | (STILL & named)),
            "almost nothing moves",
        ),
        ("plateau-at-start" in named, ["cause of plateau-at-start"], "the causes of a plateau look alike"),
        ("lr-decayed-too-early" in without_rate, ["lr-decayed-too-early"], "no learning-rate column"),
        ("warmup-unfinished" in without_rate, ["warmup-unfinished", "lr-too-low"], "no learning-rate column"),
        ("high-bias" in named, ["high-bias"], "an irreducible floor without a known target looks alike"),
        ("adaptive-rate-starved" in named, ["adaptive-rate-starved", "lr-too-low"], "no optimizer in the log"),
        (
            "lr-too-low" in settled and labels_training.decays(evidence),
            ["lr-too-low", "lr-decayed-too-early", "high-bias"],
            "any curve is flat where the rate decays",
        ),
        (
            bool({"diverged", "lr-too-high"} & named) and labels_training.explodes_unseen(evidence, logged),
            ["diverged", "lr-too-high"],
            "an explosion inside the first row",
        ),
        (
            "lr-too-high" in named and labels_training.calm(evidence, logged),
            ["lr-too-high", "high-bias", "plateau-at-start"],
            "a calm curve at too high a rate looks like bias",
        ),
        (e.trainable == "head" and bool(strong), ["high-bias", "lr-too-low", "not-converged"], "a slow frozen trunk"),
        (e.validation_set == "train", ["validation-equals-train", "high-variance"], "validation is the training set"),
        (
            e.label_noise == 1,
            ["plateau-at-start", "high-variance", "overtraining"],
            "only the marginals of shuffled labels are learned",
        ),
    ]
    return [{"findings": findings, "because": why} for applies, findings, why in notes if applies]

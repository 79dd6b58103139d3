"""Preference tuning went on long after every pair was ranked correctly."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import quantile

MAX_LOSS = 0.02  # a lower loss shows that the model is 98 % sure of every pair
MIN_MARGIN = 8.0  # margin of the rewards: odds of 3,000 to 1
MIN_ACCURACY = 0.985
LARGE_MARGIN = 15.0  # margin that is saturated whatever the loss
MIN_GAP = 0.1  # accuracy by which evaluation is below training where the pairs are memorized
MIN_EVALUATIONS = 2
UPPER_FIFTH = 0.8  # quantile of the margins that exceeds it
MIN_POINTS = 6


def check(run: Run) -> Iterator[Symptom]:
    """Look at the margin, the accuracy and the loss at the end."""
    margins = run.series["rewards_margins"]
    if len(margins.y) < MIN_POINTS:
        return
    margin, right, lost = levels(margins).last, _last(run, "rewards_accuracies"), _last(run, "train/loss")
    saturated = margin > MIN_MARGIN and (right is None or right >= MIN_ACCURACY) and (lost is None or lost < MAX_LOSS)
    if not saturated and quantile(margins.y, UPPER_FIFTH) < LARGE_MARGIN:
        yield from _memorized(run, right, lost)
        return
    shown = "" if right is None else f", accuracy {percent(right)}"
    end = "" if lost is None else f", loss {number(lost)}"
    yield Symptom(
        f"the margin between chosen and rejected answers is {number(margin)}{shown}{end}: there is nothing left to learn from these pairs",
        TYPICAL,
        {"margin": margin, "accuracy": right, "loss": lost},
        series=margins.name,
        step=margins.last_step,
        span=(float(margins.x[len(margins.x) // 2]), margins.last_step),
        causes=(
            Cause(
                "learning rate too high",
                0.5,
                "margins of typical runs stay below 5",
                "one run with a tenth of the learning rate",
            ),
            Cause("too many epochs", 0.3, "every pair is already ranked correctly", "one run of one epoch"),
            Cause(
                "pairs too easy",
                0.2,
                "length or format may reveal the answer",
                "train a classifier on the answers' length alone",
            ),
        ),
    )


def _memorized(run: Run, right: float | None, lost: float | None) -> Iterator[Symptom]:
    """Training pairs that are all ranked correctly, by far, while a good part of the evaluation pairs is not."""
    held_out = run.series_of("validation/rewards_accuracies", MIN_EVALUATIONS)
    if held_out is None or right is None or lost is None or right < MIN_ACCURACY or lost >= MAX_LOSS:
        return
    known = levels(held_out).last
    if right - known < MIN_GAP:
        return
    yield Symptom(
        f"training ranks {percent(right)} of its pairs correctly, with a loss of {number(lost)}, and evaluation {percent(known)}: the training pairs are memorized",
        TYPICAL,
        {"accuracy": right, "validation_accuracy": known, "loss": lost},
        series="train/loss",
        step=run.series["train/loss"].last_step,
        span=held_out.span,
        causes=(
            Cause("too many epochs", 0.5, "every training pair is already ranked correctly", "one run of one epoch"),
            Cause("pairs too easy", 0.4, "few or similar pairs are memorized", "one run with twice the pairs"),
            Cause(
                "learning rate too high", 0.1, "large steps memorize early", "one run with a tenth of the learning rate"
            ),
        ),
    )


def _last(run: Run, name: str) -> float | None:
    series = run.series_of(name)
    return levels(series).last if series is not None else None


RULE = Rule(
    code="NNR09",
    name="preference-saturated",
    severity=Severity.WARNING,
    title="every pair is already ranked correctly",
    needs={"rewards_margins": MIN_POINTS},
    check=check,
    why="After that the loss only pushes the two answers further apart and away from the reference: the model overfits the pairs, and its text degrades.",
    how=f"At the end the margin is above {MIN_MARGIN:g}, the accuracy at {100 * MIN_ACCURACY:g}% and the loss below {MAX_LOSS:g}; or {percent(1 - UPPER_FIFTH)} of the margins are above {LARGE_MARGIN:g}; or training has that accuracy and that loss, and the accuracy of evaluation is {percent(MIN_GAP)} lower.",
    sources=(
        Reference(
            "Rafailov et al., Scaling Laws for Reward Model Overoptimization in Direct Alignment Algorithms, 2024",
            "https://arxiv.org/abs/2406.02900",
        ),
        Reference(
            "Azar et al., A General Theoretical Paradigm to Understand Learning from Human Preferences (IPO), 2023",
            "https://arxiv.org/abs/2310.12036",
        ),
    ),
    remedies=("lower-dpo-learning-rate", "one-epoch", "raise-dpo-beta", "ipo-loss"),
    sick=(Run.drawn(rewards_margins="0.1..37*30", rewards_accuracies="0.5..1*20 1*10", train_loss="0.69..0.0002*30"),),
    healthy=(
        Run.drawn(rewards_margins="0.05..6*30", rewards_accuracies="0.5..0.99*30", train_loss="0.69..0.05*30"),
        Run.drawn(rewards_margins="0.01..1.5*30", rewards_accuracies="0.5..0.8*30", train_loss="0.69..0.4*30"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)

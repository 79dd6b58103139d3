"""Preference tuning makes the chosen answers less likely, only less so than the rejected ones."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import TINY

MAX_FALL = 1.5  # fall of the chosen answers' implicit reward: with the usual beta of 0.1, e^-15 of their probability
MIN_SHARE_OF_MARGIN = 0.25  # the same as a share of the margin: then not only the rejected answers fall
MIN_LESS_LIKELY = 0.15  # share of the chosen answers' log-probability by which it falls
ERRORS = 3.0  # standard errors
MIN_POINTS = 6


def check(run: Run) -> Iterator[Symptom]:
    """See whether the reward of the chosen answers falls while the margin grows."""
    chosen = run.series["rewards_chosen"]
    if len(chosen.y) < MIN_POINTS:
        return
    level, rejected = levels(chosen), run.series_of("rewards_rejected")
    margin = _margin(run)
    if margin is None or margin <= 0 or level.last > min(-MIN_SHARE_OF_MARGIN * margin, -ERRORS * level.error):
        return
    logps = run.series_of("logps_chosen", MIN_POINTS)
    lost = 0.0 if logps is None else (levels(logps).start - levels(logps).last) / max(abs(levels(logps).start), TINY)
    if level.last > -MAX_FALL and lost < MIN_LESS_LIKELY:
        return
    likely = ""
    if logps is not None and lost >= MIN_LESS_LIKELY:
        likely = f"; their log-probability fell from {number(logps.initial)} to {number(logps.final)}"
    lower = f" (rejected {number(rejected.final)})" if rejected is not None else ""
    yield Symptom(
        f"the reward of the chosen answers fell from {number(chosen.initial)} to {number(chosen.final)}{lower} while the margin grew to "
        f"about {number(margin)}: the model makes even the chosen answers less likely{likely}",
        SEVERAL_SIGNS,
        {"start": level.start, "last": level.last, "margin": margin, "log_probability_lost": lost},
        series=chosen.name,
        step=chosen.last_step,
        span=chosen.span,
        causes=(
            Cause(
                "learning rate too high or too many steps",
                0.4,
                "the margin keeps growing long after the pairs are ranked correctly",
                "one run with a tenth of the learning rate, or one epoch",
            ),
            Cause(
                "chosen and rejected answers too alike",
                0.35,
                "lowering one also lowers the other",
                "measure the edit distance of the pairs, and drop the most similar",
            ),
            Cause(
                "nothing keeps the chosen answers likely",
                0.25,
                "the loss only depends on the difference",
                "one run with a term for the chosen answers' likelihood",
            ),
        ),
    )


def _margin(run: Run) -> float | None:
    margins, rejected = run.series_of("rewards_margins"), run.series_of("rewards_rejected")
    if margins is not None:
        return levels(margins).last
    if rejected is not None:
        return levels(run.series["rewards_chosen"]).last - levels(rejected).last
    return None


RULE = Rule(
    code="NNR08",
    name="likelihood-displacement",
    severity=Severity.WARNING,
    title="chosen answers become less likely",
    needs={"rewards_chosen": MIN_POINTS},
    check=check,
    why="Probability that both answers lose goes to unseen ones: the model can become worse while its margin and accuracy rise.",
    how=f"The chosen answers' reward ends below zero by {percent(MIN_SHARE_OF_MARGIN)} of the margin and {ERRORS:g} standard errors, and is at {-MAX_FALL:g} or less, or their log-probability has fallen by {percent(MIN_LESS_LIKELY)}.",
    sources=(
        Reference(
            "Razin et al., Unintentional Unalignment: Likelihood Displacement in DPO, 2024",
            "https://arxiv.org/abs/2410.08847",
        ),
        Reference("Pal et al., Smaug (DPO-Positive), 2024", "https://arxiv.org/abs/2402.13228"),
    ),
    remedies=(
        "lower-dpo-learning-rate",
        "add-chosen-likelihood",
        "filter-similar-pairs",
        "raise-dpo-beta",
        "one-epoch",
    ),
    sick=(Run.drawn(rewards_chosen="-0.1..-18*30", rewards_margins="0.2..25*30", train_loss="0.69..0.05*30"),),
    healthy=(
        Run.drawn(rewards_chosen="0.01..1*30", rewards_margins="0.05..6*30", train_loss="0.69..0.1*30"),
        Run.drawn(rewards_chosen="-0.01..-0.4*30", rewards_margins="0.05..3*30", train_loss="0.69..0.2*30"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)

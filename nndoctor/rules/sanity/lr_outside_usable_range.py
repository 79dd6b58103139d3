"""The configured rate is too high or too low for this model and these data."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Number, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

OVERWRITTEN = (
    4.0  # times the weights' size, in a few steps of several losses; such trainings move them by half of it at most
)
MIN_REACHED = 0.01  # of the rate, after an epoch of a warm-up
MIN_PLANNED = 0.3  # of the configured rate, in the whole training
WITHOUT_SEEDS, WITH_ALL_SEEDS = 0.6, 0.95  # confidences where no seed, and where every seed agrees


def check(run: Run) -> Iterator[Symptom]:
    """Judge the schedule of the user's step, then the range test's verdicts over seeds."""
    after, epoch, highest = (run.number(n) for n in ("rate_vanishes_after", "rate_of_epoch", "rate_highest"))
    if after:
        length = (
            f"an epoch has {epoch:.0f} batches"
            if after < epoch
            else f"the training has {run.number('rate_of_training'):.0f}"
        )
        text = f"the schedule takes the learning rate from {number(highest)} to less than a hundredth of it within {after:.0f} steps, while {length}: it counts epochs, and is advanced with each batch"
        evidence: dict[str, Number] = {"calls": after, "batches_of_epoch": epoch, "highest": highest}
        yield Symptom(text, DIRECT, evidence, place="train_step", remedies=("decay-later",))
        return
    zero = run.number("rate_zero_for")
    if zero:
        text = f"the schedule keeps the learning rate at exactly 0 for its first {zero:.0f} steps and longer: nothing is trained (an integer division?)"
        yield Symptom(text, DIRECT, {"calls": zero}, place="optimizer", remedies=("warm-up",))
        return
    planned = run.number("planned_steps")
    if planned:
        peak, configured = run.number("planned_peak"), run.number("lr_configured")
        text = f"the warm-up brings the learning rate to {number(peak)} at most in the {planned:.0f} steps of this training, not to the {number(configured)} that is configured: it lasts longer than the training"
        yield Symptom(text, DIRECT, {"calls": planned, "highest": peak}, place="optimizer", remedies=("warm-up",))
        return
    reached, peak = run.known("warmup_reaches"), run.number("warmup_peak")
    if reached is not None and reached < MIN_REACHED:
        text = f"after an epoch of {epoch:.0f} batches the warm-up has reached {percent(reached)} of the learning rate {number(peak)} that it comes to later: it lasts for far too many epochs"
        yield Symptom(
            text,
            MEASURED,
            {"calls": run.number("own_calls"), "reached": reached},
            place="optimizer",
            remedies=("warm-up",),
        )
        return
    moved = run.number("own_movement")
    if moved > OVERWRITTEN and run.known("plain_movement") is None:
        text = f"{run.number('own_calls'):.0f} calls of train_step change the weights by {number(float(f'{moved:.2g}'))} times their size: the learning rates are far too high"
        yield Symptom(text, MEASURED, {"moved": moved}, place="train_step", remedies=("lower-learning-rate",))
        return
    yield from _by_range(run)


def _by_range(run: Run) -> Iterator[Symptom]:
    low, high, now = (run.number(n) for n in ("lr_low", "lr_high", "lr_configured"))
    side, seeds, agree = str(run.fact("lr_side") or ""), int(run.number("lr_seeds")), int(run.number("lr_agree"))
    if not side or side == "inside" or now <= 0:
        return
    best = run.number("lr_suggested")
    advice = f"; of those tried, {number(best)} learned fastest" if best else ""
    evidence = {
        "configured": now,
        "usable_from": low,
        "usable_to": high,
        "suggested": best or None,
        "seeds": seeds,
        "agree": agree,
    }
    tried = ("fastest-rate",) if best else ()
    confidence = WITHOUT_SEEDS + (WITH_ALL_SEEDS - WITHOUT_SEEDS) * agree / max(seeds, 1)
    if side == "above":
        text = f"the learning rate {number(now)} is above the usable range ({number(low)}–{number(high)}; {agree} of {seeds} seeds agree){advice}"
        yield Symptom(
            text,
            confidence,
            evidence,
            place="optimizer",
            severity=Severity.ERROR if run.fact("lr_blows_up") else None,
            remedies=tried or ("lower-learning-rate", "warm-up"),
        )
    else:
        text = f"the learning rate {number(now)} is below the usable range ({number(low)}–{number(high)}; {agree} of {seeds} seeds agree){advice}"
        yield Symptom(text, confidence, evidence, place="optimizer", remedies=tried or ("raise-learning-rate", "adam"))


RULE = Rule(
    code="NN808",
    name="lr-outside-usable-range",
    severity=Severity.WARNING,
    title="the learning rate is outside the usable range",
    needs={"fact:lr_side|fact:own_movement|fact:rate_vanishes_after|fact:rate_zero_for|fact:planned_steps": 1},
    check=check,
    why="The learning rate is the first setting to get right. Ten times too low takes ten times as long; too high learns nothing.",
    how=f"Short trainings from the same start at learning rates around the configured one, with several seeds. A learning rate is usable if the loss falls nearly as far as with the best one and does not jump. A schedule that each batch advances, within train_step or by Lightning, must leave more than a hundredth of the learning rate for half an epoch and for the first part of a training of known length, none may keep it at exactly zero for its first dozens of steps, and a warm-up must reach {percent(MIN_REACHED)} of its highest rate within an epoch, and {percent(MIN_PLANNED)} of the configured one within the training that a Trainer is set up for, or that the loops of a script count.",
    sources=(
        Reference("Smith, Cyclical Learning Rates, 2017", "https://arxiv.org/abs/1506.01186"),
        Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),
    ),
    remedies=("learning-rate-range-test", "lower-learning-rate", "raise-learning-rate"),
    sick=(
        Run.drawn(
            {
                "lr_side": "above",
                "lr_configured": 1.0,
                "lr_low": 0.003,
                "lr_high": 0.1,
                "lr_seeds": 3,
                "lr_agree": 3,
                "lr_blows_up": True,
            }
        ),
        Run.drawn(
            {
                "lr_side": "below",
                "lr_configured": 1e-5,
                "lr_low": 0.003,
                "lr_high": 0.1,
                "lr_seeds": 3,
                "lr_agree": 3,
                "lr_suggested": 0.03,
            }
        ),
        Run.drawn({"own_movement": 0.1, "warmup_reaches": 0.008, "warmup_peak": 0.05, "rate_of_epoch": 80}),
        Run.drawn(
            {"own_movement": 0.1, "rate_vanishes_after": 28, "rate_of_epoch": 80, "rate_highest": 0.01},
        ),
        Run.drawn({"own_movement": 6.9, "own_calls": 40}),
        Run.drawn({"rate_zero_for": 50}),
        Run.drawn({"own_movement": 0.1, "planned_steps": 300, "planned_peak": 6e-6, "lr_configured": 2e-3}),
    ),
    healthy=(
        Run.drawn({"lr_side": "inside", "lr_configured": 0.01, "rate_of_epoch": 80, "rate_highest": 0.01}),
        Run.drawn(
            {"lr_side": "inside", "lr_configured": 0.01, "lr_low": 0.003, "lr_high": 0.1, "lr_seeds": 3, "lr_agree": 3}
        ),
    ),
    suppressed_by=("frozen-parameters", "step-raises-loss", "gradients-not-reset"),
)

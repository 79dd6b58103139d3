"""Every value of every loss and metric is the same: the weights are not being updated."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from nndoctor.analysis import no_update_causes as causes_of
from nndoctor.analysis.learning_rate import zero_rate
from nndoctor.analysis.liveness import (
    MIN_CHANGE,
    MIN_DIGITS,
    MIN_FEW,
    MIN_IDENTICAL,
    MIN_REPEATS,
    MIN_SAME,
    MIN_SHARE_SAME,
    SURE_DIGITS,
    constant_discriminator,
    identical,
    idle_evaluations,
    is_glimpse,
    judged_series,
    names_of_others,
    others_of_constant,
    repeated_validation,
    repeats_from,
    significant_digits,
    stops_suddenly,
)
from nndoctor.analysis.reinforcement import MIN_UPDATES, SAME_ENTROPY, unchanged_policy
from nndoctor.analysis.repeated_values import MIN_AGAIN, repeated_values
from nndoctor.analysis.repeated_values import MIN_DIGITS as MIN_DIGITS_AGAIN
from nndoctor.analysis.start import begins_late
from nndoctor.analysis.workload import Workload, of_text, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_EVALUATIONS = 4
MIN_RATE = 0.02  # share of the peak learning rate; below it the weights may stay the same on purpose
CERTAIN = 0.99  # confidence: no optimizer step leaves every digit of every value unchanged


def check(run: Run) -> Iterator[Symptom]:
    """Compare all values with the first; of a policy its divergence and its entropy."""
    if (policy := _policy(run)) is not None:
        yield policy
    if not identical(run):
        ways = (
            _without_rate,
            _unseen_weights,
            _stopped,
            _constant_training,
            _saturated_discriminator,
            _without_gradients,
            _repeated,
        )
        yield from islice(filter(None, (way(run) for way in ways)), 1)
        return
    if (unchanged := _unchanged(run)) is not None:
        yield unchanged


def _unchanged(run: Run) -> Symptom | None:
    """Every value of every loss and metric is the same."""
    trees = workload(run) is Workload.BOOSTING
    judged = judged_series(run)
    loss = next(s for s in judged if s.name.endswith("/loss"))
    if begins_late(run) is not None and (trees or is_glimpse(run)):  # the last trees seldom change anything
        return None
    name = series_in_words(loss.name)
    also = (
        ""
        if len(judged) == 1
        else f", and so {'is' if len(judged) == 2 else 'are'} {names_of_others(judged, loss.name)}"
    )
    zero = zero_rate(run)
    rate = f", and {zero}" if zero else ""
    unit = run.axis if run.axis == "epoch" else "value"
    return Symptom(
        f"{name} is {number(loss.final)} in all {len(loss.y)} {unit}s{also}: {'no tree changes the model' if trees else 'the weights are not being updated'}{rate}",
        CERTAIN,
        {"value": loss.final, "values": len(loss.y), "series": len(judged)},
        series=loss.name,
        step=loss.last_step,
        span=loss.span,
        causes=causes_of.no_growth_causes() if trees else causes_of.no_update_causes(run),
    )


def _stopped(run: Run) -> Symptom | None:
    """Evaluations that are the same to the last digit from one on, after others that all differ, while the learning rate is not zero."""
    loss, train = run.series_of("validation/loss", MIN_EVALUATIONS), run.series.get("train/loss")
    if loss is None or train is None or train.low == train.high or loss.final == 0:
        return None
    at = repeats_from(loss)
    where, same, value = float(loss.x[at]), len(loss.y) - at, number(loss.final)
    if not stops_suddenly(loss, at) or _rate_is_low(run, (where + loss.last_step) / 2):
        return None
    return Symptom(
        f"validation loss is exactly {value} in all {same} evaluations from {run.place(where)} on: the weights have not been updated since",
        MEASURED,
        {"from_step": where, "value": loss.final, "evaluations": same},
        series="validation/loss",
        step=where,
        span=(where, loss.last_step),
        causes=causes_of.STOPPED,
    )


def _without_rate(run: Run) -> Symptom | None:
    """Evaluations that all give the same metrics to the last digit under a learning rate that is printed as zero."""
    scores, zero = idle_evaluations(run), zero_rate(run)
    if not scores or not zero:
        return None
    values = " and ".join(f"{series_in_words(s.name)} is {number(s.final / s.scale)}" for s in scores)
    seen = {"evaluations": len(scores[0].y)}
    return _not_updated(run, scores[0], f"{zero}, and {values} in every evaluation", seen)


def _unseen_weights(run: Run) -> Symptom | None:
    """A validation that is the same to the last digit from its first value on while the training loss falls."""
    loss, train = repeated_validation(run), run.series.get("train/loss")
    if loss is None or train is None:
        return None
    before, after = distinct(train.initial, train.final)
    return Symptom(
        f"validation loss is exactly {number(loss.final)} in all {len(loss.y)} evaluations while training loss falls from {before} to {after}: validation does not see the trained weights",
        MEASURED,
        {"value": loss.final, "evaluations": len(loss.y)},
        series="validation/loss",
        step=loss.last_step,
        span=loss.span,
        causes=causes_of.NEVER_SEEN,
        severity=Severity.WARNING,
        remedies=("evaluate-the-trained-weights",),
    )


def _without_gradients(run: Run) -> Symptom | None:
    """A gradient norm that is exactly zero in every value, while the loss does not fall; rewards that are all alike have none either."""
    norm, loss = run.series_of("grad_norm", MIN_SAME), run.series_of("train/loss", MIN_SAME)
    if norm is None or loss is None or norm.low != 0 or norm.high != 0 or workload(run) is Workload.REINFORCEMENT:
        return None
    if loss.final < (1 - MIN_CHANGE) * loss.initial:  # what is printed as 0.000 may be a small gradient
        return None
    text = f"the gradient norm is exactly 0 in all {len(norm.y)} values"
    return _not_updated(run, norm, text, {"values": len(norm.y)})


def _repeated(run: Run) -> Symptom | None:
    """A training loss whose values come again in the same order: each epoch sees the same batches with the same weights."""
    period = repeated_values(run)
    if not period:
        return None
    text = f"the training loss repeats its {period} values in the same order, to the last digit"
    return _not_updated(run, run.series["train/loss"], text, {"period": period})


def _not_updated(run: Run, series: Series, text: str, seen: dict[str, int]) -> Symptom:
    return Symptom(
        f"{text}: the weights are not being updated",
        MEASURED,
        seen,
        series=series.name,
        step=series.last_step,
        span=series.span,
        causes=causes_of.no_update_causes(run),
    )


def _constant_training(run: Run) -> Symptom | None:
    """A training loss that repeats to the last digit: in all values while others change, or with every metric from the second or third on."""
    loss, judged = run.series_of("train/loss", MIN_IDENTICAL), judged_series(run)
    if loss is None or len(judged) < 2 or loss.last == 0:
        return None
    at = repeats_from(loss)
    where, others = float(loss.x[at]), others_of_constant(loss, judged, at)
    if not others or significant_digits(loss.y) < SURE_DIGITS or _rate_is_low(run, where):
        return None
    same = f"the last {len(loss.y) - at} of {len(loss.y)}" if at else f"all {len(loss.y)}"
    return Symptom(
        f"training loss is exactly {loss.final:.8g} in {same} values, {others}: the updates have no effect",
        MEASURED,
        {"from_step": where, "value": loss.final, "values": len(loss.y) - at},
        series="train/loss",
        step=where,
        span=(where, loss.last_step),
        causes=causes_of.CONSTANT,
    )


def _saturated_discriminator(run: Run) -> Symptom | None:
    """A discriminator whose loss is the same to the last digit in every value while the generator's changes."""
    loss = constant_discriminator(run)
    if loss is None:
        return None
    return Symptom(
        f"the discriminator's loss is exactly {number(loss.final)} in all {len(loss.y)} values, while the generator's changes: the discriminator no longer learns",
        MEASURED,
        {"value": loss.final, "values": len(loss.y)},
        series="discriminator_loss",
        step=loss.last_step,
        span=loss.span,
        causes=causes_of.SATURATED_CAUSES,
        remedies=("weaken-the-discriminator", "check-the-step"),
    )


def _rate_is_low(run: Run, step: float) -> bool:
    """Whether the learning rate at a step is so low that the weights may stay the same on purpose."""
    lr = run.series_of("lr")
    return lr is not None and float(np.interp(step, lr.x, lr.y)) < MIN_RATE * lr.high


def _policy(run: Run) -> Symptom | None:
    """A policy whose updates do not change it: its divergence from the one before, or from the first, is 0 in every update, its entropy the same."""
    found = unchanged_policy(run, of_text=of_text(run)) if workload(run) is Workload.REINFORCEMENT else None
    if found is None:
        return None
    moved, spread = found
    return Symptom(
        f"the policy is the same after all {len(moved.y)} updates: {moved.column} is 0 and the entropy stays at {number(spread.last)}",
        CERTAIN,
        {"entropy": spread.last, "updates": len(moved.y)},
        series=moved.name,
        step=moved.last_step,
        span=moved.span,
        causes=causes_of.no_update_causes(run),
    )


RULE = Rule(
    code="NN311",
    name="no-weight-changes",
    severity=Severity.ERROR,
    title="nothing changes: the weights are not updated",
    needs={"train/loss|validation/loss|approx_kl|kl|discriminator_loss": 2},
    check=check,
    why="Every update changes at least the last digits of some value. If nothing changes, the optimizer does not update the weights, and its settings do not matter.",
    how=f"All values of every loss and metric of every split are the same to the last digit, in at least {MIN_IDENTICAL} values of at least {MIN_DIGITS} digits. Or {MIN_SAME} evaluations or more at the end, {percent(MIN_SHARE_SAME)} of all, are the same to {SURE_DIGITS} digits after others that differ by {percent(MIN_CHANGE)} or more, while the learning rate is not zero. Or the validation loss and every validation metric are the same in all evaluations ({MIN_IDENTICAL} or more of {SURE_DIGITS} digits) while the training loss falls. Or the training loss, with {SURE_DIGITS} digits, and every metric are the same from the second or third value on; or all values of such a training loss are the same while others change. Of a GAN: the discriminator's loss is the same, and not zero, in {MIN_REPEATS} values or more while the generator's changes. Of a policy: its divergence (approx_kl) is exactly zero in {MIN_UPDATES} updates or more, and its entropy stays within {percent(SAME_ENTROPY)}. Or two validation metrics of {SURE_DIGITS} digits are the same in all evaluations, and the learning rate is zero in every row. Or the gradient norm is exactly zero in {MIN_SAME} values or more, and the loss does not fall. Or the values of the training loss come again in the same order, {MIN_AGAIN} or more of them, to {MIN_DIGITS_AGAIN} digits, as those of the same batches in the next epoch. In {MIN_FEW} values all losses and metrics must be the same, two losses of {SURE_DIGITS} digits among them.",
    sources=(
        Reference(
            "Schoop et al., UMLAUT, CHI 2021; Wardat et al., DeepLocalize, ICSE 2021: unchanged weights",
            "https://arxiv.org/abs/2103.03376",
        ),
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=(
        "check-the-step",
        "give-all-parameters",
        "reattach",
        "raise-learning-rate",
        "evaluate-the-trained-weights",
    ),
    sick=(
        Run.drawn(train_loss="1.597*25", validation_loss="1.598*25", validation_accuracy="0.295*25"),
        Run.drawn(train_loss="2.1837..0.08*8", validation_loss="2.30648*8", validation_accuracy="0.09824*8"),
        Run.drawn(train_loss="0.6667*20"),
        Run.drawn(train_loss="0.4741 0.9741 0.6931", grad_norm="0*3", lr="1e-6*3"),
        Run.drawn(train_loss="87.3363*3", validation_loss="87.3362*3", validation_accuracy="1*3"),
        Run.drawn(
            train_loss="2.6 1.8 1.5 1.25 1.17 1.15 1.152 1.151 1.136 1.133",
            validation_loss="1.475 1.31217 1.24813 1.159024*4",
        ),
        Run.drawn(train_loss="5.7178 5.7257*3", train_accuracy="0.6446 0.6448*3"),
        Run.drawn(
            {"task": "gan"},
            discriminator_loss="50*8",
            generator_loss="16.7 17.254 16.371 14.244 17.944 20.372 17.622 14.337",
        ),
        Run.drawn(train_loss="1.0741 0.9152 1.2203 0.8814 1.1325 0.9746 1.0741 0.9152 1.2203 0.8814 1.1325 0.9746"),
        Run.drawn(train_loss="6.2739*6", validation_loss="44.78 44.87 44.63 44.88 44.97 44.45"),
        Run.drawn(
            {"task": "reinforcement-learning"}, approx_kl="0*20", entropy="1.0963*20", reward="15..16*10 16..15*10"
        ),
    ),
    healthy=(
        Run.drawn(train_loss="1.597 1.597 1.597 1.596 1.597", validation_loss="1.598*5"),
        Run.drawn(train_loss="0.7*6"),
        Run.drawn(train_loss="1.0741 0.9152 1.2203 0.8814 1.1325 0.9746 1.0741 0.9152 1.2203 0.8814 1.1324 0.9745"),
        Run.drawn(train_loss="0.9..0.2*8", validation_loss="0.31*8"),
        Run.drawn(train_loss="0.69315 0.61212 0.58123 0.57731*3", train_accuracy="0.512 0.604 0.702 0.711*3"),
        Run.drawn(train_loss="0.81..0.68706*12", validation_loss="0.838024 0.827217 0.827178 0.827149 0.827141*8"),
        Run.drawn(train_loss="2.6..1.1*12", validation_loss="1.475 1.475 1.31217*2 1.159024*4"),
        Run.drawn({"task": "reinforcement-learning"}, approx_kl="0*20", entropy="1.09..0.7*20", reward="15..90*20"),
    ),
    suppressed_by=("nan-loss", "loss-exactly-zero"),
)

"""The validation loss was best long ago and has risen since, while training went on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis.convergence import confidence_between, has_moved
from nndoctor.analysis.metric_decline import MIN_LOSS, MIN_SHARE, error_rises, metric_decline
from nndoctor.analysis.metric_decline import MIN_NOISES as MIN_METRIC_DECLINE
from nndoctor.analysis.overfitting import FEW_EVALUATIONS, Rise, distance_covered, rise, training_fell
from nndoctor.analysis.task_metric import moved_since
from nndoctor.analysis.unlogged_causes import no_signal
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import distinct, factor, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import certain, ordered_remedies, overfitting_unlikely

MIN_RISE = 0.10  # share of the distance that the losses covered; 5 % may be luck
CERTAIN_RISE = 0.4  # the same from which there is no other explanation
WITHOUT_TRAINING = 0.8  # factor on the confidence where no training loss shows that training went on
MIN_NOISES = 3.0  # times the validation loss's own noise
MAX_NOISE = 0.2  # share of the loss at the end, above which the noise hides what the curve does
# Share of a positive loss; a smaller rise that is no large part of the distance either is information.
SLIGHT_RISE = 0.09
SLIGHT_RISE_OF_FEW = 0.05  # the same for few evaluations, each of which comes after many steps
# Share of a positive loss; boosted trees that are printed every 20 rounds come down before the first of them.
TRIFLE = 0.01
MATERIAL_RISE = 0.3  # share of the distance that is no small rise
LATEST_BEST = 0.8  # share of the run before which the best comes
# Standard errors of the slope since the best: a steady rise is information however small it is so far.
MIN_SLOPE_ERRORS = 5.0
MIN_STEADY_RISE = 0.02  # share of the distance from which a steady rise is worth a remark
FAR_RISE = 0.3  # share of a positive best loss from which a steady rise is a warning
MIN_SINCE_FAR = 10  # evaluations since the best from which it is
MIN_IN_A_ROW = 3  # evaluations since the best, each above the one before
MIN_SINCE = 5  # evaluations since the best that show a steady rise
LARGE_GAIN = 0.2  # fall of training since the best, as a share of the distance that validation covered: much was learned after it
MIN_GAIN = 0.02  # the same from which training went on at all
MIN_FACTOR = 1.5  # times the best: from here on the ratio says more than the two numbers
MIN_METRIC_GAIN = 0.1  # share of all that the task's own metric moved: where it improves by more, the metric decides
MIN_METRIC_NOISES = 2.0  # times its noise by which it improves then


# Probability of the finding from which any rise is reported: of 163 runs that the limits miss, 156 confirm it; 8 are healthy.
SURE = 0.93


def check(run: Run) -> Iterator[Symptom]:
    """Compare the end of the validation loss with its best, and see that training kept falling in between.

    Where the log has no validation loss, the same of the validation metric.
    """
    if "validation/loss" not in run.series:
        yield from _of_metric(run)
        return
    validation, seen = run.series["validation/loss"], rise(run)
    if not has_moved(run) or seen.since == 0 or seen.when > LATEST_BEST or validation.final <= validation.low:
        return
    gained = _gained_since(run, seen.at)
    if (gained is not None and gained < MIN_GAIN) or _metric_improves(run, seen.at):
        return
    slight, probable = _is_only_slight(run, validation, seen, gained), certain(run, "overtraining", SURE)
    if probable is not None and _stands_out(validation, seen):
        found = _symptom(run, validation, seen, slight=False, with_training=gained is not None)
        yield replace(found, confidence=max(found.confidence, probable))
    elif slight is not None:
        yield _symptom(run, validation, seen, slight=slight, with_training=gained is not None)


def _stands_out(validation: Series, seen: Rise) -> bool:
    """Whether the rise is above the noise of one evaluation; by far where that noise is a large part of the loss, whose best is a lucky one then."""
    noisy = seen.noise > MAX_NOISE * abs(validation.last)
    return seen.height > (MIN_NOISES if noisy else 1.0) * seen.noise


def _gained_since(run: Run, at: float) -> float | None:
    """How far the training loss fell from a step on, as a share of the distance covered; None where that cannot be said."""
    fell = training_fell(run, at)
    return None if fell is None else fell / distance_covered(run)


def _is_only_slight(run: Run, validation: Series, seen: Rise, gained: float | None) -> bool | None:
    """Whether the rise is worth a remark only; None where it is none at all."""
    if _has_risen(run, validation, seen, gained):
        material = _worse_text(run, validation, seen) or error_rises(run, seen.at)
        return _is_slight(validation, seen, gained) and not material
    return not (_rises_far(validation, seen) or error_rises(run, seen.at)) if _rises_steadily(seen) else None


def _has_risen(run: Run, validation: Series, seen: Rise, gained: float | None) -> bool:
    """Whether the rise is well above the noise, and large for the distance covered, for few evaluations or for a text."""
    if seen.height < MIN_NOISES * seen.noise:
        return False
    return seen.share >= MIN_RISE or _turned(validation, seen, gained) or _worse_text(run, validation, seen)


def _worse_text(run: Run, validation: Series, seen: Rise) -> bool:
    """Whether a language model's loss rises steadily and by more than rounding: a few hundredths of a nat show in its text, however far it came."""
    kind = workload(run) in (Workload.FINE_TUNING, Workload.PRETRAINING)
    steadily = _rises_steadily(seen) or _rises_each_time(validation, seen)
    return kind and steadily and seen.height > SLIGHT_RISE_OF_FEW * validation.final > 0


def _rises_each_time(validation: Series, seen: Rise) -> bool:
    """Whether each evaluation since the best, of at least a few, is above the one before."""
    return seen.since >= MIN_IN_A_ROW and bool((np.diff(validation.y[-seen.since - 1 :]) > 0).all())


def _turned(validation: Series, seen: Rise, gained: float | None) -> bool:
    """Whether of few evaluations the later ones are worse by far more than rounding while training gained much: fine-tuning starts near its best."""
    few = len(validation.y) <= FEW_EVALUATIONS and validation.low > 0
    return few and gained is not None and gained > LARGE_GAIN and seen.height > SLIGHT_RISE_OF_FEW * validation.final


def _rises_steadily(seen: Rise) -> bool:
    """Whether the evaluations since the best rise by far more than chance, though not by much yet: a run that goes on shows it early."""
    return (
        seen.since >= MIN_SINCE
        and seen.slope_z > MIN_SLOPE_ERRORS
        and seen.height > seen.noise
        and seen.share > MIN_STEADY_RISE
    )


def _rises_far(validation: Series, seen: Rise) -> bool:
    """Whether a steady rise is a large part of the best loss, though a small one of the way down from the start."""
    return validation.low > 0 and seen.since >= MIN_SINCE_FAR and seen.height > FAR_RISE * validation.low


def _is_slight(validation: Series, seen: Rise, gained: float | None) -> bool:
    """Whether the rise is a small part of the loss and of the way; of the loss alone where no training loss shows how long that was."""
    if gained is None and 0 < seen.height < TRIFLE * validation.low:
        return True
    limit = SLIGHT_RISE_OF_FEW if len(validation.y) <= FEW_EVALUATIONS else SLIGHT_RISE
    return validation.low > 0 and seen.height < limit * validation.final and seen.share < MATERIAL_RISE


def _metric_improves(run: Run, at: float) -> bool:
    """Whether the task's own metric went on improving: then the run got better, whatever the loss says."""
    moved = moved_since(run, at)
    return moved is not None and moved.share > MIN_METRIC_GAIN and moved.noises > MIN_METRIC_NOISES


def _symptom(run: Run, validation: Series, seen: Rise, *, slight: bool, with_training: bool) -> Symptom:
    best, last = distinct(validation.low, validation.final)
    at, end = validation.low_step, validation.last_step
    since = int((validation.x > at).sum())
    kept = " while training loss kept falling" if with_training else ""
    times = factor(validation.final, validation.low)
    return Symptom(
        f"validation loss rose from {best} (best, {run.place(at)}) to {last} ({run.place(end)}){kept}"
        + (
            f": the final model is {times} worse than the best"
            if times and not slight and validation.final > MIN_FACTOR * validation.low
            else ""
        ),
        confidence_between(seen.share, MIN_RISE, CERTAIN_RISE) * (1.0 if with_training else WITHOUT_TRAINING),
        {
            "best": validation.low,
            "best_step": at,
            "last": validation.final,
            "rise": seen.height,
            "rise_share": seen.share,
            "evaluations_after": since,
        },
        series="validation/loss",
        step=at,
        span=(at, end),
        causes=no_signal(run),
        remedies=TREES if workload(run) is Workload.BOOSTING else (STOP, *ordered_remedies(run, OTHERS)),
        severity=Severity.INFO if slight or overfitting_unlikely(run) else None,
    )


def _of_metric(run: Run) -> Iterator[Symptom]:
    """A validation metric that got worse while the training loss kept falling."""
    seen = metric_decline(run)
    if seen is None or not has_moved(run):
        return
    fell = training_fell(run, seen.at)
    if fell is not None and fell < 0:
        return  # training got worse, too
    name = series_in_words(seen.metric.name)
    best, last = distinct(seen.best, seen.last)
    verb = "fell" if seen.last < seen.best else "rose"
    kept = " while training loss kept falling" if fell is not None else ""
    yield Symptom(
        f"{name} {verb} from {best} (best, {run.place(seen.at)}) to {last} ({run.place(seen.metric.last_step)}){kept}",
        confidence_between(seen.share, MIN_RISE, CERTAIN_RISE) * (1.0 if fell is not None else WITHOUT_TRAINING),
        {
            "best": seen.best,
            "best_step": seen.at,
            "last": seen.last,
            "rise_share": seen.share,
            "evaluations_after": seen.since,
        },
        series=seen.metric.name,
        step=seen.at,
        span=(seen.at, seen.metric.last_step),
        causes=no_signal(run),
        remedies=TREES if workload(run) is Workload.BOOSTING else (STOP, *ordered_remedies(run, OTHERS)),
    )


STOP, OTHERS = "early-stopping", ("weight-decay", "dropout", "augmentation", "more-data")
TREES = ("stop-adding-trees", "smaller-trees", "more-data")  # a boosted ensemble has no dropout and no weight decay

RULE = Rule(
    code="NN103",
    name="overtraining",
    severity=Severity.WARNING,
    title="validation loss has risen since its best",
    needs={"validation/loss|validation/metric": 3},
    check=check,
    why="After its best epoch the network memorizes the training set: further steps cost time and make the model worse.",
    how=f"The validation loss ends above its best by at least {percent(MIN_RISE)} of the distance covered and {MIN_NOISES:g} times its noise; the best comes before {percent(LATEST_BEST)} of the run, and training loss kept falling. Information if the rise is less than {percent(SLIGHT_RISE)} of a positive loss ({percent(SLIGHT_RISE_OF_FEW)} with up to {FEW_EVALUATIONS} evaluations) and {percent(MATERIAL_RISE)} of the distance, or if the loss only rises steadily since its best (slope over {MIN_SLOPE_ERRORS:g} standard errors, {percent(MIN_STEADY_RISE)} of the distance; a warning from {percent(FAR_RISE)} of the best loss and {MIN_SINCE_FAR} evaluations on); of a language model a steady rise of {percent(SLIGHT_RISE_OF_FEW)} of the loss, or one in each of {MIN_IN_A_ROW} evaluations or more, is a warning, and so is any rise that the prognosis is {percent(SURE)} sure of. If the task's own metric, such as BLEU or word error rate, kept improving, the metric decides. Where no validation loss is logged, the metric itself: it ends worse than its best by {percent(MIN_LOSS)} of it, {percent(MIN_SHARE)} of what it had improved and {MIN_METRIC_DECLINE:g} times its noise.",
    sources=(
        Reference("Prechelt, Early Stopping - But When?, 1998"),
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 7.8",
            "https://www.deeplearningbook.org/contents/regularization.html",
        ),
    ),
    remedies=(STOP, *OTHERS),
    sick=(
        Run.drawn(train_loss="2.3..0.05*30", validation_loss="2.3..0.9*8 0.92..1.6*22"),
        Run.drawn(train_loss="3.5..1.5*10", validation_loss="3.77..6.7*10"),
        Run.drawn(train_loss="1.3 0.9 0.6", validation_loss="1.21 1.27 1.49"),
        Run.drawn(train_loss="2.3..0.3*30", validation_map="0.05..0.45*12 0.44..0.25*18"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.05*30", validation_loss="2.3..0.9*15 0.9..0.91*15"),
        Run.drawn(train_loss="2.3..0.02*30", validation_loss="2.3..0.05*20 0.05..0.052*10"),
        Run.drawn(
            train_loss="54..3*12",
            validation_loss="34 30 27 25.3 25 25.5 26 27 28 29 30 31",
            validation_word_error="0.74..0.21*12",
        ),
        Run.drawn(train_loss="2.3..0.3*30", validation_map="0.05..0.45*20 0.45..0.44*10"),
    ),
    free_remedy=True,
    suppressed_by=(
        "no-weight-changes",
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "stuck-at-chance",
        "labels-without-signal",
    ),
)

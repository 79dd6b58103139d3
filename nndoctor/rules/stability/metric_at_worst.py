"""A metric has its worst value throughout, whether the loss moves or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nndoctor.analysis.guessing import ends_at_guessing
from nndoctor.analysis.liveness import repeats_from
from nndoctor.analysis.still_scores import MIN_VALUES as MIN_STILL
from nndoctor.analysis.still_scores import still_score
from nndoctor.analysis.worst import (
    ERROR_RATES,
    FAR_ON,
    LOST,
    MIN_AT_END,
    MIN_FAR_ON,
    MIN_SAME,
    MIN_VALUES,
    NEVER_BETTER,
    NEXT_TO_NOTHING,
    AtWorst,
    at_worst,
    is_far_on,
    lacks_labels,
    repeated_score,
    repeats_beside,
    zero_parts,
)
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

OF_MASKS = frozenset({"dice", "iou"})
BACKGROUND_FIRST = ("weigh-classes", "overfit-tiny-subset", "check-loaded-labels", "fix-the-metric")

UNLABELLED = "; the log counts 0 labels in the validation set"
NO_LABELS = Cause(
    "no labels loaded, or labels in another format",
    0.95,
    "the log counts 0 labels in the validation set",
    "print the path of the labels of one validation image, and look whether it exists",
)

LATE_EPOCH = 10  # first epoch of an excerpt, of which few values are enough
MIN_METRICS = 3  # metrics that are at their worst in such an excerpt


def check(run: Run) -> Iterator[Symptom]:
    """Look for metrics that never left their worst value, or came to it and stay there."""
    found = at_worst(run)
    if not found:
        yield from _repeats(run)
        return
    first = found[0]
    series = run.series[first.name]
    parts, same = zero_parts(run), repeats_beside(run, first)
    unlabelled = lacks_labels(run, first.name)
    yield Symptom(
        _message(first, [f.name for f in found[1:]], parts) + _beside(same) + (UNLABELLED if unlabelled else ""),
        first.confidence,
        {"value": first.worst, "values": first.count, "metrics": len(found), "parts_at_zero": len(parts)},
        series=first.name,
        step=series.last_step,
        span=series.span,
        causes=_causes(parts, series, same, unlabelled=unlabelled),
        remedies=BACKGROUND_FIRST if _of_masks(series) or same else (),
        severity=Severity.INFO if max(f.count for f in found) < MIN_VALUES and not _is_late(run, found) else None,
    )


def _is_late(run: Run, found: Sequence[AtWorst]) -> bool:
    """Whether several metrics are at their worst in a log that begins many epochs into the run: then a few values are enough.

    So they are of the error rates of both splits where many epochs have passed, and of a validation set without labels.
    """
    splits = {f.name.partition("/")[0] for f in found if f.name.rpartition("/")[2] in ERROR_RATES}
    if len(splits) > 1 and run.number("epochs") > LATE_EPOCH:
        return True
    score = run.series[found[0].name]
    if is_far_on(run, score) or lacks_labels(run, score.name):
        return True
    first = score.steps[0]
    return run.axis == "epoch" and first >= LATE_EPOCH and len(found) >= MIN_METRICS


def _repeats(run: Run) -> Iterator[Symptom]:
    """A score that never changes: the answers do not, or they are not what is scored."""
    if ends_at_guessing(run) is not None:  # the run as a whole guesses, which is more to say
        return
    score = repeated_score(run)
    if score is None:
        yield from _is_still(run)
        return
    yield Symptom(
        f"{series_in_words(score.name)} is {number(score.low / score.scale)} in all {len(score.y)} evaluations, to the last digit, while the loss moves: one answer for every example, or a wrong metric",
        NEVER_BETTER,
        {"value": score.low, "values": len(score.y)},
        series=score.name,
        step=score.last_step,
        span=score.span,
        causes=_causes([], score),
    )


def _is_still(run: Run) -> Iterator[Symptom]:
    """A score of few digits that never changes while the loss falls: a remark, unless the two contradict each other."""
    still = still_score(run)
    if still is None:
        return
    before, after = distinct(still.loss.initial, still.loss.final)
    why = "no accuracy is so low with such a loss" if still.contradicted else "check how it is computed"
    if still.idle:
        why = "it is computed wrongly, or means nothing, as in a regression"
    yield Symptom(
        f"{series_in_words(still.name)} is {number(still.value)} in all {still.count} evaluations while {series_in_words(still.loss.name)} falls from {before} to {after}: {why}",
        NEVER_BETTER if still.contradicted else TYPICAL,
        {"value": still.value, "values": still.count},
        series=still.name,
        step=still.loss.last_step,
        span=still.loss.span,
        remedies=("fix-the-metric", "check-loaded-labels"),
        severity=None if still.contradicted else Severity.INFO,
    )


def _message(first: AtWorst, others: list[str], parts: list[str]) -> str:
    value = f"{100 * first.worst:.0f}%" if first.percent else number(first.worst)
    more = (
        f", and so {'is' if len(others) == 1 else 'are'} {' and '.join(map(series_in_words, others[:3]))}"
        if others
        else ""
    )
    zero = f"; {' and '.join(parts[:2])} {'is' if len(parts[:2]) == 1 else 'are'} exactly 0 throughout" if parts else ""
    whole = (
        ("its only value", "both values")[first.count - 1] if first.count <= MIN_FAR_ON else f"all {first.count} values"
    )
    which = whole if first.throughout else f"the last {first.count} values"
    return f"{series_in_words(first.name)} is {value}, the worst possible, in {which}{more}{zero}"


def _beside(accuracy: Series | None) -> str:
    """What the accuracy adds that repeats next to such a score."""
    if accuracy is None:
        return ""
    count = len(accuracy.y) - repeats_from(accuracy)
    return f"; {series_in_words(accuracy.name)} is {number(accuracy.final / accuracy.scale)} in the last {count}: the model gives the most frequent class for every example"


def _of_masks(series: Series) -> bool:
    """Whether a metric is that of masks, whose usual trivial answer is background everywhere."""
    return series.name.rpartition("/")[2] in OF_MASKS


def _causes(
    parts: list[str], series: Series, same: Series | None = None, *, unlabelled: bool = False
) -> tuple[Cause, ...]:
    if unlabelled:
        return (NO_LABELS,)
    return ranked(
        Cause(
            "no labels loaded, or labels in another format",
            0.6 if parts else 0.3 if _of_masks(series) else 0.4,
            "a loss term that is exactly 0 has no labels to compare with"
            if parts
            else "a metric without labels to compare with stays at its worst value",
            "print the labels of one batch just before the loss",
        ),
        Cause(
            "one trivial answer for every example",
            0.9 if same else 0.35,
            "accuracy stays at the share of the most frequent class"
            if same
            else "only background, only blanks, or one class: the loss can still fall a long way",
            "print a few predictions: are they all the same?",
        ),
        Cause(
            "the metric is computed wrongly",
            0.2,
            "decoding, thresholds or the order of classes",
            "compute the metric with the labels as predictions: it must be perfect",
        ),
        Cause(
            "training has only begun",
            0.1,
            "detectors and speech recognizers often have no correct output in the first epochs",
            "train longer, or overfit twenty examples: the metric must improve",
        ),
    )


RULE = Rule(
    code="NN312",
    name="metric-at-worst",
    severity=Severity.WARNING,
    title="a metric stays at its worst value, or at one value",
    needs={"fact:idle:validation/accuracy|train/metric|validation/metric": 1},
    check=check,
    why="The loss can fall while the metric stays at zero: then the network gives a trivial answer, or the metric and the labels do not match.",
    how=f"Every value of a metric is the worst possible (zero for accuracy, F1, Dice, IoU, mAP and BLEU; all words wrong for WER, or all but {percent(NEXT_TO_NOTHING)}), in {MIN_VALUES} values or more (in fewer it is a remark, unless {MIN_METRICS} metrics are at their worst in a log that begins at epoch {LATE_EPOCH} or later, or the error rates of both splits are in one that ends later, or a score of overlap is in {MIN_FAR_ON} values or more of one that begins at epoch {FAR_ON} or later, or in one where parts of the loss are exactly zero as well, or the log counts no labels in the validation set); or F1, Dice, IoU, mAP, precision and recall are zero in the last {MIN_AT_END} values or more, which are at least {percent(LOST)} of all, without an accuracy that changes meanwhile; or a validation score is the same to the last digit in {MIN_SAME} evaluations or more while the loss moves. An accuracy logged with the loss of a regression is ignored. A score that is one number of few digits in {MIN_STILL} evaluations or more while the loss falls is a remark, and a finding where an accuracy is too low for the cross-entropy.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019: visualize prediction dynamics",
            "https://karpathy.github.io/2019/04/25/recipe/",
        ),
    ),
    remedies=("check-loaded-labels", "overfit-tiny-subset", "fix-the-metric", "weigh-classes"),
    sick=(
        Run.drawn(
            train_loss="0.62 0.4 0.2 0.1 0.06 0.05 0.042 0.041", validation_loss="0.63..0.05*8", validation_dice="0*8"
        ),
        Run.drawn(
            train_loss="3.18 3.06 2.95 2.9 2.88 2.88 2.88",
            validation_loss="3.15 3.05 2.97 2.93 2.91 2.91 2.91",
            validation_word_error="1*7",
        ),
        Run.drawn(train_loss="3.5 2.9 2.5 2.1 1.8 1.2 0.9", validation_map="0*7"),
        Run.drawn(
            train_loss="0.9..0.2*8",
            validation_accuracy="0.242 0.665 0.905 0.941*5",
            validation_f1="0.117 0.077 0.021 0*5",
        ),
    ),
    healthy=(
        Run.drawn(train_loss="0.9..0.2*8", validation_f1="0.11 0.02 0 0 0 0.1 0.3 0.4"),
        Run.drawn(train_loss="3.5 2.9 2.5 2.1 1.8 1.2 0.9", validation_map="0 0 0.01 0.05 0.1 0.2 0.3"),
        Run.drawn(train_loss="2.3..0.1*8", train_error="0.8 0.3 0.1 0.05 0*4"),
    ),
    suppressed_by=("nan-loss", "loss-exactly-zero", "no-weight-changes", "gradients-not-finite"),
)

"""The network does much better on its training examples than on new ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from nndoctor.analysis.convergence import confidence_between, has_moved, reach
from nndoctor.analysis.gap import (
    MIN_GAP_OF_TEXT,
    MIN_NATS,
    OPEN,
    gap_of_text,
    opened_before,
    shared,
    upto,
    validation_improves,
)
from nndoctor.analysis.loss_parts import MAX_LEFT, MIN_RATIO, Part, memorized_part
from nndoctor.analysis.task_metric import moved_since
from nndoctor.analysis.unlogged_causes import no_signal
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import LOSS_OVERFITS, certain, ordered_remedies, overfitting_unlikely

NAME = "high-variance"
LOW_ERROR = 0.10  # training error under which a gap is most of the error
MIN_GAP = 0.10  # points of error; AUTOTRAINER's limit, no false alarm on any healthy run replayed against it
MIN_GAP_FITTED = 0.09  # points of error where the training error is under LOW_ERROR
SMALL_GAP = 0.05  # a gap in points so small that a gap in loss may be confidence only
OVERCONFIDENT_GAP = 0.6  # gap in loss, as a share of the reach, that confidence alone does not explain
GAP_OF_MEMORIZED = 0.9  # share of a positive validation loss: so large a gap counts even if it was there from the start
# Points of error; a smaller gap may only be a lag where validation still improves and training does not fit.
WIDE_GAP = 0.15
FITTED_ERROR = 0.015  # training error up to which the training set is fitted
PLAIN_GAP = 0.25  # points of error next to it from which the gap is a warning whatever is likely to close it
WIDE_GAP_IN_LOSS = 0.4  # the same as a share of a positive validation loss
MIN_GAP_IN_LOSS = 0.25  # share of the reach, where no error is logged
CERTAIN_IN_LOSS = 0.35  # gap beyond that limit from which there is no other explanation
MIN_OPENED = 0.5  # share of the gap that opened during training
MIN_TRAIN_POINTS = 3  # training losses without which no gap in loss is judged
SAME_GAP = 0.1  # share of a gap by which that of the last values may differ from it
CERTAIN_FACTOR = 2.5  # times the limit in points of error, from which there is no other explanation
SMALL_GAP_IN_LOSS = 0.28  # share of a positive validation loss; a smaller gap is information, as a run that learned little has a short way to compare with
MIN_EVALUATIONS, FEWEST_EVALUATIONS = 4, 3
EVALUATIONS_OF_OPEN, WIDE_OPEN = (
    2,
    0.75,
)  # evaluations that are enough where a gap was open before, and is that share of the validation loss
FAR_OVER_MOVES = 3.0  # times all that the evaluations moved, by which a gap needs no fourth one
ERRORS_OF_ERROR, ERRORS_OF_LOSS = 2.5, 3.0  # standard errors of the validation level by which a gap exceeds noise
LEVEL_POINTS = 10  # evaluations at most that a level at the end averages
LAST_THIRD = 2 / 3  # share of the run since which the task's own metric is looked at
MIN_METRIC_GAIN = 0.05  # share of all that the metric moved by which it still improves
MIN_METRIC_NOISES = 2.0  # times its noise, likewise
MAX_LOST_TO_NOISE = 0.4  # share of the confidence that is lost where the noise is as large as the gap
SURE = 0.93  # probability of the finding from which any gap is reported: of 52 runs that the limits miss, 51 confirm it
# The same from which a gap in loss is a warning although nothing, or hardly anything, is likely to close it.
PROBABLE, PROBABLE_WITH_HELP = 0.9, 0.8
NEARLY_THE_SAME = 1.05  # times the training loss, below which a validation loss looks like it
MIN_SHARE_OF_EXCESS = 0.30  # share of the validation loss above the best seen that the gap explains


def check(
    run: Run, gap: float = MIN_GAP, fine: float = MIN_GAP_FITTED, loss: float = MIN_GAP_IN_LOSS
) -> Iterator[Symptom]:
    """Compare errors where both splits log one, losses else."""
    raised = loss > MIN_GAP_IN_LOSS
    if run.judged_by_share and _both(run, "metric"):
        train, validation = shared(run, "metric")
        seen = validation.last - train.last
        limit = fine if train.last < LOW_ERROR else gap
        if seen >= limit and seen > ERRORS_OF_ERROR * _error_of_level(validation):
            yield _by_error(run, train, validation, limit)
            return
        loss = max(loss, OVERCONFIDENT_GAP) if seen < SMALL_GAP else loss
    if workload(run) is Workload.DETECTION and (part := memorized_part(run)) is not None:
        yield _by_part(part)
        return
    if _both(run, "loss"):
        yield from _by_loss(run, loss, raised=raised)


def _by_part(part: Part) -> Symptom:
    validated = part.train if part.validation is None else part.validation
    return Symptom(
        f"{validated.column} ends at {number(validated.final)}, {part.train.column} at {number(part.train.final)}, "
        "and the metric no longer improves: this part of the loss is memorized",
        TYPICAL,
        {"train_part": part.train.last, "validation_part": validated.last},
        series=validated.name,
        step=float(validated.x[-1]),
        span=_last_quarter(validated),
    )


def _last_quarter(validation: Series) -> tuple[float, float]:
    return float(validation.x[len(validation.y) * 3 // 4]), float(validation.x[-1])


def _both(run: Run, measure: str) -> bool:
    curves = [run.get(f"{split}/{measure}") for split in ("train", "validation")]
    return all(series is not None and len(series.y) > 0 for series in curves)


def _by_error(run: Run, train: Series, validation: Series, limit: float) -> Symptom:
    name = run.metric.name if run.metric is not None else ""
    seen = validation.last - train.last
    training, validated = run.series[f"train/{name}"], run.series[f"validation/{name}"]
    metric, ends = series_in_words(name), upto(training, validated)
    lags = train.last > FITTED_ERROR and seen < WIDE_GAP and validation_improves(run)
    plain = train.last <= FITTED_ERROR and seen >= PLAIN_GAP
    doubted = not plain and overfitting_unlikely(run)
    found = Symptom(
        f"validation {metric} {_ends(validated, ends, metric)}: {_in_points(100 * seen, 100 * abs(validated.final - ends.final))}",
        _steady(confidence_between(seen, limit, CERTAIN_FACTOR * limit), validation, seen),
        {"train_error": train.last, "validation_error": validation.last, "gap": seen},
        series=f"validation/{name}",
        severity=Severity.INFO if (lags and certain(run, NAME, SURE) is None) or doubted else None,
    )
    return _explained(run, found, validation)


def _explained(run: Run, found: Symptom, validation: Series) -> Symptom:
    """A gap with the place, the causes and the remedies that a gap in error and one in loss have in common."""
    return replace(
        found,
        step=float(validation.x[-1]),
        span=_last_quarter(validation),
        causes=no_signal(run),
        remedies=TREES if workload(run) is Workload.BOOSTING else ordered_remedies(run, REMEDIES),
    )


def _in_points(gap: float, last: float) -> str:
    """The gap in points: of the two values shown, or that over the last evaluations where it differs much from that."""
    alike = abs(gap - last) < max(1, SAME_GAP * gap)
    return f"a gap of {last:.0f} points" if alike else f"a gap of {gap:.0f} points over the last evaluations"


def _ends(validation: Series, train: Series, name: str) -> str:
    """Both last values, in the log's own unit and digits."""
    (ends,), (at,) = validation.in_log_unit(validation.final), train.in_log_unit(train.final)
    return f"ends at {ends}, training {name} at {at}"


def _steady(sure: float, validation: Series, gap: float) -> float:
    """Less sure where single validation values jump by much of the gap: reduce that noise first."""
    return sure * (1 - MAX_LOST_TO_NOISE * min(validation.noise / gap, 1.0))


def _by_loss(run: Run, loss: float, *, raised: bool) -> Iterator[Symptom]:
    """A gap between the losses that is large for how far they came, above the noise, and opened during training."""
    train, validation = shared(run)
    gap = validation.last - train.last
    before = opened_before(run, train, validation)
    enough = FEWEST_EVALUATIONS if _is_plain(run, gap, validation) else MIN_EVALUATIONS
    enough = EVALUATIONS_OF_OPEN if before and gap > WIDE_OPEN * validation.last else enough
    if gap <= 0 or not has_moved(run) or len(train.y) < MIN_TRAIN_POINTS or len(validation.y) < enough:
        return
    share = max(gap / reach(run), gap_of_text(run, gap, validation))
    if not raised and certain(run, NAME, SURE) is not None:  # a limit that the user raised holds, too
        yield _gap_in_loss(run, train, validation, _steady(SURE, validation, gap))
    elif share >= loss and _stands_out(gap, train, validation) and (before or _opened(gap, share, train, validation)):
        sure = _steady(confidence_between(share, loss, loss + CERTAIN_IN_LOSS), validation, gap)
        yield replace(_gap_in_loss(run, train, validation, sure), severity=_severity(run, gap, train, validation))


def _severity(run: Run, gap: float, train: Series, validation: Series) -> Severity | None:
    """A remark on a gap that is small, doubted, or open while the metric improves."""
    remark = _is_small(run, gap, train, validation) or _is_doubted(run) or _metric_improves(run, validation)
    return Severity.INFO if remark else None


def _is_plain(run: Run, gap: float, validation: Series) -> bool:
    """Whether the gap of a fine-tune is nearly all of a validation loss that hardly moves, as three evaluations can show."""
    moves = float(validation.y.max() - validation.y.min())
    return workload(run) is Workload.FINE_TUNING and gap > max(
        GAP_OF_MEMORIZED * validation.last, FAR_OVER_MOVES * moves
    )


def _is_doubted(run: Run) -> bool:
    """Whether nothing is likely to close a gap in loss, and the gap itself does not make up for that."""
    limit = PROBABLE if overfitting_unlikely(run) else PROBABLE_WITH_HELP
    return overfitting_unlikely(run, LOSS_OVERFITS) and certain(run, NAME, limit) is None


def _gap_in_loss(run: Run, train: Series, validation: Series, sure: float) -> Symptom:
    message = f"validation loss {_ends(validation, train, 'loss')}: {_size(train, validation)}"
    levels = {"train_loss": train.last, "validation_loss": validation.last}
    evidence = {**levels, "gap": validation.last - train.last, "reach": reach(run)}
    return _explained(run, Symptom(message, sure, evidence, series="validation/loss"), validation)


def _size(train: Series, validation: Series) -> str:
    """How large the gap is, in words: of losses that are nearly the same, next to how far they came."""
    close = 0 < validation.final < NEARLY_THE_SAME * train.final
    return "a gap that is large for how far the losses fell" if close else "a large generalization gap"


def _metric_improves(run: Run, validation: Series) -> bool:
    """Whether the task's own metric, such as the word error rate, still improves in the last third: then it decides, not the loss."""
    x = validation.x
    moved = moved_since(run, float(x[0] + LAST_THIRD * (x[-1] - x[0])))
    return moved is not None and moved.share > MIN_METRIC_GAIN and moved.noises > MIN_METRIC_NOISES


def _opened(gap: float, share: float, train: Series, validation: Series) -> bool:
    """Whether the gap opened during training, or is so large that it counts even if it was there from the start."""
    memorized = train.low >= 0 and gap > GAP_OF_MEMORIZED * validation.last and share > OVERCONFIDENT_GAP
    return memorized or gap - max(validation.first - train.first, 0.0) >= MIN_OPENED * gap


def _is_small(run: Run, gap: float, train: Series, validation: Series) -> bool:
    """Whether the gap is a small share of a positive validation loss."""
    limit = WIDE_GAP_IN_LOSS if validation_improves(run) else SMALL_GAP_IN_LOSS
    return min(train.low, validation.low) > 0 and gap < limit * validation.last


def _stands_out(gap: float, train: Series, validation: Series) -> bool:
    """Whether the gap is a good part of what the validation loss lost since its best, and above its noise."""
    excess = validation.last - min(train.best, validation.best)
    return bool(gap >= max(MIN_SHARE_OF_EXCESS * excess, ERRORS_OF_LOSS * _error_of_level(validation)))


def _error_of_level(validation: Series) -> float:
    """The standard error of the validation level at the end."""
    return validation.noise / math.sqrt(min(len(validation.y), LEVEL_POINTS))


REMEDIES = ("more-data", "augmentation", "weight-decay", "dropout", "early-stopping", "smaller-network")
TREES = ("smaller-trees", "stop-adding-trees", "more-data")  # a boosted ensemble has no dropout and no weight decay

RULE = Rule(
    code="NN102",
    name=NAME,
    severity=Severity.WARNING,
    title="validation error is far above training error",
    needs={"train/metric|train/loss": 1, "validation/metric|validation/loss": 1},
    check=check,
    why="The network fits its training examples much better than new ones. More data or more regularization closes the gap; a larger network or more training does not.",
    how=f"A gap of {100 * MIN_GAP:.0f} points of error, {100 * MIN_GAP_FITTED:.0f} where training error is under {percent(LOW_ERROR)}, over the last tenth of the run (information under {100 * WIDE_GAP:.0f} points where validation still improves and training is not at zero; and where nothing is likely to close it, unless it is {100 * PLAIN_GAP:.0f} points or more and training error at most {percent(FITTED_ERROR)}). Where no error is logged: a gap in loss of {percent(MIN_GAP_IN_LOSS)} of the total decrease in loss, which opened during training (information under {percent(SMALL_GAP_IN_LOSS)} of a positive validation loss, or {percent(WIDE_GAP_IN_LOSS)} where that still improves). Where the errors differ by less than {100 * SMALL_GAP:.0f} points: {percent(OVERCONFIDENT_GAP)} of the total decrease. Any gap in loss that the prognosis is {percent(SURE)} sure of. In a log that begins in the middle of a run, a gap of {percent(OPEN)} of a positive validation loss, and of {MIN_NATS:g}, where training loss falls and validation loss does not. For fine-tuning, once the validation loss no longer falls: {percent(MIN_GAP_OF_TEXT)} of that loss, and {MIN_NATS:g}. Where the task's own metric (word error rate, BLEU, Dice …) still improves in the last third of the run, a gap in loss is information. Of a detector: a part of the validation loss that is {MIN_RATIO:g} times the same part in training, which has fallen to {percent(MAX_LEFT)}, while the metric no longer improves.",
    sources=(
        Reference("Ng, Machine Learning Yearning, chapters 20-27"),
        Reference(
            "CS231n: 'the gap between the training and validation accuracy indicates the amount of overfitting'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=REMEDIES,
    sick=(
        Run.drawn(train_error="0.01", validation_error="0.11"),
        Run.drawn(train_error="0.15", validation_error="0.30"),
        Run.drawn(train_loss="2.3..0.05*20", validation_loss="2.3 1.6 1.2 1.0 0.95*16"),
        Run.drawn(
            train_loss="4.3..1.3*30",
            validation_loss="3.8..1.86*30",
            train_box_loss="1.95..0.006*30",
            validation_box_loss="1.6..0.19*30",
            validation_map="0..0.09*20 0.09*10",
        ),
    ),
    healthy=(
        Run.drawn(
            train_loss="2.6..0.8*30",
            validation_loss="2.0..0.7*30",
            train_box_loss="0.74..0.059*30",
            validation_box_loss="0.3..0.057*30",
            validation_map="0..0.51*30",
        ),
        Run.drawn(train_error="0.15", validation_error="0.16"),
        Run.drawn(train_error="0.005", validation_error="0.01"),
        Run.drawn(train_loss="2.3..0.001*20", validation_loss="2.3..0.005*20"),
    ),
    suppressed_by=(
        "no-weight-changes",
        "loss-and-metric-disagree",
        "nan-loss",
        "diverged",
        "plateau-at-start",
        "sawtooth-epochs",
    ),
    limits={"gap": MIN_GAP, "fine": MIN_GAP_FITTED, "loss": MIN_GAP_IN_LOSS},
)

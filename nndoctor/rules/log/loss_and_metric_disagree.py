"""The validation loss and the validation metric move in opposite directions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import reach
from nndoctor.analysis.task_metric import moved_since, task_metric
from nndoctor.core.confidence import SEVERAL_SIGNS, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import closing, median

MIN_RISE = 0.10  # share of the reach by which the loss rises
MIN_GAIN = 0.02  # error by which the metric still improves
MIN_FALL = 0.10  # share of its first value by which the validation loss clearly improves
MIN_WORSE = 0.5  # share of all that the task's metric moved by which it got worse
MIN_NOISES = 3.0  # standard errors of that difference
MIN_WORSE_SHARE = 0.05  # share of the metric's own size; less may be chance
MIN_TREND = 0.5  # rank correlation of the error with time: it rises steadily and not in its last values only
MIN_POINTS = 5
MIN_EVALUATIONS, MIN_GOOD_AUC, MAX_LOST_AUC = 2, 0.9, 0.55  # of an AUC: values, one that is good, one of guessing
LAST_THIRD = 1 / 3  # share of the evaluations whose median is that of guessing


def check(run: Run) -> Iterator[Symptom]:
    """Compare both between the loss's best step and the end, and over the whole run."""
    found = _metric_worsens(run) or _loss_worsens(run) if run.series_of("validation/loss", MIN_POINTS) else []
    yield from found or _ranking_lost(run)


CAUSES_OF_A_WORSE_METRIC = (
    Cause(
        "the metric is computed wrongly",
        0.6,
        "decoding, tokenization or padding in evaluation differs from training",
        "compute the metric by hand on ten validation examples and print the decoded outputs",
    ),
    Cause(
        "the loss does not measure the task",
        0.4,
        "teacher forcing and per-token averages can improve while whole outputs get worse",
        "compare the outputs of an early and a late checkpoint on the same examples",
    ),
)


def _metric_worsens(run: Run) -> list[Symptom]:
    """The loss falls over the run while the task's own metric gets worse: one of them does not measure the task."""
    loss, metric = run.series["validation/loss"], task_metric(run)
    if (
        metric is None
        or run.metric is None
        or len(metric.y) < MIN_POINTS
        or len(loss.y) < MIN_POINTS
        or loss.first - loss.last < MIN_FALL * abs(loss.first)
    ):
        return []
    moved, error = moved_since(run, float(metric.x[min(2, len(metric.x) - 1)])), run.error("validation")
    if moved is None or error is None or -moved.share < MIN_WORSE or -moved.noises < MIN_NOISES:
        return []
    if abs(moved.gain) < MIN_WORSE_SHARE * float(np.max(np.abs(metric.y))) or _rank_correlation(error) < MIN_TREND:
        return []
    name, (first, last) = series_in_words(run.metric.name), metric.in_log_unit(metric.initial, metric.final)
    before, after = distinct(loss.initial, loss.final)
    return [
        Symptom(
            f"validation loss fell from {before} to {after}, but {name} got worse, from {first} to {last}: check how {name} is computed",
            SEVERAL_SIGNS,
            {"loss_first": loss.initial, "loss_last": loss.final, "metric_change": -moved.gain},
            series=metric.name,
            step=metric.last_step,
            span=metric.span,
            severity=Severity.WARNING,
            causes=CAUSES_OF_A_WORSE_METRIC,
            remedies=("check-the-metric", "stop-on-the-metric"),
        )
    ]


def _ranking_lost(run: Run) -> list[Symptom]:
    """An AUC that was good and ends no better than a coin while the training loss does not rise, however few evaluations show it."""
    auc, loss = run.series_of("validation/auc", MIN_EVALUATIONS), run.series_of("train/loss", MIN_POINTS)
    if auc is None or loss is None or auc.final > MAX_LOST_AUC or auc.high < MIN_GOOD_AUC:
        return []
    if median(closing(auc.y, LAST_THIRD, 1)) > MAX_LOST_AUC:  # of few examples, single values may be anything
        return []
    best = float(auc.x[int(np.argmax(auc.y))])
    then = float(np.interp(best, loss.x, loss.y))
    if loss.final > then:
        return []
    good, lost = auc.in_log_unit(auc.high, auc.final)
    return [
        Symptom(
            f"validation AUC fell from {good} at {run.place(best)} to {lost}, no better than guessing, while training loss did not rise (it ends at {number(loss.final)}): check how AUC is computed",
            SEVERAL_SIGNS,
            {"best": auc.high, "last": auc.final},
            series=auc.name,
            step=auc.last_step,
            span=(best, auc.last_step),
            severity=Severity.WARNING,
            causes=CAUSES_OF_A_WORSE_METRIC,
            remedies=("check-the-metric", "stop-on-the-metric"),
        )
    ]


def _rank_correlation(series: Series) -> float:
    """Spearman's correlation of a series with time: 1 where it only rises."""
    ranks = np.argsort(np.argsort(series.y, kind="stable"), kind="stable")
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])


def _loss_worsens(run: Run) -> list[Symptom]:
    """The loss rises after its best while the metric still improves."""
    loss, error = run.series["validation/loss"], run.error("validation")
    if (
        error is None
        or run.metric is None
        or len(error.y) < MIN_POINTS
        or loss.last - loss.best < MIN_RISE * reach(run)
    ):
        return []
    moved = moved_since(run, loss.best_step)
    if moved is not None:
        improved = moved.share > MIN_RISE and moved.noises > MIN_NOISES
    else:
        then = error.y[error.x <= loss.best_step]
        gained = float(then[-3:].mean()) - error.last if len(then) else 0.0
        improved = run.judged_by_share and gained >= MIN_GAIN + error.noise
    at_best = float(np.interp(loss.low_step, error.x, error.y))
    if not improved or loss.final <= loss.low or error.final >= at_best:  # the message names these values
        return []
    metric = run.series[f"validation/{run.metric.name}"]
    best, last = distinct(loss.low, loss.final)
    first, end = metric.in_log_unit(metric.initial, metric.final)
    return [
        Symptom(
            f"{series_in_words(run.metric.name)} still improved (to {end}) as validation loss rose: the loss goes from {best} (best, {run.place(loss.low_step)}) to {last} and {series_in_words(run.metric.name)} from {first} to {end} over the run, so choose the checkpoint by the metric",
            TYPICAL,
            {"loss_rise": loss.final - loss.low, "metric_first": metric.initial, "metric_last": metric.final},
            series="validation/loss",
            step=loss.low_step,
            span=(loss.low_step, loss.last_step),
            remedies=("stop-on-the-metric", "label-smoothing"),
        )
    ]


RULE = Rule(
    code="NN006",
    name="loss-and-metric-disagree",
    severity=Severity.INFO,
    title="validation loss and metric disagree",
    needs={"validation/loss|validation/auc": MIN_EVALUATIONS, "validation/metric": MIN_EVALUATIONS},
    check=check,
    why="Cross-entropy punishes confident mistakes that accuracy does not see, so the loss can rise while more answers are right. A loss that falls while the task's own metric gets worse points to a fault in how the metric is computed.",
    how=f"From the best loss to the end, the loss rose by {percent(MIN_RISE)} of its total decrease while the metric improved by {100 * MIN_GAIN:g} points or more: information. The loss fell by {percent(MIN_FALL)} while the task's own metric (BLEU, word error rate, mAP, Dice …) got steadily worse over the run: a warning; so is an AUC that was {MIN_GOOD_AUC:g} or better and is {MAX_LOST_AUC:g} or less in the last third of the evaluations while the training loss did not rise.",
    sources=(
        Reference("Guo et al., On Calibration of Modern Neural Networks, 2017", "https://arxiv.org/abs/1706.04599"),
    ),
    remedies=("check-the-metric", "stop-on-the-metric", "label-smoothing"),
    sick=(
        Run.drawn(
            train_loss="2.3..0.1*10",
            validation_loss="2.3 1.5 1.1 1.0 1.1 1.2 1.3 1.4 1.5 1.6",
            validation_accuracy="0.2 0.4 0.6 0.64 0.66 0.68 0.7 0.72 0.74 0.75",
        ),
        Run.drawn(train_loss="4.4..1.1*10", validation_loss="4.6..1.8*10", validation_bleu="23..6*10"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3..0.1*10", validation_loss="2.3..0.5*10", validation_accuracy="0.2..0.8*10"),
        Run.drawn(train_loss="4.4..1.1*10", validation_loss="4.6..1.8*10", validation_bleu="6..23*10"),
        Run.drawn(
            train_loss="2.3..0.1*10",
            validation_loss="2.3..0.5*10",
            validation_bleu="18 21 20 23 22 21.5 22.5 21 22 21.8",
        ),
    ),
)

"""The network does much better on its training examples than on new ones."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import confidence_between, has_moved, reach
from nndoctor.analysis.gap import shared, upto
from nndoctor.analysis.loss_parts import Part, memorized_part
from nndoctor.analysis.unlogged_causes import no_signal
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import LOSS_OVERFITS, in_order, overfitting_unlikely

GAP = 0.10  # points of error; AUTOTRAINER's limit, no false alarm on any healthy run replayed against it
FINE = 0.09  # where the training error is under 10 %: the gap is then most of the error
SMALL = 0.05  # a gap in points so small that a gap in loss may be confidence only
CONFIDENT = 0.6  # of the reach, beside it: too much for that
FITS = 0.9  # of a positive validation loss: a gap so large needs no start without one
WIDE = 0.15  # points where the training error is not near zero and validation still improves: it may only lag behind
FITTED = 0.015  # training error
WIDE_LOSS = 0.4  # of a positive validation loss, likewise
LATE = 0.8  # of the run: a validation loss whose best lies later still improves
LOSS = 0.25  # of the reach, where no error is logged
RELATIVE = 0.28  # of a positive validation loss: less is information, as a run that learned little has a short way to compare with
FEW = 4  # evaluations
TEXT = (
    1 / 3
)  # of the validation loss of a tuned language model, which is then 1.5 times that of its examples: they are partly memorized
SETTLED = 0.03  # of the validation loss: a smaller fall over the last third of the evaluations is none
NOISY = 0.4  # of the confidence is lost where the noise is as large as the gap
OWN = 0.30  # of the validation loss's excess over the best seen


def check(run: Run, gap: float = GAP, fine: float = FINE, loss: float = LOSS) -> Iterator[Symptom]:
    """Compare errors where both splits log one, losses else."""
    if run.judged_by_share and _both(run, "metric"):
        train, validation = shared(run, "metric")
        seen = validation.last - train.last
        limit = fine if train.last < 0.10 else gap
        if seen >= limit and seen > 2.5 * validation.noise / min(len(validation.y), 10) ** 0.5:
            yield _by_error(run, train, validation, limit)
            return
        loss = max(loss, CONFIDENT) if seen < SMALL else loss
    if workload(run) is Workload.DETECTION and (part := memorized_part(run)) is not None:
        yield _by_part(part)
        return
    if _both(run, "loss"):
        yield from _by_loss(run, loss)


def _by_part(part: Part) -> Symptom:
    theirs = part.train if part.validation is None else part.validation
    return Symptom(
        f"{theirs.column} ends at {number(theirs.final)}, {part.train.column} at {number(part.train.final)}, "
        "and the metric no longer improves: this part of the loss is memorized",
        TYPICAL,
        {"train_part": part.train.last, "validation_part": theirs.last},
        series=theirs.name,
        step=float(theirs.x[-1]),
        span=(float(theirs.x[len(theirs.y) * 3 // 4]), float(theirs.x[-1])),
    )


def _both(run: Run, measure: str) -> bool:
    curves = [run.get(f"{split}/{measure}") for split in ("train", "validation")]
    return all(series is not None and len(series.y) > 0 for series in curves)


def _by_error(run: Run, train: Series, validation: Series, limit: float) -> Symptom:
    name = run.metric.name if run.metric is not None else ""
    seen = validation.last - train.last
    ours, theirs = run.series[f"train/{name}"], run.series[f"validation/{name}"]
    words = name.replace("_", " ")
    lags = train.last > FITTED and seen < WIDE and _improves(run)
    return Symptom(
        f"validation {words} {_ends(theirs, upto(ours, theirs), words)}: a gap of {100 * seen:.0f} points",
        _steady(confidence_between(seen, limit, 2.5 * limit), validation, seen),
        {"train_error": train.last, "validation_error": validation.last, "gap": seen},
        series=f"validation/{name}",
        step=float(validation.x[-1]),
        span=(float(validation.x[len(validation.y) * 3 // 4]), float(validation.x[-1])),
        causes=no_signal(run),
        remedies=TREES if workload(run) is Workload.BOOSTING else in_order(run, REMEDIES),
        severity=Severity.INFO if lags or overfitting_unlikely(run) else None,
    )


def _ends(validation: Series, train: Series, name: str) -> str:
    """Both last values, in the log's own unit and digits."""
    return (
        f"ends at {number(validation.final / validation.scale)}, training {name} at {number(train.final / train.scale)}"
    )


def _steady(sure: float, validation: Series, gap: float) -> float:
    """Less sure where single readings of validation jump by much of the gap: its noise is to be mended first."""
    return sure * (1 - NOISY * min(validation.noise / gap, 1.0))


def _improves(run: Run) -> bool:
    """Whether the validation loss is at its best in the last fifth of the run."""
    validation = run.series.get("validation/loss")
    return validation is not None and len(validation.y) > 1 and validation.share_of_run(validation.best_step) > LATE


def _by_loss(run: Run, loss: float) -> Iterator[Symptom]:
    train, validation = shared(run)
    if len(train.y) < 3 or len(validation.y) < FEW:
        return
    gap = validation.last - train.last
    small = min(train.low, validation.low) > 0 and gap < (WIDE_LOSS if _improves(run) else RELATIVE) * validation.last
    share = max(gap / reach(run), _of_text(run, gap, validation))
    if not has_moved(run) or share < loss or not _stands_out(gap, train, validation):
        return
    opened = gap - max(validation.first - train.first, 0.0)
    fits = train.low >= 0 and gap > FITS * validation.last and share > CONFIDENT
    if opened < 0.5 * gap and not fits:
        return
    yield Symptom(
        f"validation loss {_ends(validation, train, 'loss')}: a large generalization gap",
        _steady(confidence_between(share, loss, loss + 0.35), validation, gap),
        {"train_loss": train.last, "validation_loss": validation.last, "gap": gap, "reach": reach(run)},
        series="validation/loss",
        step=float(validation.x[-1]),
        span=(float(validation.x[len(validation.y) * 3 // 4]), float(validation.x[-1])),
        causes=no_signal(run),
        remedies=TREES if workload(run) is Workload.BOOSTING else in_order(run, REMEDIES),
        severity=Severity.INFO if small or overfitting_unlikely(run, LOSS_OVERFITS) else None,
    )


def _stands_out(gap: float, train: Series, validation: Series) -> bool:
    """Whether the gap is a good part of what the validation loss lost since its best, and above its noise."""
    excess = validation.last - min(train.best, validation.best)
    noise = validation.noise / min(len(validation.y), 10) ** 0.5
    return bool(gap >= max(OWN * excess, 3 * noise))


def _of_text(run: Run, gap: float, validation: Series) -> float:
    """The gap of a language model as a share of its validation loss, once that no longer falls.

    A tuned model comes far down by learning the format of its examples, which says nothing of what it memorized since.
    """
    late = validation.y[-max(len(validation.y) // 3, 2) :]
    settled = float(late[0] - late[-1]) < SETTLED * validation.last
    kind = workload(run) is Workload.FINE_TUNING
    return gap / validation.last if kind and settled and gap > TEXT * validation.last > 0 else 0.0


REMEDIES = ("more-data", "augmentation", "weight-decay", "dropout", "early-stopping", "smaller-network")
TREES = ("smaller-trees", "stop-adding-trees", "more-data")  # a boosted ensemble has no dropout and no weight decay

RULE = Rule(
    code="NN102",
    name="high-variance",
    severity=Severity.WARNING,
    title="validation error is far above training error",
    needs={"train/metric|train/loss": 1, "validation/metric|validation/loss": 1},
    check=check,
    why="The network fits its training examples much better than new ones. More data or more regularization closes the gap; a larger network or more training does not.",
    how=f"A gap of {100 * GAP:.0f} points of error, {100 * FINE:.0f} where training error is under 10%, over the last tenth of the run (information under {100 * WIDE:.0f} points where validation still improves and training is not at zero). Where no error is logged: a gap in loss of a quarter of the total decrease in loss, which opened during training (information under {percent(RELATIVE)} of a positive validation loss, or {percent(WIDE_LOSS)} where that still improves). Where the errors differ by less than {100 * SMALL:.0f} points: {percent(CONFIDENT)} of the total decrease. For fine-tuning, once the validation loss no longer falls: {percent(TEXT)} of that loss. Of a detector: a part of the validation loss that is three times the same part in training, which has fallen to a tenth, while the metric no longer improves.",
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
    suppressed_by=("loss-and-metric-disagree", "nan-loss", "diverged", "plateau-at-start", "sawtooth-epochs"),
    limits={"gap": GAP, "fine": FINE, "loss": LOSS},
)

"""The loss takes a value that it cannot take."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.chance import BY_CHANCE, classes
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, median

FITTED = 0.9  # accuracy that a loss of zero may have
MIN_POINTS = 3  # accuracies
LOW_ACCURACY = 0.6  # accuracy that a network which learned exceeds
UNBOUNDED = 1e4  # times the size of the first loss, or 1, by which no loss of a density falls below zero
# Parts of a detector's loss: one minus an overlap, or a cross-entropy.
NEVER_NEGATIVE = tuple(f"train/{part}_loss" for part in ("box", "bbox", "iou", "giou", "cls", "class", "dfl", "obj"))
# Parts that are the negative log-likelihood of a sequence of symbols, as ESPnet names them: at least 0.
OF_SEQUENCES = tuple(f"train/{part}_loss" for part in ("ctc", "main_ctc", "rnnt", "transducer", "main_trans"))
ROUNDING = 0.001  # nats by which rounding may leave a likelihood of 1 below zero
MIN_SEQUENCE_POINTS = 5  # values of such a part
MAX_RANGE = 0.03  # by which an accuracy that does not change varies


def check(run: Run) -> Iterator[Symptom]:
    """Look for a loss below zero, or exactly zero, while the accuracy does not change."""
    yield from _negative_part(run)
    loss = run.series["train/loss"]
    stuck = _stuck(run) if loss.last <= 0 else None
    at = loss.last_step
    if loss.last < 0 and loss.last < loss.first and stuck:
        text = f"the training loss falls to {number(loss.last)} while the accuracy does not move: this loss does not measure what the network should do"
        yield Symptom(
            text,
            MEASURED,
            {"last": loss.last, "accuracy": stuck},
            series="train/loss",
            step=at,
            span=(loss.first_step, at),
        )
    elif loss.last < -UNBOUNDED * max(abs(loss.initial), 1.0) and len(loss.y) >= MIN_POINTS:
        yield Symptom(
            f"the training loss falls without limit, from {number(loss.initial)} to {number(loss.final)}: a part of it has the wrong sign, or this loss does not fit the output",
            MEASURED,
            {"first": loss.initial, "last": loss.final},
            series="train/loss",
            step=at,
            span=(loss.first_step, at),
        )
    elif loss.last == 0 and stuck and stuck < FITTED:
        text = f"the training loss is exactly zero while the accuracy is {number(stuck)}"
        yield Symptom(
            text, MEASURED, {"last": 0.0, "accuracy": stuck}, series="train/loss", step=at, span=(loss.first_step, at)
        )


def _negative_part(run: Run) -> Iterator[Symptom]:
    """A part of a detector's loss that is below zero throughout."""
    parts = (run.series_of(name, MIN_POINTS) for name in NEVER_NEGATIVE)
    part = next((series for series in parts if series is not None and series.high < 0), None)
    if (likelihood := _negative_likelihood(run)) is not None:
        yield likelihood
    if part is not None and workload(run) is Workload.DETECTION:
        text = f"{part.column} is negative in all {len(part.y)} values (last {number(part.final)}): one minus an overlap, and a cross-entropy, cannot be"
        yield _negative(part, text, {"highest": part.high})


def _negative_likelihood(run: Run) -> Symptom | None:
    """A likelihood of a sequence that is above 1 in most of the values."""
    parts = (run.series_of(name, MIN_SEQUENCE_POINTS) for name in OF_SEQUENCES)
    part = next((s for s in parts if s is not None and median(s.y) < 0 and s.low < -ROUNDING), None)
    if part is None:
        return None
    text = f"{part.column} is negative in {int((part.y < 0).sum())} of {len(part.y)} values (lowest {number(part.low)}): a negative log-likelihood cannot be"
    return _negative(part, text, {"lowest": part.low}, ("fit-loss-to-output", "check-labels"))


def _negative(series: Series, text: str, extreme: dict[str, float], remedies: tuple[str, ...] = ()) -> Symptom:
    """What is said of a loss that is below zero, with its value that shows it best."""
    evidence = {**extreme, "last": series.last}
    return Symptom(
        text, MEASURED, evidence, series=series.name, step=series.last_step, span=series.span, remedies=remedies
    )


def _stuck(run: Run) -> float | None:
    """The last accuracy, above zero, of a run whose accuracy never changes and stays low or near that of guessing; else None."""
    accuracy = run.series_of("train/accuracy|validation/accuracy", MIN_POINTS)
    if accuracy is None:
        return None
    count = classes(run)
    limit = max(LOW_ACCURACY, BY_CHANCE / count) if count else LOW_ACCURACY
    still = accuracy.high - accuracy.low < MAX_RANGE
    return max(accuracy.last, TINY) if still and accuracy.last < limit else None


RULE = Rule(
    code="NN307",
    name="impossible-loss",
    severity=Severity.ERROR,
    title="the loss takes a value that it cannot take",
    needs={"train/loss": 3},
    check=check,
    why="A cross-entropy or a squared error cannot be negative. A loss that falls without limit while nothing is learned is the wrong loss for this output or these targets.",
    how=f"The loss is negative or exactly zero while the accuracy does not change and is under {percent(LOW_ACCURACY)}; or it ends at {-UNBOUNDED:,.0f} times the size of its first value or lower; or a part of a detector's loss (an overlap's, a class's, a distance's) is negative throughout, or the loss of a CTC or a transducer is negative in most values. The negative log-likelihood of a density may be negative and is not reported.",
    sources=(
        Reference(
            "Cao et al., DeepFD, ICSE 2022; Stack Overflow 50079585: loss at -2e8, accuracy at chance",
            "https://stackoverflow.com/questions/50079585",
        ),
    ),
    remedies=("fit-loss-to-output", "check-the-step", "check-labels"),
    sick=(
        Run.drawn(train_loss="-6286 -20000 -1e6 -2e7 -1.9e8", train_accuracy="0.33 0.33 0.331 0.33 0.33"),
        Run.drawn(
            train_loss="7.8 7.6 7.5 7.4", train_box_loss="-0.23 -0.22 -0.21 -0.2", train_cls_loss="5 4.9 4.8 4.7"
        ),
        Run.drawn(train_loss="0.02 -0.01 0.03 -0.04 -0.02 -0.03", train_ctc_loss="0.02 -0.01 0.03 -0.04 -0.02 -0.03"),
        Run.drawn(train_loss="27.3 -5e5 -1.2e12 -3.6e18 -3.5e20 -3.8e20"),
        Run.drawn(train_loss="0.5 0.2 0.05 0.001 0 0", train_accuracy="0.33 0.33 0.331 0.33 0.33 0.33"),
    ),
    healthy=(
        Run.drawn(train_loss="2400 300 -900 -1500 -1700 -1750"),
        Run.drawn(train_loss="0.9 0.1 -0.6 -1.1 -1.4 -1.5"),
        Run.drawn(train_loss="2 0.3 0 0 0 0 0", train_ctc_loss="2 0.3 0 -1e-7 -1e-7 -1e-7 -1e-7"),
        Run.drawn(train_loss="0.2 0.01 0 0 0", train_accuracy="0.9 0.99 1 1 1"),
    ),
    suppressed_by=("nan-loss", "loss-exactly-zero", "no-weight-changes"),
)

"""The loss is not a number, or infinite."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.layers import Layers
from nndoctor.analysis.liveness import NotFinite, columns_not_finite, not_finite
from nndoctor.analysis.nonfinite import birth, gradient_causes, wildness
from nndoctor.analysis.unlogged_causes import not_reset, resets_gradients
from nndoctor.core.confidence import DIRECT, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import in_all, number, step
from nndoctor.core.metrics import series_in_words
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import LAYER, Run
from nndoctor.core.sanitize import quoted
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY, median

NEAR_BEST = 0.2  # share of what was learned; a loss so near its best is not rising
MIN_CALM = 3  # finite values that show that the loss was falling
MIN_RISEN = 1.2  # times the first training loss, above which the last one has risen
MAX_LEAP = 400.0  # times the value before; a rate far too high multiplies the loss by thousands from one to the next
MIN_LONG = 10  # finite values
MIN_PILED = 1000.0  # times the first value of a loss to which every step adds all gradients before
NOT_RESET = 0.75  # weight of that cause
MIN_BURST = 10.0  # times the median gradient norm
MAX_LOST = 0.5  # share of the values after the first NaN that are lost in a run that recovers
AT_THE_END = 0.99  # confidence: the value is in the log; only a faulty log could be wrong
STOPPED = 0.97  # the same where a message of the log says it, which may be about another value
RECOVERED = 0.8  # the same of a run that goes on, which may have skipped those steps on purpose
NO_USUAL_RATE = 2.0  # optimizers that set their own rate, L-BFGS and Adadelta take 1; others less
# Weights of the learning rate as the cause, by what the loss and the gradient norm did before.
ROSE, FELL, UNKNOWN = 0.7, 0.35, 0.5
DIVERGING = 2.0  # times the loss's fall: a loss that far above its best just before the NaN was already diverging

FIRST = {
    "overflow in half precision": ("full-precision", "rescale-loss", "check-finite-data", "lower-learning-rate"),
    "numbers outside the loss's range": (
        "guard-the-loss",
        "check-finite-data",
        "clip-gradients",
        "lower-learning-rate",
    ),
    "gradients not reset between steps": ("zero-gradients", "lower-learning-rate", "clip-gradients"),
    "NaN in the data": ("check-finite-data", "guard-the-loss", "clip-gradients"),
    "weights too large at the start": ("he-initialization", "clip-gradients", "lower-learning-rate"),
}
"""The remedies in the order that the likeliest cause asks for, where it is not the learning rate."""

RATE_TOO_HIGH = "learning rate too high"

# The remedies where no value was ever finite: data and precision come before any learning rate.
FROM_START = ("check-finite-data", "full-precision", "guard-the-loss", "fix-label-masks", "lower-learning-rate")


def check(run: Run) -> Iterator[Symptom]:
    """Find the first loss that is not finite: training's, validation's, a part's; else what the log's last lines say."""
    lost = _first_lost(run)
    if lost is not None:
        yield _symptom(run, lost)
        return
    column = next((c for c in columns_not_finite(run) if "loss" in c.name.lower() and c.count), None)
    if column is not None:
        yield _of_column(run, column)
        return
    reported = run.facts.get("ended:loss_not_finite")
    if reported is not None and reported.value:
        yield _of_message(run, str(reported.value), reported.line)


def _first_lost(run: Run) -> Series | None:
    """The first loss with a value that is not finite, the whole ones before their parts."""
    named = [n for n in run.series if n.rpartition("/")[2].endswith("loss") and not n.startswith(LAYER)]
    order = sorted(named, key=lambda n: (n != "train/loss", n != "validation/loss"))
    return next((run.series[n] for n in order if not np.isfinite(run.series[n].values).all()), None)


def _symptom(run: Run, series: Series) -> Symptom:
    bad = ~np.isfinite(series.values)
    at = int(np.argmax(bad))
    where = float(series.steps[at])
    recovers = float(bad[at:].mean()) < MAX_LOST and not bad[-1]
    before = [float(v) for v in series.values[:at] if np.isfinite(v)]
    layer, first_seen = _first_seen_in(run)
    led_up = before or _rising_training(run, series)
    gradients = _gradients_lost_before(run, where)
    causes = _causes(run, led_up, where) if gradients is None else gradient_causes(gradients)
    earlier = "" if gradients is None else f"; the gradient norm is NaN from {run.place(gradients.step)} on"
    return Symptom(
        _message(run, series, bad, before, recovers=recovers) + earlier,
        RECOVERED if recovers else AT_THE_END,
        {
            "step": where,
            "last_finite": before[-1] if before else None,
            "not_finite": int(bad.sum()),
            "values": len(bad),
            "first_seen_in": first_seen,
        },
        series=series.name,
        step=where,
        span=(where, float(series.steps[-1])),
        layer=layer,
        causes=causes,
        remedies=_remedies(causes[0].name, from_start=not led_up),
        severity=Severity.WARNING if recovers else None,
    )


def _gradients_lost_before(run: Run, where: float) -> NotFinite | None:
    """The gradient norm, if it was not finite for good before a step: some trainers print 0 for a training loss that is NaN."""
    lost = not_finite(run, "grad_norm")
    return lost if lost is not None and lost.lasts and lost.step < where else None


def _first_seen_in(run: Run) -> tuple[str | None, str | None]:
    """The layer in which values that are not finite were first recorded, and what they were."""
    seen = birth(run)
    if seen is None or seen.lost is None:
        return None, None
    return seen.layer, f"the {seen.what} of {Layers(run).named(seen.layer)} at step {step(seen.step)}"


def _rising_training(run: Run, series: Series) -> list[float]:
    """The training losses up to the end of another loss that is never finite, if they had risen until then; else none."""
    train = run.series.get("train/loss")
    if train is None or train is series:
        return []
    before = [float(v) for v in train.y[train.x <= float(series.steps[-1])]]
    return before if len(before) >= MIN_CALM and before[-1] > MIN_RISEN * before[0] > 0 else []


def _message(run: Run, series: Series, bad: NDArray[np.bool_], before: list[float], *, recovers: bool) -> str:
    """Where the values became NaN or infinite; `before` are the finite ones up to there."""
    at = int(np.argmax(bad))
    name, value = series_in_words(series.name), "NaN" if np.isnan(series.values[at]) else "infinite"
    ending = f"; {int(bad.sum())} of {len(bad)} values in all, and the last one is finite" if recovers else ""
    if bad.all():
        return f"{name} is {value} {in_all(len(bad))}"
    if not before:
        return f"{name} is {value} from the first value on{ending}"
    where = run.place(float(series.steps[at]))
    return f"{name} became {value} at {where} (previous value {number(before[-1])}){ending}"


def _of_column(run: Run, column: NotFinite) -> Symptom:
    """The same of a loss that is no series of the run."""
    many = in_all(column.total) if column.from_start else f"at {run.place(column.step)}"
    causes = _causes(run, [] if column.from_start else [1.0], column.step)
    return Symptom(
        f"{column.name} is NaN {many}",
        DIRECT if column.lasts else TYPICAL,
        {"step": column.step, "not_finite": column.count, "values": column.total},
        step=column.step,
        causes=causes,
        remedies=_remedies(causes[0].name, from_start=column.from_start),
        severity=None if column.lasts else Severity.WARNING,
        line=column.line,
    )


def _of_message(run: Run, text: str, line: int | None) -> Symptom:
    """A run that stopped itself: its last line says why."""
    loss = run.series.get("train/loss")
    before = [float(v) for v in loss.y] if loss is not None else []
    last = f" (last logged value {number(before[-1])})" if before else ""
    where = f" (line {line})" if line else ""
    causes = _causes(run, before, math.inf)
    return Symptom(
        f"the run stopped because its loss is not finite{last}{where}: {quoted(text)}",
        STOPPED,
        {"line": line, "text": text, "last_finite": before[-1] if before else None},
        series="train/loss" if before else None,
        step=loss.last_step if loss is not None and before else None,
        causes=causes,
        remedies=_remedies(causes[0].name, from_start=False),
        line=line,
    )


def _remedies(cause: str, *, from_start: bool) -> tuple[str, ...]:
    """The order of the remedies by the likeliest cause; () for the rule's own, which begins with the learning rate."""
    if from_start and cause != RATE_TOO_HIGH:
        return FROM_START
    return FIRST.get(cause, ())


def _calm(before: list[float]) -> bool:
    """Whether the loss had been falling up to its last finite value, as it does where the learning rate is suitable and an example is bad."""
    return (
        len(before) >= MIN_CALM
        and before[-1] < before[0]
        and before[-1] <= min(before) + NEAR_BEST * (before[0] - min(before))
    )


def _bursts(run: Run, where: float) -> bool:
    """Whether the gradient norm rose far above its median before a step."""
    norm = run.series.get("grad_norm")
    y = norm.y[norm.x <= where] if norm is not None else np.empty(0)
    return len(y) >= MIN_LONG and bool(y[len(y) // 4 :].max() > MIN_BURST * median(y))


def _piles_up(before: list[float]) -> bool:
    """Whether the loss grew a thousandfold without a leap, as where every step adds all gradients before it."""
    if len(before) < MIN_LONG or min(before) <= 0:
        return False
    return max(before) > MIN_PILED * before[0] and all(
        after < MAX_LEAP * earlier for earlier, after in pairwise(before)
    )


def _causes(run: Run, before: list[float], where: float) -> tuple[Cause, ...]:
    pace, calm = wildness(run, where), _calm(before)
    wild = pace.wild or pace.born_wild
    out_of_range = Cause(
        "numbers outside the loss's range",
        (0.1 if wild else 0.5) if pace.measured else 0.3 if before else 0.4,
        "log(0), a division by zero or an overflow in half precision gives NaN at any learning rate",
        "run a few steps with torch.autograd.set_detect_anomaly(True), or in full precision",
    )
    data = Cause(
        "NaN in the data",
        (0.1 if wild else 0.3) if pace.measured else 0.4 if calm else 0.2 if before else 0.35,
        "one bad example is enough" if before else "the very first value is not finite",
        "run isfinite over every input and target",
    )
    if pace.measured:
        return ranked(*pace.causes(), out_of_range, data)
    high = _rate_too_high(run, before, where, calm=calm)
    piled = _piles_up(before) and not resets_gradients(run)
    return ranked(high, out_of_range, data, *((not_reset(NOT_RESET),) if piled else ()))


def _rate_too_high(run: Run, before: list[float], where: float, *, calm: bool) -> Cause:
    """How likely the learning rate is the cause, by its size, and by the course of the loss and of the gradient norm until then."""
    lr, test = run.series_of("lr"), "one run with a tenth of the learning rate"
    rate = lr.high if lr is not None else run.number("given_lr")
    if rate > NO_USUAL_RATE:
        because = f"the learning rate is {number(rate)}, and hardly any optimizer takes more than 1"
        return Cause(RATE_TOO_HIGH, 0.9, because, test)
    because, weight = _course(run, before, where, calm=calm)
    if lr is not None and lr.high:
        because += f"; the learning rate peaked at {number(lr.high)}"
    return Cause(RATE_TOO_HIGH, weight if before else 0.15, because, test)


def _course(run: Run, before: list[float], where: float, *, calm: bool) -> tuple[str, float]:
    """What the loss and the gradient norm did until then, and how likely that makes the learning rate."""
    if _bursts(run, where):
        return "the gradient norm rose to many times its usual size before it", ROSE
    if calm:
        return "the loss was falling until then, but a single step between two logged values may have caused it", FELL
    if len(before) >= 2 and before[-1] - min(before) > DIVERGING * max(before[0] - min(before), TINY):
        return "the loss was rising before it", ROSE
    return "it is the usual cause", UNKNOWN


RULE = Rule(
    code="NN301",
    name="nan-loss",
    severity=Severity.ERROR,
    title="the loss is not a number",
    needs={"train/loss|validation/loss|grad_norm|reward|generator_loss|total_loss|policy_loss|value_loss|lr": 0},
    check=check,
    why="Once a weight is NaN, every later value is NaN: the rest of the run is wasted, and its last checkpoint is useless.",
    how="Any NaN or infinite value of a loss in the log (training, validation, a loss term, an actor, a critic), or a last line that reports one. An empty cell is not a NaN.",
    sources=(
        Reference(
            "CS231n, Babysitting the learning process: 'cost: NaN almost always means high learning rate'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=(
        "lower-learning-rate",
        "clip-gradients",
        "warm-up",
        "check-finite-data",
        "guard-the-loss",
        "full-precision",
    ),
    sick=(
        Run.drawn(train_loss="2.3 1.9 4.1 nan nan nan"),
        Run.drawn(train_loss="nan nan nan"),
        Run.drawn(
            train_loss="3.2 3.1 3.0 0 0 0 0 0", grad_norm="4*3 nan*5", validation_loss="3.1 3.0 2.9 2.9 2.9 nan nan nan"
        ),
    ),
    healthy=(Run.drawn(train_loss="2.3 1.9 1.4 1.2 1.1"),),
    suppressed_by=("nan-in-layer",),
)

"""The learning rate is too high: the loss jumped far above its start, or networks with such curves do better at a lower one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis.chance import GUESSING, chance_loss, classes
from nndoctor.analysis.level import improvement
from nndoctor.analysis.loss_explosion import first_value_exploded, unrecovered_peak
from nndoctor.analysis.measurements import measured
from nndoctor.analysis.rate_rise import MIN_LOST, RateRise, lost_to_rate
from nndoctor.analysis.start import begins_late
from nndoctor.analysis.workload import Workload, of_transformers, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import LOWER_QUARTILE, quantile
from nndoctor.prognosis.findings import HEALTHY_FLAGGED, course, derived_finding, outcome, probability

# The second half of a cross-entropy may be this factor above that of guessing; beyond, it is no noise.
MAX_OF_CHANCE = 1.3
EXPLODES = 100.0  # times the first loss: no noise of a batch takes a loss so far
MIN_EXPLOSIONS = 2  # a single one may be a bad batch, which loss-spikes reports
MAX_CROSS_ENTROPY, MIN_LEFT, MAX_LEFT, MAX_RIGHT = 20.0, 1.0, 7.0, 0.6
"""Guessing among 100 million classes costs 18: a mean cross-entropy beyond 20 exploded. Then the last loss and the last accuracy, from
which on and up to which little was learned since; a loss that is a sum stays large instead."""

MIN_VALUES = 4  # values of the loss below which its second half is not judged
MIN_RISE = 0.2  # rise of the accuracy that shows that the examples are distinguished
MIN_RISES = 0.1  # share of the second half's values that are above the one before, below which a loss is smooth
# Probability of the finding from which a smooth loss has it, too: even below it, 97 of 113 such runs of the zoo confirm it.
SURE_OF_SMOOTH = 0.65
SHARE_HELPED = 0.68  # share of the zoo's 119 runs with such a jump in which a lower learning rate gains more than 0.1
MIN_PROBABLE = 0.4
"""Probability of the finding, by the whole curve, below which a jump is a remark where the loss does not end far above its start: of
19 such runs of the zoo whose loss ends below it, 4 confirm it."""

FAR_ABOVE = 1.5  # times its start, from which on the loss ends far above it
MIN_POSSIBLE = 0.1  # the same probability where it does

UNUSUAL = 0.03  # a peak learning rate ten times that of the recipes for transformer language models with Adam
LEARNED = 0.25  # share of a language model's first loss below which it ends: whatever its rate, it learned its examples
OTHER_SCALE = ("sgd", "adafactor", "muon", "lion", "shampoo")  # optimizers whose rates are of another size than Adam's
REMEDIES = ("lower-learning-rate", "decay-learning-rate", "larger-batch", "warm-up")


def check(run: Run) -> Iterator[Symptom]:
    """Look for a jump that the run did not recover from, then ask the prognosis."""
    loss = run.series["train/loss"]
    if (rise := lost_to_rate(run)) is not None:
        yield _raised_too_far(run, loss, rise)
        return
    jump = _jumped(run, loss) or _jumped_at_first(run, loss) or _explodes_again(loss)
    if jump is not None:
        found: Symptom | None = _weighed(run, jump, far=loss.last > FAR_ABOVE * float(loss.y[0]))
    elif (worse := _worse_than_guessing(run, loss) or _exploded_and_stayed_poor(run, loss)) is not None:
        found = _weighed(run, worse, far=True)
    else:
        found = _derived(run) or _unusual(run, loss)
    if found is not None:
        yield found


def _raised_too_far(run: Run, loss: Series, rise: RateRise) -> Symptom:
    """The rate that the loss was best at, and what became of it as the rate went on rising."""
    best, last = float(loss.y[rise.best]), float(loss.y[-1])
    where = float(loss.x[rise.best])
    return Symptom(
        f"training loss was best ({number(best)}) at {run.place(where)}, with a learning rate of {number(rise.rate)}, and was lost as the rate rose on to {number(rise.last)}: it ends at {number(last)}",
        max(MEASURED, probability(run, "lr-too-high") or 0.0),
        {"best": best, "last": last, "rate_at_best": rise.rate, "last_rate": rise.last},
        series="train/loss",
        step=where,
        span=(where, loss.last_step),
        causes=(
            Cause(
                "learning rate too high",
                1.0,
                "the loss falls under small rates and jumps under larger ones",
                f"one run with a rate of at most {number(rise.rate)}",
            ),
        ),
        remedies=("cap-the-rate", "lower-learning-rate", "clip-gradients"),
    )


def _weighed(run: Run, visible: Symptom, *, far: bool) -> Symptom:
    """What is seen, as probable as the whole curve makes it; a remark where that is little, and the loss does not end `far` above its start."""
    sure = probability(run, "lr-too-high")
    if sure is None:
        return visible
    remark = sure < (MIN_POSSIBLE if far else MIN_PROBABLE)
    return replace(visible, confidence=sure, severity=Severity.INFO if remark else None)


def _unusual(run: Run, loss: Series) -> Symptom | None:
    """A rate far beyond that of any recipe for language models, where little was learned."""
    lr, optimizer = run.series.get("lr"), str(run.fact("optimizer") or "").lower()
    kinds = (Workload.FINE_TUNING, Workload.PRETRAINING)
    large = workload(run) in kinds or (of_transformers(run) and run.metric is None)
    if not large or lr is None or not len(lr.y):
        return None
    if lr.high < UNUSUAL or optimizer.startswith(OTHER_SCALE) or not loss.last > LEARNED * float(loss.y[0]) > 0:
        return None
    model = "language model" if workload(run) in kinds else "transformer"
    return _visible(
        loss,
        f"the learning rate of this {model} peaks at {number(lr.high)}, and recipes with Adam use 0.000001 to 0.003; "
        f"training loss goes from {number(float(loss.y[0]))} to {number(float(loss.y[-1]))}",
        {"peak_rate": lr.high, "first": float(loss.y[0]), "last": loss.last},
        0,
    )


def _derived(run: Run) -> Symptom | None:
    """What the prognosis says of a loss that did not jump; where it hardly rises late, an early explosion may be overcome."""
    found = derived_finding(run, "lr-too-high", "lr/10", REMEDIES, lambda: course(run) + outcome(run, "lr/10"))
    smooth = measured(run)["train_late_rises"] < MIN_RISES
    return None if found is None or (smooth and found.confidence < SURE_OF_SMOOTH) else found


def _jumped(run: Run, loss: Series) -> Symptom | None:
    """The loss jumped far above its start, where the log shows it, and never went far below it again."""
    peak = unrecovered_peak(loss)
    if not peak or begins_late(run) is not None:
        return None
    where, start, high = float(loss.x[peak]), float(loss.y[0]), float(loss.y[peak])
    return _visible(
        loss,
        f"training loss jumped from {number(start)} to {number(high)} at {run.place(where)} and ends at {number(float(loss.y[-1]))}",
        {"first": start, "peak": high, "last": loss.last},
        int(peak),
    )


def _jumped_at_first(run: Run, loss: Series) -> Symptom | None:
    """The first value is far above all others: the loss exploded before it was logged."""
    if not first_value_exploded(run):
        return None
    first, second = float(loss.y[0]), float(loss.y[1])
    return _visible(
        loss,
        f"the first training loss, {number(first)}, is far above the second, {number(second)}: the weights exploded during the first {run.axis}",
        {"first": first, "second": second},
        0,
    )


def _explodes_again(loss: Series) -> Symptom | None:
    """The loss leaves for values far above its start more than once, however well it comes back."""
    high = loss.y > EXPLODES * loss.y[0]
    began = np.flatnonzero(high & ~np.append(False, high[:-1]))
    if loss.low <= 0 or len(began) < MIN_EXPLOSIONS:
        return None
    peak = int(np.argmax(loss.y))
    return _visible(
        loss,
        f"training loss exploded {len(began)} times, from {number(float(loss.y[0]))} at the start to as much as {number(float(loss.y[peak]))}",
        {"explosions": float(len(began)), "first": float(loss.y[0]), "peak": float(loss.y[peak])},
        peak,
    )


def _worse_than_guessing(run: Run, loss: Series) -> Symptom | None:
    """A cross-entropy that stays far above that of guessing on the very examples that it is trained on."""
    chance = chance_loss(run)
    if chance is None or not len(loss.y) >= MIN_VALUES or not run.get("train/accuracy"):
        return None
    guessing = chance if classes(run) is not None else GUESSING
    late = quantile(loss.y[len(loss.y) // 2 :], LOWER_QUARTILE)
    if late < MAX_OF_CHANCE * guessing or _gets_right(run, run.series["train/accuracy"]):
        return None
    return _visible(
        loss,
        f"training loss ends at {number(float(loss.y[-1]))}, far above the {number(guessing)} of random guessing",
        {"last": loss.last, "guessing": guessing},
        int(np.argmax(loss.y)),
    )


def _exploded_and_stayed_poor(run: Run, loss: Series) -> Symptom | None:
    """A cross-entropy that was beyond any guessing, came back to an ordinary size, and left a model that gets little right."""
    right = run.series_of("validation/accuracy") or run.series_of("train/accuracy")
    if right is None or len(loss.y) < MIN_VALUES or loss.high <= MAX_CROSS_ENTROPY:
        return None
    if not MIN_LEFT < loss.last < MAX_LEFT or right.last >= MAX_RIGHT:
        return None
    peak = int(np.argmax(loss.y))
    return _visible(
        loss,
        f"training loss reached {number(float(loss.y[peak]))} at {run.place(float(loss.x[peak]))}, far beyond the loss of random guessing, and ends at "
        f"{number(float(loss.y[-1]))} with an accuracy of {percent(right.final)}",
        {"peak": float(loss.y[peak]), "last": loss.last, "accuracy": right.final},
        peak,
    )


def _gets_right(run: Run, accuracy: Series) -> bool:
    """Whether the accuracy rises well: a loss that is so large is then a sum, and has no level of guessing."""
    return classes(run) is None and improvement(accuracy, higher=True) > MIN_RISE


def _visible(loss: Series, message: str, evidence: dict[str, float], at: int) -> Symptom:
    cause = Cause(
        "learning rate too high",
        1.0,
        "a suitable step size would not move the loss this far",
        "one run with a tenth of the learning rate",
    )
    where = float(loss.x[at])
    return Symptom(
        message,
        SHARE_HELPED,
        evidence,
        series="train/loss",
        step=where,
        span=(where, float(loss.x[-1])),
        causes=(cause,),
    )


RULE = Rule(
    code="NN202",
    name="lr-too-high",
    severity=Severity.WARNING,
    title="the learning rate is too high",
    needs={"train/loss": 4},
    check=check,
    why="Steps that are too large overshoot the minimum: the loss settles at a poor level, oscillates, or diverges.",
    how=f"The loss jumped to three times its start or more and did not recover, or a cross-entropy stays more than {MAX_OF_CHANCE:g} times that of random guessing, or was above {MAX_CROSS_ENTROPY:g} and leaves an accuracy under {percent(MAX_RIGHT)}. A language model's learning rate peaks at {UNUSUAL:g} or more, with no optimizer but Adam named, and its loss ends above {percent(LEARNED)} of its start. Or the learning rate rises to the end, and the loss that was best under a lower one loses {percent(MIN_LOST)} of what was learned. Otherwise the prognosis compares the curve with retrained networks and reports the finding where a tenth or a hundredth of the learning rate is likely to gain at least a quarter of the possible improvement; its threshold flags at most {percent(HEALTHY_FLAGGED)} of healthy runs on workloads that it was not trained on.",
    sources=(
        Reference(
            "CS231n: high rates 'decay the loss faster, but get stuck at worse values of loss'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
        Reference(
            "Bengio, Practical Recommendations for Gradient-Based Training, 2012, section 3.1",
            "https://arxiv.org/abs/1206.5533",
        ),
    ),
    remedies=(*REMEDIES, "cap-the-rate", "clip-gradients"),
    sick=(
        Run.drawn(
            train_loss="0.8863 0.3593 0.7808 0.8486 0.8272 1.145 1.039 0.9607 0.8051 1.128 0.9337 0.9261 1.211 1.261 0.8538 0.76 0.8841 1.049 0.882 0.8068",
            validation_loss="0.2095 0.4433 1.292 0.6063 1.208 1.09 1.528 0.617 1.158 1.006 0.7415 1.177 1.024 1.059 0.5202 1.163 0.9861 0.9414 0.7815 0.7674",
            lr="0.09258 0.1877*19",
        ),
        Run.drawn(train_loss="2.29 6000 63000 2.1 2.5 33000 2.2 2.3 2.0 1.95"),
        Run.drawn(train_loss="2.3..0.5*10 0.9 2.2 3.1 2.9 3.3 2.8 3.0 3.2", lr="0.0001..10*18"),
        Run.drawn(train_loss="2.3 2.9 5.8 5.2 5.5 4.9 5.1 4.8 5.0 4.9 4.7 4.8"),
    ),
    healthy=(
        Run.drawn(train_loss="2.3 1.4 1.1 0.9 0.95 0.8 0.78 0.8 0.74 0.72 0.73 0.7"),
        Run.drawn(train_loss="2.3 1.2 0.9 0.8 3.1 0.8 0.7"),
        Run.drawn(
            train_loss="2.3 1.2 0.9 0.8 3.1 0.9 0.8 0.72 0.68 0.65",
            validation_loss="2.1 1.2 1.0 0.9 2.6 1.0 0.9 0.85 0.83 0.82",
        ),
    ),
    suppressed_by=("sawtooth-epochs", "resume-jump", "plateau-at-start", "no-weight-changes", "codebook-collapse"),
)

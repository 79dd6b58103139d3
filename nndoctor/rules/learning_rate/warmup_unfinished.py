"""The run ended while the learning rate was still warming up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.prognosis.findings import certain, course, reported

MIN_RISING = 0.8  # share of the steps in which the rate rises
NEAR_PEAK = 0.999  # share of its peak at which the rate ends, but for rounding
MIN_WARNING_POINTS = 8  # values; with fewer the run may only have begun
MIN_WARNING_STEPS = 20  # the same of a log of steps: those of a warmup are often all that is shown of a run
MIN_GROWTH = 2.0  # times the first rate, at least
MIN_RATES = 5
MIN_FASTER = 1.5  # times the fall of the first half; in a linear warmup the second half falls three times as far, at a constant rate as far
MIDDLE = (0.4, 0.6)  # shares of the run between which lies the level that halves its fall in time

SURE = 0.8
"""Probability of the finding from which a slow start shows it in a log without a learning rate: of 20 such runs of the zoo, 16
confirm it."""


def check(run: Run) -> Iterator[Symptom]:
    """The rate is at its highest at the end, and has risen all along; without a rate in the log, ask the prognosis."""
    lr = run.series.get("lr")
    found = _without_rate(run) if lr is None else _rising(run, lr) if len(lr.y) >= MIN_RATES else None
    if found is not None:
        yield found


def _without_rate(run: Run) -> Symptom | None:
    """A loss that falls faster in the second half than in the first, as curves of retrained networks during a warmup do."""
    loss, sure = run.series["train/loss"], certain(run, "warmup-unfinished", SURE)
    middle = loss.level(*MIDDLE)
    faster = middle - loss.last >= MIN_FASTER * (loss.first - middle)
    if sure is None or reported(run, "lr-too-low") is None or not faster:
        return None
    return Symptom(
        f"{course(run)}, falling faster in the second half, as in a warmup that never ended; the log holds no learning rate to confirm it",
        sure,
        {"first": loss.first, "middle": middle, "last": loss.last},
        series="train/loss",
        step=loss.last_step,
        span=loss.span,
    )


def _rising(run: Run, lr: Series) -> Symptom | None:
    rises = np.diff(lr.y) > 0
    if (
        lr.final < NEAR_PEAK * lr.high
        or lr.final < MIN_GROWTH * lr.initial
        or rises[-max(2, len(rises) // 5) :].mean() < MIN_RISING
    ):
        return None
    share = float(rises.mean())
    if share < MIN_RISING:
        return None
    return Symptom(
        f"the learning rate was still rising at the end ({number(lr.initial)} → {number(lr.final)}): the run never left its warmup",
        MEASURED,
        {"first_lr": lr.initial, "last_lr": lr.final, "rising_share": round(share, 3)},
        series="lr",
        step=lr.last_step,
        span=lr.span,
        severity=Severity.INFO if _may_only_have_begun(run, lr) else None,
    )


def _may_only_have_begun(run: Run, lr: Series) -> bool:
    """Whether so few values may be the opening of a run; the steps of a warmup that is evaluated twice are not."""
    excerpt = run.axis == "step" and run.series_of("validation/loss", 2) is None
    return len(lr.y) < (MIN_WARNING_STEPS if excerpt else MIN_WARNING_POINTS)


RULE = Rule(
    code="NN205",
    name="warmup-unfinished",
    severity=Severity.WARNING,
    title="the run ended during warmup",
    needs={"train/loss": 3},
    check=check,
    why="A warmup longer than the run trains at a fraction of the intended learning rate throughout; the loss shows the warmup, not the model.",
    how=f"The learning rate is highest at the end, at least {MIN_GROWTH:g} times its initial value, and rose in {percent(MIN_RISING)} of the steps; information if there are fewer than {MIN_WARNING_POINTS} values, or than {MIN_WARNING_STEPS} of a log of steps without evaluations. Where the log holds no learning rate, the prognosis must find the rate too low, and be {percent(SURE)} sure that the loss falls as in a warmup, and the second half must fall {MIN_FASTER:g} times as far as the first.",
    sources=(
        Reference("Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.2", "https://arxiv.org/abs/1706.02677"),
    ),
    remedies=("shorten-warm-up", "check-warm-up-unit"),
    sick=(Run.drawn(train_loss="2.3..1.6*12", lr=" ".join(str(k / 100) for k in range(1, 13))),),
    healthy=(
        Run.drawn(train_loss="2.3..0.5*12", lr="0.01 0.05 0.1*6 0.05 0.02 0.01 0.001"),
        Run.drawn(train_loss="3.545 3.4278 3.3126 3.1984 3.0855 2.9748 2.8572 2.7379 2.6065 2.4619"),
    ),
    suppressed_by=(
        "nan-loss",
        "diverged",
        "lr-too-high",
        "gradients-not-finite",
        "loss-exactly-zero",
        "loss-scale-collapse",
        "out-of-memory",
        "process-died",
    ),
)

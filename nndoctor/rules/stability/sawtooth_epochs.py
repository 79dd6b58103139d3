"""The loss repeats the same pattern every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import confidence_between, reach
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, bins, quantile

MIN_CORRELATION = 0.45  # correlation of the pattern with itself one period later
CHANCE_ERRORS = 2.5  # standard deviations of the best of many lags, each 1/sqrt(n) in noise
CERTAIN = 0.95  # correlation from which there is no doubt
TREND_MEDIANS = 12  # medians that the trend is drawn through
MAX_POINTS = 4096  # last values that are searched for a period
NEARLY_AS_ALIKE = 0.85  # share of the best correlation
MIN_PERIODS = 4  # periods in the values
MIN_LAG, MIN_LAGS = 5, 8  # points of the shortest period, and lags that are compared
TOLERANCE = 20  # part of a lag within which a shorter one is searched for
LOW, HIGH = 0.05, 0.95  # quantiles of the wave between which its amplitude is measured
LOWEST, HIGHEST = 0.02, 0.98  # quantiles at which its peaks are cut
MAX_EPOCHS = 1.5  # a pattern that takes longer is not the order of the examples
MIN_RESTARTS = 2  # rises of the learning rate after it had fallen
MIN_AMPLITUDE = 0.08  # share of the reach; a smaller wave is harmless


def check(run: Run) -> Iterator[Symptom]:
    """Look for a period in what is left of the loss when its trend is taken away."""
    loss = run.series["train/loss"]
    wave = _wave(loss)
    height = quantile(wave, HIGH) - quantile(wave, LOW)
    if height < MIN_AMPLITUDE * reach(run):
        return
    period, alike = max((_period(_wave(series)) for series in _seen_by(run, loss)), key=lambda found: found[1])
    alike_enough = MIN_CORRELATION + CHANCE_ERRORS / math.sqrt(len(wave))
    if alike < alike_enough or len(wave) < MIN_PERIODS * period:
        return
    steps = period * loss.length / max(len(loss.x) - 1, 1)
    if _restarts(run) or (run.axis == "epoch" and steps > MAX_EPOCHS):
        return
    yield Symptom(
        f"training loss repeats the same rise and fall every {steps:.0f} {run.axis}s, as if the examples came in the same order in each epoch",
        confidence_between(alike, alike_enough, CERTAIN),
        {"period_steps": steps, "correlation": round(alike, 3), "height": height},
        series="train/loss",
        step=float(loss.x[-period]),
        span=(float(loss.x[-min(3 * period, len(loss.x))]), loss.last_step),
    )


def _restarts(run: Run) -> bool:
    """Whether the learning rate rises again and again, as with warm restarts and cyclical rates: the loss rises with it."""
    lr = run.series_of("lr", MIN_LAGS)
    if lr is None:
        return False
    change = np.diff(lr.y)
    rises = np.diff(np.sign(change[change != 0])) > 0  # after it had fallen
    return int(rises.sum()) >= MIN_RESTARTS


def _seen_by(run: Run, loss: Series) -> list[Series]:
    """The loss, and the training error where it is logged for the same steps: it oscillates as far in every epoch."""
    error = run.error("train")
    return [loss, error] if error is not None and len(error.y) == len(loss.y) else [loss]


def _wave(series: Series) -> Array:
    """What is left of the last values without their trend."""
    y = series.y[-MAX_POINTS:]
    at = np.arange(len(y), dtype=np.float64)
    return (y - np.interp(at, *bins(at, y, TREND_MEDIANS)))[len(y) // 10 :]


def _period(wave: Array) -> tuple[int, float]:
    """The lag of five points or more at which the wave, its peaks cut, looks most like itself, past its first zero crossing."""
    cut = np.clip(wave, quantile(wave, LOWEST), quantile(wave, HIGHEST))
    centred = cut - cut.mean()
    n = len(centred)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[: n // MIN_PERIODS + 1] / np.arange(n, n - n // MIN_PERIODS - 1, -1)
    if len(correlation) < MIN_LAGS or correlation[0] <= 0:
        return 1, 0.0
    correlation = correlation / correlation[0]
    below = np.flatnonzero(correlation < 0)
    first = max(int(below[0]) if len(below) else len(correlation), MIN_LAG)
    if first >= len(correlation):
        return 1, 0.0
    lag = _shortest(correlation, first, first + int(np.argmax(correlation[first:])))
    return lag, float(correlation[lag])


def _shortest(correlation: Array, first: int, lag: int) -> int:
    """The smallest part of a lag at which the wave looks almost as alike: of a period, its multiples do as well."""
    for parts in range(lag // first, 1, -1):
        near = max(lag // (TOLERANCE * parts), 1)
        low = max(lag // parts - near, first)
        found = low + int(np.argmax(correlation[low : lag // parts + near + 1]))
        if correlation[found] > NEARLY_AS_ALIKE * correlation[lag]:
            return found
    return lag


RULE = Rule(
    code="NN305",
    name="sawtooth-epochs",
    severity=Severity.WARNING,
    title="the loss repeats itself every epoch",
    needs={"train/loss": 40},
    check=check,
    why="A loss that rises and falls with the epoch means that the batches differ systematically: the data are sorted, by class or by source. In each block the network forgets what it learned in the one before.",
    how=f"After removing the trend, the autocorrelation of the loss or the training error at one period is above {MIN_CORRELATION:g}, and above that of noise of this length, over at least {MIN_PERIODS} periods, with an amplitude of {percent(MIN_AMPLITUDE)} of the total decrease in loss. A pattern of several epochs, or one under a learning rate that rises again and again, is no sawtooth.",
    sources=(
        Reference(
            "Bengio, Practical Recommendations for Gradient-Based Training, 2012, section 2",
            "https://arxiv.org/abs/1206.5533",
        ),
    ),
    remedies=("shuffle",),
    sick=(Run.drawn(train_loss=" ".join("2.0 1.6 1.3 1.0 0.8 1.1 1.5 1.9" for _ in range(12))),),
    healthy=(
        Run.drawn(train_loss="2.3..0.3*80"),
        Run.drawn(
            train_loss=" ".join("2.0 1.6 1.3 1.0 0.8 1.1 1.5 1.9" for _ in range(12)),
            lr=" ".join("0.1 0.08 0.06 0.04 0.03 0.02 0.01 0.05" for _ in range(12)),
        ),
    ),
    suppressed_by=("nan-loss", "plateau-at-start"),
)

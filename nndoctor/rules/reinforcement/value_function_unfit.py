"""The value function explains nothing of the returns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nndoctor.analysis.reinforcement import improves, size_of_updates, solved
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array, closing, median, opening, quantile

START = 0.4  # share of the run in which a value function may still be at its start
END = 0.2  # share of the run at its end
MAX_EXPLAINED = 0.05  # median explained variance of a function that predicts nothing
MAX_BEST = 0.3  # explained variance that its best tenth does not exceed
WORSE_THAN_MEAN = -0.2  # explained variance clearly worse than that of the returns' mean
ONE_STEP = 1e-6  # approximate KL of a batch that is used once (A2C), whose few returns a sound function may not explain
UPPER_TENTH = 0.9  # quantile of the values
MAX_ABSENT = 0.02  # explained variance of a value function that is as good as none, in steps of any size
MIN_REWARDS = 10.0  # times the largest reward; an error so large is no noise of the returns
MIN_LEFT = 0.5  # share of its first level at which the value loss has not fallen
FIRST = 0.1  # share of the run that gives this level
LARGE_ERROR = 1e4  # squared error of returns beyond a hundred
MIN_POINTS = 10


def check(run: Run) -> Iterator[Symptom]:
    """Look at the explained variance after the start, then at the size of the value loss."""
    if workload(run) is not Workload.REINFORCEMENT:
        return
    curve = run.series_of("explained_variance", MIN_POINTS)
    found = _explains_nothing(run, curve) if curve is not None else None
    found = found or _out_of_scale(run)
    if found is not None:
        yield found


def _out_of_scale(run: Run) -> Symptom | None:
    """Errors that are far larger than any reward that was ever logged, and that do not fall."""
    value, rewards = run.series_of("value_loss", MIN_POINTS), run.series_of("reward", MIN_POINTS)
    if value is None or rewards is None:
        return None
    late, early = median(value.y[int(START * len(value.y)) :]), median(opening(value.y, FIRST))
    largest = float(np.abs(rewards.y).max())
    if late < LARGE_ERROR or math.sqrt(late) < MIN_REWARDS * largest or late < MIN_LEFT * early or improves(run):
        return None
    text = (
        f"the value loss stays at {number(late)}, an error of {number(math.sqrt(late))} for each return, "
        f"and the reward is {number(rewards.final)}: the value function does not learn returns of this size"
    )
    return _symptom(value, text, {"value_loss": late, "reward": rewards.final}, large=True)


def _explains_nothing(run: Run, curve: Series) -> Symptom | None:
    """Explained variance that was never large, is worse than none, or is next to zero without any progress."""
    late, last = curve.y[int(START * len(curve.y)) :], median(closing(curve.y, END))
    level = median(late)
    worse = min(level, last) < WORSE_THAN_MEAN
    never = level <= MAX_EXPLAINED and _never_fits(run, late if worse else curve.y)
    absent = quantile(np.abs(late), UPPER_TENTH) < MAX_ABSENT and not improves(run)
    if not (never or worse or absent) or (solved(run) and not never):
        return None
    value = run.series_of("value_loss")
    loss = value.last if value is not None else None
    ends = [f"{name} ends at {number(s.final)}" for name, s in _beside(run)]
    message = (
        f"the value function does not predict the returns: explained variance ends at {number(curve.final)} and is about "
        f"{number(level, 2)} (median) after {percent(START)} of the run{''.join(f'; {end}' for end in ends)}"
    )
    evidence = {"late": level, "best": quantile(late, UPPER_TENTH), "last": last, "value_loss": loss}
    found = _symptom(curve, message, evidence, large=loss is not None and loss > LARGE_ERROR)
    return replace(found, severity=Severity.INFO) if solved(run) and not worse else found


def _beside(run: Run) -> Iterator[tuple[str, Series]]:
    """What is quoted next to the explained variance."""
    for name, words in (("value_loss", "value loss"), ("reward", "reward")):
        series = run.series_of(name)
        if series is not None:
            yield words, series


def _never_fits(run: Run, values: Array) -> bool:
    """Whether the explained variance stays near zero, and nowhere among some values is large, although the policy is updated several times on one batch."""
    updates = size_of_updates(run, of_text=False)
    if updates is None and "clip_fraction" not in run.series:
        return False
    if updates is not None and median(np.abs(updates.y)) <= ONE_STEP:
        return False
    return quantile(values, UPPER_TENTH) <= MAX_BEST


def _symptom(curve: Series, message: str, evidence: dict[str, float | None], *, large: bool) -> Symptom:
    return Symptom(
        message,
        SEVERAL_SIGNS,
        dict(evidence),
        series=curve.name,
        step=curve.last_step,
        span=(float(curve.x[int(START * len(curve.x))]), curve.last_step),
        causes=(
            Cause(
                "rewards not scaled",
                0.6 if large else 0.3,
                "returns in the thousands need large weights" if large else "returns far from 1 are fitted slowly",
                "one run with rewards divided by their running standard deviation",
            ),
            Cause(
                "value function learns too slowly",
                0.4,
                "its error does not fall",
                "one run with ten times its learning rate or its loss's coefficient",
            ),
            Cause(
                "observations do not contain the necessary information",
                0.3,
                "then no value function can predict the returns",
                "train the value function alone on recorded episodes",
            ),
        ),
    )


RULE = Rule(
    code="NNR06",
    name="value-function-unfit",
    severity=Severity.WARNING,
    title="the value function does not predict the returns",
    needs={"explained_variance|value_loss": MIN_POINTS},
    check=check,
    why="Advantages are returns minus the value function. If it explains nothing, they are as noisy as the returns, and learning is slow or wrong.",
    how=f"Audit. After {percent(START)} of the run the median explained variance is {MAX_EXPLAINED:g} or less and {percent(1 - UPPER_TENTH)} of all its values at most are above {MAX_BEST:g} (where updates are clipped, as in PPO), or it is below {WORSE_THAN_MEAN:g}, or within {MAX_ABSENT:g} of zero while the reward does not improve; or the value loss stays above {LARGE_ERROR:,.0f} and above the square of {MIN_REWARDS:g} times the largest reward. A remark if the task is solved and it is not below {WORSE_THAN_MEAN:g}; not reported if the task is solved and it was larger before.",
    sources=(
        Reference(
            "Huang et al., The 37 Implementation Details of PPO, 2022",
            "https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/",
        ),
        Reference("Schulman, Nuts and Bolts of Deep RL Research, 2016: explained variance"),
    ),
    remedies=("scale-rewards", "raise-value-learning-rate", "separate-value-network", "longer-rollouts"),
    sick=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            explained_variance="0.6*6 0.1..-3.2*24",
            reward="2..12*30",
            clip_fraction="0.1*30",
        ),
        Run.drawn(
            {"task": "reinforcement-learning"}, explained_variance="-0.01*30", reward="20..60*30", approx_kl="0.005*30"
        ),
        Run.drawn(
            {"task": "reinforcement-learning"},
            value_loss="160000000 150000000 140000000*28",
            reward="15..17*15 17..15*15",
        ),
    ),
    healthy=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            explained_variance="-0.1..0.7*30",
            reward="20..190*30",
            approx_kl="0.005*30",
        ),
    ),
    suppressed_by=("nan-loss", "no-reward-signal"),
    on_request=True,
)

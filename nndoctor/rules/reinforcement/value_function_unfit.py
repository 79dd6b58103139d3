"""The value function explains nothing of the returns."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import improves, size_of_updates, solved
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median, quantile

LATE = 0.4  # of the run: earlier a value function may still be at its start
NOTHING = 0.05  # explained variance
EVER = 0.3  # the best tenth of the values is no better: the function never knew
WORSE = -0.2  # worse than the mean of the returns
ONE_STEP = 1e-6  # approximate KL of a batch that is used once (A2C), whose few returns a sound function may not explain
MOST = 0.9  # of the values
ABSENT = 0.02  # of explained variance: a value function that is as good as none, in steps of any size
TIMES_REWARD = 10.0  # an error of the values so many times the largest reward is no noise of the returns
STILL = 0.5  # of its first level, where the value loss has not fallen
MIN_POINTS = 10


def check(run: Run) -> Iterator[Symptom]:
    """Look at the explained variance after the start, then at the size of the value loss."""
    if workload(run) is not Workload.REINFORCEMENT:
        return
    curve = run.series.get("explained_variance")
    found = _explains_nothing(run, curve) if curve is not None and len(curve.y) >= MIN_POINTS else None
    found = found or _out_of_scale(run)
    if found is not None:
        yield found


def _out_of_scale(run: Run) -> Symptom | None:
    """Errors that are far larger than any reward that was ever logged, and that do not fall."""
    value, paid = run.series.get("value_loss"), run.series.get("reward")
    if value is None or paid is None or min(len(value.y), len(paid.y)) < MIN_POINTS:
        return None
    late, early = median(value.y[int(LATE * len(value.y)) :]), median(value.y[: max(3, len(value.y) // 10)])
    largest = float(np.abs(paid.y).max())
    if late < LARGE or math.sqrt(late) < TIMES_REWARD * largest or late < STILL * early or improves(run):
        return None
    words = (
        f"the value loss stays at {number(late)}, an error of {number(math.sqrt(late))} for each return, "
        f"and the reward is {number(paid.final)}: the value function does not learn returns of this size"
    )
    return _symptom(value, words, {"value_loss": late, "reward": paid.final}, large=True)


def _explains_nothing(run: Run, curve: Series) -> Symptom | None:
    late = curve.y[int(LATE * len(curve.y)) :]
    end = curve.y[-max(3, len(curve.y) // 5) :]
    level, best, last = median(late), quantile(late, MOST), median(end)
    updates = size_of_updates(run, of_text=False)
    clipped = "clip_fraction" in run.series or updates is not None
    clipped = clipped and (updates is None or median(np.abs(updates.y)) > ONE_STEP)
    never = clipped and level <= NOTHING and best <= EVER
    worse = level < WORSE or last < WORSE
    absent = quantile(np.abs(late), MOST) < ABSENT and not improves(run)
    if not (never or worse or absent) or (solved(run) and not never):
        return None
    value = run.series.get("value_loss")
    large = value is not None and len(value.y) > 0 and value.last > LARGE
    words = f"; the value loss is {number(value.last)}" if value is not None and len(value.y) else ""
    message = (
        f"the value function does not predict the returns: explained variance is {number(last)} at the end, "
        f"{number(level)} in the middle{words}"
    )
    loss = None if value is None or not len(value.y) else value.last
    return _symptom(curve, message, {"late": level, "best": best, "last": last, "value_loss": loss}, large=large)


def _symptom(curve: Series, message: str, evidence: dict[str, float | None], *, large: bool) -> Symptom:
    return Symptom(
        message,
        SEVERAL_SIGNS,
        dict(evidence),
        series=curve.name,
        step=float(curve.x[-1]),
        span=(float(curve.x[int(LATE * len(curve.x))]), float(curve.x[-1])),
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


LARGE = 1e4  # a squared error of returns beyond a hundred

RULE = Rule(
    code="NNR06",
    name="value-function-unfit",
    severity=Severity.WARNING,
    title="the value function does not predict the returns",
    needs={"explained_variance|value_loss": MIN_POINTS},
    check=check,
    why="Advantages are returns minus the value function. If it explains nothing, they are as noisy as the returns, and learning is slow or wrong.",
    how=f"Audit. After 40% of the run the median explained variance is 0.05 or less and a tenth of its values at most above 0.3 (where updates are clipped, as in PPO), or it is below -0.2, or within {ABSENT:g} of zero while the reward does not improve; or the value loss stays above {LARGE:,.0f} and above the square of ten times the largest reward. Not reported if the task is solved and the variance only fell again afterwards.",
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

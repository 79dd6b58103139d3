"""The reward rose, or began high, and has fallen for good."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import Levels, levels, spread
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import Array

MIN_LOST = 0.5  # share of the way from its lowest level to its best
ERRORS = 4.0  # standard errors of a level
MIN_SPREADS = 0.25  # spreads of the rewards at the start
LATEST_BEST = 0.93  # share of the run; a fall that began later may be a dip
MIN_POINTS = 10
MIN_FALLS = 4  # falls in a row of a log of fewer points
MAX_KEPT = 0.8  # share of the best reward that such falls cost
MAX_NOISE = 0.1  # share of its range that a reward has as noise whose single values are quoted
MIN_STEPS = 5.0  # times the difference of the first two rewards
# Confidence: the fall is measured; less than DIRECT, so that an update that is too large, its cause, leads.
FALLEN, FALLING = 0.94, 0.75


def check(run: Run) -> Iterator[Symptom]:
    """Compare the last level of the reward with its best one; of a few rewards, look whether each is below the one before."""
    curve = run.series["reward"]
    if workload(run) is not Workload.REINFORCEMENT:
        return
    if len(curve.y) < MIN_POINTS:
        best = int(curve.y.argmax())
        if _falls_throughout(curve.y, best):
            yield _fallen(run, curve, _values(curve, best), FALLING)
        return
    level = levels(curve)
    fallen = level.best - level.last
    risen = level.best - min(level.start, level.last)
    if fallen < MIN_LOST * risen or fallen < ERRORS * level.error or fallen < MIN_SPREADS * spread(run):
        return
    if curve.share_of_run(level.best_step) > LATEST_BEST:
        return
    yield _fallen(run, curve, level, FALLEN)


def _falls_throughout(y: Array, best: int) -> bool:
    """Whether each of a few rewards is below the one before, from the first or second on, by most of what the best one was."""
    falls = best <= 1 and len(y) - best > MIN_FALLS and bool((np.diff(y[best:]) < 0).all())
    return falls and y[best] - y[-1] > MAX_KEPT * max(abs(y[best]), MIN_STEPS * abs(y[1] - y[0]))


def _values(curve: Series, best: int) -> Levels:
    """The values of a few rewards as their levels."""
    y = curve.y
    return Levels(float(y[0]), float(y[best]), float(curve.x[best]), float(y.min()), float(y[-1]), error=0.0)


def _fallen(run: Run, curve: Series, level: Levels, confidence: float) -> Symptom:
    """What is said of a reward that fell; of many noisy values the levels are medians, else the values themselves."""
    calm = curve.noise <= MAX_NOISE * (curve.high - curve.low)
    at = float(curve.x[int(np.argmax(curve.y))])
    if confidence == FALLEN and not calm:
        fell = f"from about {number(level.best)} around {run.place(level.best_step)} to about {number(level.last)}"
    else:
        fell = f"from {number(curve.high)} at {run.place(at)} to {number(curve.final)}"
    return Symptom(
        f"reward fell {fell}; it has not recovered",
        confidence,
        {"start": level.start, "best": level.best, "best_step": level.best_step, "last": level.last},
        series="reward",
        step=level.best_step,
        span=(level.best_step, curve.last_step),
        causes=CAUSES,
    )


CAUSES = (
    Cause(
        "policy updates too large",
        0.5,
        "one bad update can undo what was learned",
        "one run with a third of the learning rate and a target KL",
    ),
    Cause(
        "reward changed or was exploited",
        0.3,
        "another part of the reward may have risen instead",
        "plot each part of the reward, and read the last completions or watch episodes",
    ),
    Cause(
        "value estimates diverged",
        0.2,
        "wrong advantages move the policy in the wrong direction",
        "look at the value loss and the explained variance around the fall",
    ),
)

RULE = Rule(
    code="NNR03",
    name="reward-collapse",
    severity=Severity.WARNING,
    title="the reward has fallen for good",
    needs={"reward": MIN_FALLS + 1},
    check=check,
    why="The policy has unlearned its task: every step after the best is wasted, and the best checkpoint is an earlier one.",
    how=f"The median reward at the end has lost {percent(MIN_LOST)} of the gain from the start to the best level, by {ERRORS:g} standard errors and {percent(MIN_SPREADS)} of the initial spread of the rewards, and the best level is before {percent(LATEST_BEST)} of the run. Of {MIN_FALLS + 1} to {MIN_POINTS - 1} rewards each must be below the one before.",
    sources=(
        Reference("Schulman et al., Proximal Policy Optimization, 2017", "https://arxiv.org/abs/1707.06347"),
        Reference(
            "Henderson et al., Deep Reinforcement Learning that Matters, 2018", "https://arxiv.org/abs/1709.06560"
        ),
    ),
    remedies=(
        "keep-the-best-checkpoint",
        "lower-learning-rate-for-policies",
        "target-kl",
        "check-the-reward",
        "raise-kl-coefficient",
        "evaluate-the-policy",
    ),
    sick=(
        Run.drawn({"task": "reinforcement-learning"}, reward="0.2..0.7*40 0.7..0.02*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="20..9.3*6 9.3*34"),
        Run.drawn({"task": "reinforcement-learning"}, reward="2.1 2.3 -1.2 -4.5 -30.1 -77.9"),
    ),
    healthy=(
        Run.drawn({"task": "reinforcement-learning"}, reward="0.2..0.7*40 0.7..0.62*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="-200..-110*40"),
        Run.drawn({"task": "reinforcement-learning"}, reward="21 24 19 16 15.5 15"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)

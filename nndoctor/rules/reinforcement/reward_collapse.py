"""The reward rose, or began high, and has fallen for good."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels, spread
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_LOST = 0.5  # share of the way from its lowest level to its best
ERRORS = 4.0  # standard errors of a level
MIN_SPREADS = 0.25  # spreads of the rewards at the start
LATEST_BEST = 0.93  # share of the run; a fall that began later may be a dip
MIN_POINTS = 10
# Confidence: the fall is measured; less than DIRECT, so that an update that is too large, its cause, leads.
FALLEN = 0.94


def check(run: Run) -> Iterator[Symptom]:
    """Compare the last level of the reward with its best one."""
    curve = run.series["reward"]
    if workload(run) is not Workload.REINFORCEMENT or len(curve.y) < MIN_POINTS:
        return
    level = levels(curve)
    fallen = level.best - level.last
    risen = level.best - min(level.start, level.last)
    if fallen < MIN_LOST * risen or fallen < ERRORS * level.error or fallen < MIN_SPREADS * spread(run):
        return
    if curve.share_of_run(level.best_step) > LATEST_BEST:
        return
    yield Symptom(
        f"reward fell from about {number(level.best)} around step {step(level.best_step)} to {number(level.last)} and has not recovered",
        FALLEN,
        {"start": level.start, "best": level.best, "best_step": level.best_step, "last": level.last},
        series="reward",
        step=level.best_step,
        span=(level.best_step, curve.last_step),
        causes=(
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
        ),
    )


RULE = Rule(
    code="NNR03",
    name="reward-collapse",
    severity=Severity.WARNING,
    title="the reward has fallen for good",
    needs={"reward": MIN_POINTS},
    check=check,
    why="The policy has unlearned its task: every step after the best is wasted, and the best checkpoint is an earlier one.",
    how=f"The median reward at the end has lost {percent(MIN_LOST)} of the gain from the start to the best level, by {ERRORS:g} standard errors and {percent(MIN_SPREADS)} of the initial spread of the rewards, and the best level is before {percent(LATEST_BEST)} of the run.",
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
    ),
    healthy=(
        Run.drawn({"task": "reinforcement-learning"}, reward="0.2..0.7*40 0.7..0.62*30"),
        Run.drawn({"task": "reinforcement-learning"}, reward="-200..-110*40"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)

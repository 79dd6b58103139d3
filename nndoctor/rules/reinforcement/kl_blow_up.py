"""The policy has moved far from the one that it started from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import improves, levels, reward
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import median, opening

MAX_KL = 10.0  # nats a token; text so unlikely under the reference is no longer language
MAX_KL_UNREWARDED = 2.0  # nats a token where the reward has not risen
PER_COMPLETION = 20.0  # times these limits, where the divergence is summed over a completion
MIN_GROWTH = 10.0  # times its level at the start
START = 1 / 3  # share of the run that gives this level
MIN_START = 1e-4  # nats that the level at the start counts as at least
MAX_OFTEN = 0.1  # share of the steps beyond MAX_KL
MIN_POINTS = 8


def check(run: Run) -> Iterator[Symptom]:
    """Compare the divergence at the end with its limit and with its level early in the run."""
    curve = run.series_of("kl", MIN_POINTS)
    if workload(run) is not Workload.REINFORCEMENT or curve is None:
        return
    level = levels(curve)
    unit = PER_COMPLETION if "objective" in curve.column.lower() else 1.0
    early = median(opening(curve.y, START))
    beyond = level.last > MAX_KL * unit or float(np.mean(curve.y > MAX_KL * unit)) > MAX_OFTEN
    limit = unit * (MAX_KL if beyond else MAX_KL_UNREWARDED)
    grown = level.last > max(limit, MIN_GROWTH * max(early, MIN_START)) and not improves(run)
    if not beyond and not grown:
        return
    at = curve.step_where(curve.y > limit)
    rewards = reward(run)
    rewarded = "" if rewards is None else f"; the reward is about {number(rewards.last)}"
    yield Symptom(
        f"KL divergence from the reference policy grew from {number(early)} to {number(curve.high)} "
        f"(beyond {number(limit)} at {run.place(at)}){rewarded}",
        MEASURED,
        {"early": early, "last": level.last, "highest": curve.high, "step": at},
        series=curve.name,
        step=at,
        span=(at, curve.last_step),
        causes=(
            Cause(
                "learning rate too high",
                0.5,
                "large steps move the policy far",
                "one run with a third of the learning rate",
            ),
            Cause(
                "KL coefficient too small",
                0.3,
                "nothing keeps the policy near the reference",
                "one run with a coefficient ten times as large",
            ),
            Cause(
                "reward hacking",
                0.2,
                "the policy produces degenerate text that the reward model scores highly",
                "read twenty of its last completions",
            ),
        ),
    )


RULE = Rule(
    code="NNR02",
    name="kl-blow-up",
    severity=Severity.WARNING,
    title="the policy is too far from its reference",
    needs={"kl": MIN_POINTS},
    check=check,
    why="Far from the reference the reward is no longer reliable and the text is no longer fluent; the run does not recover.",
    how=f"Early warning. The KL divergence ends above {MAX_KL:g} nats a token, or is above it in {percent(MAX_OFTEN)} of the steps, or has grown by a factor of {MIN_GROWTH:g} to more than {MAX_KL_UNREWARDED:g} while the reward has not risen. Sums over a completion (objective/kl) have limits {PER_COMPLETION:g} times as high.",
    sources=(
        Reference(
            "Ziegler et al., Fine-Tuning Language Models from Human Preferences, 2019",
            "https://arxiv.org/abs/1909.08593",
        ),
        Reference(
            "Gao, Schulman and Hilton, Scaling Laws for Reward Model Overoptimization, 2022",
            "https://arxiv.org/abs/2210.10760",
        ),
    ),
    remedies=("raise-kl-coefficient", "lower-learning-rate-for-policies", "clip-gradients", "check-the-reward"),
    sick=(
        Run.drawn({"task": "reinforcement-learning"}, kl="0.02..0.1*20 0.1..150*20", reward="0.2..0.3*20 0.3..0.2*20"),
    ),
    healthy=(Run.drawn({"task": "reinforcement-learning"}, kl="0.001..0.8*40", reward="0.2..0.9*40"),),
    suppressed_by=("nan-loss",),
    on_request=True,
)

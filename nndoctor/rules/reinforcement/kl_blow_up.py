"""The policy has moved far from the one that it started from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import improves, levels, reward
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import median

FAR = 10.0  # nats a token: text so unlikely under the reference is no language any more
WIDE = 2.0  # nats a token where the reward has not risen
SUMMED = 20.0  # times that, where the divergence is summed over a completion
GROWN = 10.0  # times its level in the first third
OFTEN = 0.1  # of the steps beyond FAR
MIN_POINTS = 8


def check(run: Run) -> Iterator[Symptom]:
    """Compare the divergence at the end with its limit and with its level early in the run."""
    curve = run.series.get("kl")
    if workload(run) is not Workload.REINFORCEMENT or curve is None or len(curve.y) < MIN_POINTS:
        return
    way = levels(curve)
    unit = SUMMED if "objective" in curve.column.lower() else 1.0
    early = median(curve.y[: max(3, len(curve.y) // 3)])
    often = float(np.mean(curve.y > FAR * unit))
    grown = way.last > GROWN * max(early, 1e-4) and way.last > WIDE * unit and not improves(run)
    if not (way.last > FAR * unit or often > OFTEN or grown):
        return
    limit = FAR * unit if way.last > FAR * unit or often > OFTEN else WIDE * unit
    at = float(curve.x[int(np.argmax(curve.y > limit))])
    paid = reward(run)
    rewarded = "" if paid is None else f"; the reward is {number(paid.last)}"
    yield Symptom(
        f"KL divergence from the reference policy grew from {number(early)} to {number(float(curve.high))} "
        f"(beyond {number(limit)} at step {step(at)}){rewarded}",
        0.9,
        {"early": early, "last": way.last, "highest": curve.high, "step": at},
        series=curve.name,
        step=at,
        span=(at, float(curve.x[-1])),
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
    how="Early warning. The KL divergence ends above 10 nats a token, or is above it in a tenth of the steps, or has grown tenfold to more than 2 while the reward has not risen. Sums over a completion (objective/kl) have limits 20 times as high.",
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

"""Each update moves the policy further than the data that it was made from can tell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import improves, size_of_updates
from nndoctor.analysis.workload import Workload, of_text, workload
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

LARGE = 0.06  # approximate KL of an update; libraries stop at 0.01 to 0.03
HUGE, OFTEN = 0.2, 0.15  # and the share of updates beyond it
THROWN = 0.5  # one such update, where the reward does not rise
CLIPPED = 0.45  # of the probability ratios, in the median; 0.05 to 0.25 is usual
HARD, HARD_OFTEN = 0.6, 0.15
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Look at the divergence of each update, and at the share of its clipped ratios."""
    if workload(run) is not Workload.REINFORCEMENT:
        return
    kl, clip = size_of_updates(run, of_text=of_text(run)), run.series.get("clip_fraction")
    if (kl is not None and len(kl.y) >= MIN_POINTS and (symptom := _diverging(run, kl))) or (
        clip is not None and len(clip.y) >= MIN_POINTS and (symptom := _clipping(run, clip))
    ):
        yield symptom


def _diverging(run: Run, kl: Series) -> Symptom | None:
    size = np.abs(kl.y)
    level, often = median(size), float(np.mean(size > HUGE))
    thrown = float(size.max()) > THROWN and not improves(run)
    if level <= LARGE and often < OFTEN and not thrown:
        return None
    limit = LARGE if level > LARGE else HUGE if often >= OFTEN else THROWN
    at = float(kl.x[int(np.argmax(size > limit))])
    return Symptom(
        f"updates change the policy too much: approximate KL reaches {number(float(size.max()))} "
        f"(median {number(level)}, above {number(limit)} from step {step(at)}; 0.01 to 0.03 is usual)",
        0.96,
        {"median": level, "highest": float(size.max()), "step": at},
        series=kl.name,
        step=at,
        span=(at, float(kl.x[-1])),
        causes=_causes(run),
    )


def _clipping(run: Run, clip: Series) -> Symptom | None:
    level, often = median(clip.y), float(np.mean(clip.y > HARD))
    if level <= CLIPPED and not (often >= HARD_OFTEN and not improves(run)):
        return None
    at = float(clip.x[int(np.argmax(clip.y > min(CLIPPED, HARD)))])
    return Symptom(
        f"updates change the policy too much: {percent(max(level, clip.high))} of the probability ratios are clipped at most, "
        f"{percent(level)} in the median (5 to 25% is usual)",
        0.85,
        {"median": level, "highest": clip.high, "step": at},
        series=clip.name,
        step=at,
        span=(at, float(clip.x[-1])),
        causes=_causes(run),
    )


def _causes(run: Run) -> tuple[Cause, ...]:
    lr = run.series.get("lr")
    rate = "it is the usual cause" if lr is None or not len(lr.y) else f"it peaks at {number(lr.high)}"
    return (
        Cause("learning rate too high", 0.55, rate, "one run with a third of the learning rate"),
        Cause(
            "too many epochs on one batch",
            0.3,
            "each of them moves the policy further from the one that collected the data",
            "one run with half of the epochs and a target KL of 0.02",
        ),
        Cause("batch too small", 0.15, "noisy advantages make large steps", "one run with four times the batch"),
    )


RULE = Rule(
    code="NNR07",
    name="policy-update-too-large",
    severity=Severity.WARNING,
    title="updates change the policy too much",
    needs={"approx_kl|clip_fraction|kl": MIN_POINTS},
    check=check,
    why="The data of a batch come from the policy before the update. Far from that policy their advantages are wrong, and one bad update can ruin the run.",
    how="Early warning. The median approximate KL of an update is above 0.06, 15% of the updates are above 0.2, or one is above 0.5 and the reward does not rise; else 45% of the ratios are clipped in the median, or 60% in 15% of the updates without a rise of the reward.",
    sources=(
        Reference("Schulman et al., Proximal Policy Optimization, 2017", "https://arxiv.org/abs/1707.06347"),
        Reference(
            "Huang et al., The 37 Implementation Details of PPO, 2022: approximate KL and clip fraction",
            "https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/",
        ),
    ),
    remedies=(
        "lower-learning-rate-for-policies",
        "target-kl",
        "fewer-update-epochs",
        "smaller-clip-range",
        "larger-batch",
    ),
    sick=(
        Run.drawn({"task": "reinforcement-learning"}, approx_kl="0.01*20 0.8*20", reward="0..200*20 200..5*20"),
        Run.drawn({"task": "reinforcement-learning"}, clip_fraction="0.85*30", reward="20..12*30"),
    ),
    healthy=(
        Run.drawn(
            {"task": "reinforcement-learning"},
            approx_kl="0.004..0.014*20",
            clip_fraction="0.05..0.2*20",
            reward="0..200*20",
        ),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)

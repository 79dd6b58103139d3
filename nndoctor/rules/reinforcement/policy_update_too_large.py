"""Each update moves the policy further than its data justify."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.learning_rate import peak_in_words
from nndoctor.analysis.reinforcement import improves, size_of_updates
from nndoctor.analysis.workload import Workload, of_text, workload
from nndoctor.core.confidence import DIRECT, SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MAX_MEDIAN_KL = 0.06  # approximate KL of an update; libraries stop at 0.01 to 0.03
LARGE_KL, MAX_OFTEN = 0.2, 0.15  # approximate KL, and the share of updates beyond it
HUGE_KL = 0.5  # approximate KL of which one update is enough where the reward does not rise
COSTLY = 0.3  # share of all that the reward rose by, of which one update beyond LARGE_KL costs more
COSTLY_NOISES = 4.0  # times the noise of the reward that such a fall exceeds
MAX_MEDIAN_CLIPPED = 0.45  # share of the probability ratios, in the median; 0.05 to 0.25 is usual
HARD_CLIPPED, MAX_HARD_OFTEN = 0.6, 0.15  # the same share, and the share of updates beyond it
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Look at the divergence of each update, and at the share of its clipped ratios."""
    if workload(run) is not Workload.REINFORCEMENT:
        return
    kl, clip = size_of_updates(run, of_text=of_text(run)), run.series_of("clip_fraction", MIN_POINTS)
    found = _diverging(run, kl) if kl is not None and len(kl.y) >= MIN_POINTS else None
    found = found or (None if kl is None else _costing(run, kl)) or (None if clip is None else _clipping(run, clip))
    if found is not None:
        yield found


def _diverging(run: Run, kl: Series) -> Symptom | None:
    size = np.abs(kl.y)
    level, often = median(size), float(np.mean(size > LARGE_KL))
    huge = float(size.max()) > HUGE_KL and not improves(run)
    if level <= MAX_MEDIAN_KL and often < MAX_OFTEN and not huge:
        return None
    limit = MAX_MEDIAN_KL if level > MAX_MEDIAN_KL else LARGE_KL if often >= MAX_OFTEN else HUGE_KL
    at = kl.step_where(size > limit)
    return Symptom(
        f"approximate KL reaches {number(float(size.max()))} "
        f"(median {number(level)}, {_above(run, size > limit, at, limit)}; 0.01 to 0.03 is usual)",
        DIRECT,
        {"median": level, "highest": float(size.max()), "step": at},
        series=kl.name,
        step=at,
        span=(at, kl.last_step),
        causes=_causes(run),
    )


def _costing(run: Run, kl: Series) -> Symptom | None:
    """One update that moved the policy far, in the row in which a good part of the reward was lost."""
    reward = run.series_of("reward", MIN_POINTS)
    if reward is None or len(kl.y) < MIN_POINTS:
        return None
    rise = float(reward.y.max()) - reward.initial
    least = max(COSTLY * rise, COSTLY_NOISES * reward.noise)
    for step in kl.x[np.abs(kl.y) > LARGE_KL].tolist():
        at = int(np.searchsorted(reward.x, step))
        if not 0 < at < len(reward.y) or reward.y[at - 1] - reward.y[at] <= least or rise <= 0:
            continue
        size = float(np.interp(step, kl.x, np.abs(kl.y)))
        return Symptom(
            f"approximate KL reached {number(size)} at {run.place(step)} (0.01 to 0.03 is usual), and the reward fell from {number(float(reward.y[at - 1]))} to {number(float(reward.y[at]))}",
            DIRECT,
            {"highest": size, "step": step, "reward_lost": float(reward.y[at - 1] - reward.y[at])},
            series=kl.name,
            step=step,
            span=(step, step),
            causes=_causes(run),
        )
    return None


def _above(run: Run, large: NDArray[np.bool_], at: float, limit: float) -> str:
    """From where on, or how often, the divergence is above a limit."""
    later = large[int(np.argmax(large)) :]
    if later.all() and len(later) > 1:
        return f"above {number(limit)} from {run.place(at)} on"
    often = int(large.sum())
    if often == 1:
        return f"above {number(limit)} at {run.place(at)} alone"
    return f"above {number(limit)} in {often} of {len(large)} updates, first at {run.place(at)}"


def _clipping(run: Run, clip: Series) -> Symptom | None:
    level, often = median(clip.y), float(np.mean(clip.y > HARD_CLIPPED))
    if level <= MAX_MEDIAN_CLIPPED and not (often >= MAX_HARD_OFTEN and not improves(run)):
        return None
    at = clip.step_where(clip.y > min(MAX_MEDIAN_CLIPPED, HARD_CLIPPED))
    return Symptom(
        f"{percent(max(level, clip.high))} of the probability ratios are clipped at most, "
        f"{percent(level)} in the median (5 to 25% is usual)",
        SEVERAL_SIGNS,
        {"median": level, "highest": clip.high, "step": at},
        series=clip.name,
        step=at,
        span=(at, clip.last_step),
        causes=_causes(run),
    )


def _causes(run: Run) -> tuple[Cause, ...]:
    return (
        Cause("learning rate too high", 0.55, peak_in_words(run), "one run with a third of the learning rate"),
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
    how=f"Early warning. The median approximate KL of an update is above {MAX_MEDIAN_KL:g}, {percent(MAX_OFTEN)} of the updates are above {LARGE_KL:g}, or one is above {HUGE_KL:g} and the reward does not rise, or one above {LARGE_KL:g} costs more than {percent(COSTLY)} of all that the reward rose by; else {percent(MAX_MEDIAN_CLIPPED)} of the ratios are clipped in the median, or {percent(HARD_CLIPPED)} in {percent(MAX_HARD_OFTEN)} of the updates without a rise of the reward.",
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

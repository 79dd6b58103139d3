"""A run in one short phrase: what was trained, and for how long (`GRPO, 200 steps`)."""

from __future__ import annotations

import re

from nndoctor.analysis.workload import Workload, of_text
from nndoctor.core.formatting import step
from nndoctor.core.report import Report
from nndoctor.core.run import Run

MIN_GROUPED = 10_000  # a count from here on is printed with commas
NAMES = {
    Workload.REINFORCEMENT: "reinforcement learning",
    Workload.PREFERENCE: "preference learning",
    Workload.GAN: "GAN",
    Workload.VAE: "VAE",
}
"""Where the workload's own name is not what people say."""

BY_SERIES = {
    Workload.PREFERENCE: (re.compile(r"(^|/)rewards_margins$"), "DPO"),
    Workload.VAE: (re.compile(r"^codebook_perplexity$"), "VQ-VAE"),
    Workload.SUPERVISED: (re.compile(r"^(expert_|balance_loss)"), "mixture of experts"),
}
"""Series that only some runs of a workload log, and what these are called; one that is always zero is not in use."""


def phrase(report: Report) -> str:
    """`DPO, 300 steps`; of a model file `model`; empty where nothing is known."""
    if report.run.format == "model":
        return "model"
    return ", ".join(part for part in (_kind(report), _length(report.run)) if part)


def _kind(report: Report) -> str:
    if not report.workload:
        return ""
    kind = Workload(report.workload)
    if kind is Workload.REINFORCEMENT:
        return _method(report.run)
    series, name = BY_SERIES.get(kind, (None, ""))
    if series is not None and any(
        series.search(key) and len(s.y) and s.high > 0 for key, s in report.run.series.items()
    ):
        return name
    return NAMES.get(kind, str(kind))


def _method(run: Run) -> str:
    """The method by what only it logs; of several that log the same the family's name."""
    held = set(run.series)
    if of_text(run):
        return "GRPO" if held & {"reward_std", "zero_spread_groups"} else "RL on text"
    if held & {"exploration_rate", "q_values"} and not held & {"entropy", "entropy_loss", "policy_loss"}:
        return "DQN"
    if held & {"clip_fraction", "approx_kl"}:
        return "PPO"
    return NAMES[Workload.REINFORCEMENT]


def _length(run: Run) -> str:
    """The last epoch or step of the longest curve, whether its value there is finite or not."""
    ends = [float(s.steps[-1]) for s in run.series.values() if len(s.x) > 1]
    if not ends:
        return ""
    last = max(ends)
    if run.axis == "epoch":
        last = max(last, run.known("epochs") or last)
    elif _is_counted_from_zero(run):
        last += 1
    counted_out = f"{last:,.0f}" if last >= MIN_GROUPED and not last % 1 else step(last)
    return f"{counted_out} {run.axis}{'' if last == 1 else 's'}"


def _is_counted_from_zero(run: Run) -> bool:
    """Whether a curve holds every step from step 0 on, so that its last step is one less than their number."""
    return any(len(s.x) > 1 and s.x[0] == 0 and s.x[1] == 1 for s in run.series.values())

"""One rank is slower than the others, and all wait for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import median

MIN_RATIO = 1.3  # times the median of the ranks
RANK = re.compile(r"^step_time_rank_(\d+)$")
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Compare the step times of the ranks."""
    ranks = {
        int(found[1]): s for name, s in run.series.items() if (found := RANK.match(name)) and len(s.y) >= MIN_POINTS
    }
    if len(ranks) < 2:
        return
    late = {rank: median(s.y[len(s.y) // 2 :]) for rank, s in ranks.items()}
    slowest = max(late, key=lambda rank: late[rank])
    usual = float(np.median([level for rank, level in late.items() if rank != slowest]))
    if usual <= 0 or late[slowest] < MIN_RATIO * usual:
        return
    curve = ranks[slowest]
    yield Symptom(
        f"rank {slowest} takes {number(late[slowest])} per step, the other ranks {number(usual)}: all ranks wait for it",
        MEASURED,
        {"rank": slowest, "time": late[slowest], "others": usual, "lost": 1 - usual / late[slowest]},
        series=curve.name,
        step=curve.last_step,
        span=curve.span,
        causes=(
            Cause(
                "a slow or hot GPU, or a slow link",
                0.5,
                f"{percent(1 - usual / late[slowest])} of every step is spent waiting",
                "swap the node of that rank and compare",
            ),
            Cause(
                "uneven work",
                0.3,
                "longer sequences or more files on one rank",
                "log the number of tokens for each rank",
            ),
            Cause(
                "another process on that node",
                0.2,
                "it takes CPU or GPU time",
                "look at the processes on the node",
            ),
        ),
    )


RULE = Rule(
    code="NNP07",
    name="slow-rank",
    severity=Severity.WARNING,
    title="one rank is slower than the others",
    needs={"step_time_rank_0|step_time_rank_1": MIN_POINTS},
    check=check,
    why="Synchronous training runs at the speed of its slowest rank.",
    how=f"In the second half of the run one rank's median step takes {MIN_RATIO:g} times as long as the median of the others.",
    sources=(Reference("Jiang et al., MegaScale, 2024: stragglers", "https://arxiv.org/abs/2402.15627"),),
    remedies=("check-the-machine", "balance-the-ranks", "more-loader-workers"),
    sick=(
        Run.drawn(
            step_time_rank_0="0.5*20", step_time_rank_1="0.9*20", step_time_rank_2="0.5*20", train_loss="3..2*20"
        ),
    ),
    healthy=(Run.drawn(step_time_rank_0="0.5*20", step_time_rank_1="0.52*20", train_loss="3..2*20"),),
    on_request=True,
)

"""The log holds too few points for a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import SPLITS, Run

FEW = 5  # points: fewer carry no trend, no noise and no turn


def check(run: Run) -> Iterator[Symptom]:
    """Count the points of the longest series of a split, or of a game's own series."""
    games = "task" in run.facts
    longest = max((len(s.y) for name, s in run.series.items() if games or name.split("/")[0] in SPLITS), default=0)
    if longest < FEW:
        points = "1 point" if longest == 1 else f"{longest} points"
        yield Symptom(
            f"the log holds {points} a series: too few to judge how the run went",
            0.95,
            {"points": longest, "wanted": FEW},
        )


RULE = Rule(
    code="NN001",
    name="too-little-data",
    severity=Severity.INFO,
    title="too little in the log to judge",
    needs={},
    check=check,
    why="A trend needs points, and noise can only be told from a trend by more of them.",
    how="No series of training, validation or test has five finite points.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023", "https://github.com/google-research/tuning_playbook"
        ),
    ),
    remedies=("log-more-often",),
    sick=(Run.drawn(train_loss="2.3 1.9"),),
    healthy=(Run.drawn(train_loss="2.3 1.9 1.5 1.3 1.2"),),
    yields_to=("nan-loss", "gradients-not-finite", "no-weight-changes", "plateau-at-start", "lr-too-low"),
    leaves_open=("lr-too-low",),
)

"""The log holds too few points for a verdict."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import SPLITS, Run

MIN_POINTS = 5  # fewer points show neither a trend nor its noise


def check(run: Run) -> Iterator[Symptom]:
    """Count the points of the longest series of a split, or of a game's own series."""
    games = "task" in run.facts
    longest = max(
        (len(s.y) for name, s in run.series.items() if games or name.split("/")[0] in (*SPLITS, "fid")), default=0
    )
    if longest < MIN_POINTS:
        yield Symptom(
            f"not enough data: {plural(longest, 'point')} per series (need at least {MIN_POINTS})",
            DIRECT,
            {"points": longest, "wanted": MIN_POINTS},
        )


RULE = Rule(
    code="NN001",
    name="too-little-data",
    severity=Severity.INFO,
    title="the log has too few points to judge the run",
    needs={},
    check=check,
    why="A trend needs points, and more points are needed to distinguish it from noise.",
    how=f"No training, validation or test series has {MIN_POINTS} finite points.",
    sources=(
        Reference(
            "Godbole et al., Deep Learning Tuning Playbook, 2023", "https://github.com/google-research/tuning_playbook"
        ),
    ),
    remedies=("log-more-often",),
    sick=(Run.drawn(train_loss="2.3 1.9"),),
    healthy=(Run.drawn(train_loss="2.3 1.9 1.5 1.3 1.2"),),
    suppressed_by=("nan-loss", "gradients-not-finite", "no-weight-changes", "plateau-at-start", "lr-too-low"),
    makes_undecidable=("lr-too-low",),
)

"""Memory grows with every step."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.process import (
    EARLY,
    ERRORS,
    LATE,
    MIN_GROWTH,
    MIN_LATE_GROWTH,
    MIN_POINTS,
    MIN_RISES,
    memory_leak,
    rise,
)
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run


def check(run: Run) -> Iterator[Symptom]:
    """See whether memory keeps growing to the end."""
    curve, found = run.series["memory"], memory_leak(run)
    if found is None:
        return
    yield Symptom(
        f"memory ({curve.column}) grows through the whole run, from {number(found.early)} to {number(found.late)} (+{percent(found.late / found.early - 1)}): something is kept in every step",
        MEASURED,
        {"early": found.early, "late": found.late, "grown": rise(curve)[0]},
        series="memory",
        step=curve.last_step,
        span=curve.span,
        causes=(
            Cause(
                "graphs are kept",
                0.5,
                "a loss that is added up or stored without .item() keeps its graph",
                "run 100 steps with the loss stored as loss.item(), and watch the memory",
            ),
            Cause(
                "a cache or a list grows",
                0.3,
                "metrics, outputs or batches may be collected for the whole run",
                "compare two snapshots of memory, 1,000 steps apart",
            ),
            Cause("batches grow", 0.2, "longer sequences take more", "log the number of tokens in each batch"),
        ),
    )


RULE = Rule(
    code="NNP04",
    name="memory-grows",
    severity=Severity.WARNING,
    title="memory grows at every step",
    needs={"memory": MIN_POINTS},
    check=check,
    why="A memory leak ends the run with an out-of-memory error, hours or days later.",
    how=f"Early warning. The last {percent(LATE)} of the run needs {percent(MIN_GROWTH)} more memory than the first {percent(EARLY)}, by {ERRORS:g} standard errors; memory grows in {percent(MIN_RISES)} of the segments of the run, and {percent(MIN_LATE_GROWTH)} of the growth is in its second half.",
    sources=(
        Reference(
            "PyTorch, Frequently Asked Questions: my model reports 'cuda runtime error: out of memory'",
            "https://docs.pytorch.org/docs/stable/notes/faq.html",
        ),
    ),
    remedies=("detach-what-is-kept", "snapshot-memory", "profile-late-step"),
    sick=(Run.drawn(memory="20..70*100", train_loss="3..2*100"),),
    healthy=(
        Run.drawn(memory="12 20 24 24.5*50 24.6*50", train_loss="3..2*103"),
        Run.drawn(memory="24*100", train_loss="3..2*100"),
    ),
    on_request=True,
)

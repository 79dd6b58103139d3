"""Memory grows with every step."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.process import EARLY, LATE, drift, rise
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import median

MIN_GROWTH = 0.15  # share of the memory early in the run; allocators settle within that
MIN_LATE_GROWTH = 0.25  # share of the growth that comes in the second half: a leak does not level off
MIN_RISES = 0.7  # share of the run's pieces in which memory grows
ERRORS = 4.0  # standard errors of a level
MIN_POINTS = 10


def check(run: Run) -> Iterator[Symptom]:
    """See whether memory keeps growing to the end."""
    curve = run.series["memory"]
    if len(curve.y) < MIN_POINTS or curve.low < 0:
        return
    found = drift(curve)
    grown, steady = rise(curve)
    if found.early <= 0 or found.late - found.early < max(MIN_GROWTH * found.early, ERRORS * found.error):
        return
    half = median(curve.y[len(curve.y) // 2 - 1 : len(curve.y) // 2 + 2])
    end = median(curve.y[-3:])
    if steady < MIN_RISES or end - half < MIN_LATE_GROWTH * (end - median(curve.y[:3])):
        return
    yield Symptom(
        f"memory ({curve.column}) grows through the whole run, from {number(found.early)} to {number(found.late)} (+{percent(found.late / found.early - 1)}): something is kept in every step",
        MEASURED,
        {"early": found.early, "late": found.late, "grown": grown},
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

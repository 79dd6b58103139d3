"""The log ends with an out-of-memory error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nndoctor.analysis.log_ending import ended
from nndoctor.analysis.process import Drift, memory_leak
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import distinct
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

ENDING = "ended:out_of_memory"
CERTAIN = 0.98  # confidence: the log has the error message


def check(run: Run) -> Iterator[Symptom]:
    """Read the error message below the last values, and whether memory grew until then."""
    leak = memory_leak(run)
    for found in ended(run, ENDING, "the run ended with an out-of-memory error", CERTAIN):
        yield found if leak is None else _after_a_leak(run, found, leak)


def _after_a_leak(run: Run, found: Symptom, leak: Drift) -> Symptom:
    """The same of a run whose memory had grown in every step: a smaller batch only delays the end."""
    memory = run.series["memory"]
    first, last = distinct(memory.initial, memory.final)
    return replace(
        found,
        message=f"memory ({memory.column}) grew from {first} to {last}; {found.message}",
        evidence={**found.evidence, "memory_early": leak.early, "memory_late": leak.late},
        remedies=("detach-what-is-kept", "snapshot-memory", "smaller-batch"),
    )


RULE = Rule(
    code="NNP01",
    name="out-of-memory",
    severity=Severity.ERROR,
    title="the process ran out of memory",
    needs={f"fact:{ENDING}": 1},
    check=check,
    why="The run did not finish: everything after the last checkpoint is lost, whatever the curves say.",
    how="A line after the last values of a printed log says that memory could not be allocated.",
    sources=(
        Reference(
            "PyTorch documentation, CUDA semantics: memory management",
            "https://docs.pytorch.org/docs/stable/notes/cuda.html#memory-management",
        ),
    ),
    remedies=(
        "smaller-batch",
        "accumulate-gradients",
        "checkpoint-activations",
        "detach-what-is-kept",
        "snapshot-memory",
    ),
    sick=(
        Run.drawn({ENDING: "CUDA out of memory. Tried to allocate 2.00 GiB"}, train_loss="2.3 1.9 1.5 1.3 1.2"),
        Run.drawn({ENDING: "CUDA out of memory. Tried to allocate 2.00 GiB"}, train_loss="3..2*40", memory="8..76*40"),
    ),
    healthy=(Run.drawn({ENDING: ""}, train_loss="2.3 1.9 1.5 1.3 1.2"),),
    on_request=True,
)

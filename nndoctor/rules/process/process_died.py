"""The log ends with an error message: the process died."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.log_ending import ended
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

ENDING = "ended:process_error"
CERTAIN = 0.95  # confidence: the message is nearly always of this process


def check(run: Run) -> Iterator[Symptom]:
    """Read the error message below the last values."""
    return ended(run, ENDING, "the log ends with an error", CERTAIN)


RULE = Rule(
    code="NNP02",
    name="process-died",
    severity=Severity.ERROR,
    title="the process died with an error",
    needs={f"fact:{ENDING}": 1},
    check=check,
    why="The run did not finish: what its curves show is the part before the crash.",
    how="A line after the last values of a printed log is an error message (an exception, NCCL, an assertion, a signal). An interrupt by the user does not count.",
    sources=(
        Reference(
            "PyTorch documentation, torchrun: error propagation",
            "https://docs.pytorch.org/docs/stable/elastic/errors.html",
        ),
    ),
    remedies=("read-the-error", "resume-from-checkpoint"),
    sick=(Run.drawn({ENDING: "RuntimeError: NCCL error: unhandled system error"}, train_loss="2.3 1.9 1.5 1.3 1.2"),),
    healthy=(Run.drawn({ENDING: ""}, train_loss="2.3 1.9 1.5 1.3 1.2"),),
    suppressed_by=("out-of-memory", "loss-scale-collapse", "nan-loss"),
    on_request=True,
)

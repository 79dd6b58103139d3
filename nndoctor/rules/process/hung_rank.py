"""A rank no longer takes part, and the others wait for it."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.sanitize import quoted

SILENT = "silent_rank"
NO_PROGRESS = "ended:no_progress"
CERTAIN = 0.9  # confidence; a log that was copied while it was written may lack a rank's last lines


def check(run: Run) -> Iterator[Symptom]:
    """Read the message of a watchdog below the last values, or see that one rank of several stopped reporting."""
    message, silent = run.facts.get(NO_PROGRESS), run.facts.get(SILENT)
    found = message if message is not None and message.value else silent
    if found is None or found.value is None:
        return
    where = f" (line {found.line})" if found.line else ""
    yield Symptom(
        f"the log ends with a rank or a process that waits{where}: {quoted(str(found.value))}"
        if found is message
        else f"rank {found.value} reported last on line {found.line}, and the other ranks went on: it no longer takes part",
        CERTAIN,
        {"line": found.line, "text" if found is message else "rank": str(found.value)},
        line=found.line,
        causes=(
            Cause(
                "ranks called different collectives",
                0.4,
                "a branch, an uneven number of batches or an exception on one rank leaves the others waiting",
                "run two ranks with TORCH_DISTRIBUTED_DEBUG=DETAIL",
            ),
            Cause("a GPU or a link failed", 0.35, "", "look at dmesg (Xid) and nvidia-smi on the node of that rank"),
            Cause("the data loader or the disk of one rank stalled", 0.25, "", "py-spy dump the process of that rank"),
        ),
    )


RULE = Rule(
    code="NNP08",
    name="hung-rank",
    severity=Severity.ERROR,
    title="a rank no longer takes part",
    needs={f"fact:{SILENT}|fact:{NO_PROGRESS}": 1},
    check=check,
    why="Collective operations wait for every rank: a rank that hangs stops the whole run while its machines are still paid for.",
    how="Of several ranks that print their losses into one log, one stops while every other prints two values or more; or a line below the last values says that there is no progress, that a heartbeat was missed or that a rank does not respond.",
    sources=(
        Reference("NVIDIA/nccl#1260: which rank hung?", "https://github.com/NVIDIA/nccl/issues/1260"),
        Reference(
            "PyTorch documentation, Flight Recorder for debugging stuck jobs",
            "https://docs.pytorch.org/tutorials/prototype/flight_recorder_tutorial.html",
        ),
    ),
    remedies=("check-the-machine", "balance-the-ranks", "resume-from-checkpoint"),
    sick=(
        Run.drawn({SILENT: "2"}, train_loss="2.3 1.9 1.5 1.3 1.2"),
        Run.drawn({NO_PROGRESS: "no progress for 30 minutes"}, train_loss="2.3 1.9 1.5 1.3 1.2"),
    ),
    healthy=(Run.drawn({NO_PROGRESS: ""}, train_loss="2.3 1.9 1.5 1.3 1.2"),),
    suppressed_by=("process-died", "out-of-memory"),
    on_request=True,
)

"""Processes that train one model together hold different weights."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.layers import Layers
from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series


def check(run: Run) -> Iterator[Symptom]:
    """Take what the recorder noted where a process held other weights than rank 0 at the same sampled step."""
    at, ranks = run.known("ranks_strayed:step"), run.numbers("ranks_strayed:ranks")
    if at is None or not ranks:
        return
    layer = run.fact("ranks_strayed:layer")
    layers, whole = Layers(run), int(run.known("processes") or len(ranks) + 1)
    named = str(layer) if layer else None
    who = f"rank {ranks[0]:.0f}" if len(ranks) == 1 else f"{len(ranks)} of {whole} ranks"
    where = f", first those of {layers.named(named)}" if named else ""
    yield Symptom(
        f"the weights of {who} differ from rank 0's from step {step(at)} on{where}: the processes train different models",
        DIRECT,
        {"step": at, "ranks": ", ".join(f"{rank:.0f}" for rank in ranks), "processes": whole},
        series=f"layer:{named}/weight_norm" if named else None,
        step=at,
        layer=named,
        causes=_causes(layers.series(named, "update_ratio") if named else None, at),
    )


def _causes(updates: Series | None, at: float) -> tuple[Cause, ...]:
    """By whether the weights differ in the first sampled step of a layer."""
    begun = updates is not None and updates.first_step == at
    return ranked(
        Cause(
            "gradients are not averaged",
            0.6,
            "each process uses its own gradient: the model is not wrapped, or called without its wrapper",
            "call the DistributedDataParallel object itself, without .module, in every step",
        ),
        Cause(
            "different initial weights",
            0.5 if begun else 0.1,
            "they differ in the first sampled step" if begun else "they were equal in earlier samples",
            "print one weight on each rank right after the model is wrapped",
        ),
        Cause(
            "one process changed its weights alone",
            0.2,
            "an update, a reset or a clipping that only one rank does",
            "look for code that runs on rank 0 only",
        ),
    )


RULE = Rule(
    code="NN410",
    name="ranks-drift-apart",
    severity=Severity.ERROR,
    title="processes have different weights",
    needs={"layer:*/weight_norm": 1},
    check=check,
    why="Processes that train one model must have the same weights after every step. Otherwise each trains its own model on a part of the data, and only one of these is saved.",
    how="The sum of a part of each weight differs between the first rank and another one at the same sampled step. Sharded weights are left out.",
    sources=(
        Reference(
            "PyTorch documentation, DistributedDataParallel",
            "https://docs.pytorch.org/docs/stable/notes/ddp.html",
        ),
    ),
    remedies=("wrap-the-model", "check-the-step"),
    sick=(
        Run.drawn(
            facts={
                "processes": 2,
                "ranks_strayed:step": 5,
                "ranks_strayed:ranks": (1.0,),
                "ranks_strayed:layer": "fc1",
            },
            layers={"fc1/weight_norm": "5*4"},
        ),
    ),
    healthy=(Run.drawn(facts={"processes": 2}, layers={"fc1/weight_norm": "5*4"}),),
)

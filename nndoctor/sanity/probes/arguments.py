"""Whether each argument of the model has an effect: a modality that is handed over and never used."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import argument_changed, calls_of
from nndoctor.sanity.state import nudge, seed, unchanged, without_dropout

STEPS = 10  # so many steps open gates that start at zero
MAX_ARGUMENTS = 8  # arguments that are tried
UNUSED = ("mask", "len", "idx", "index")
"""Parts of the names of arguments that may be without effect: masks of full sequences, sizes, numbers of examples."""


def probe(bench: Bench) -> None:
    """Exchange each argument between the examples, after a few steps, and with weights that are all away from zero."""
    names = _names(bench)
    if len(names) < 2:  # a model of one argument is judged by its outputs
        return
    optimizer = bench.optimizer()
    bench.model.train()
    for k in range(STEPS):
        if not math.isfinite(bench.tried(bench.batches[k % len(bench.batches)], optimizer)):
            return
    idle = [name for name in names if _idle(bench, name)]
    if idle:
        nudge(bench.model)
        idle = [name for name in idle if _idle(bench, name)]
    bench.fact("arguments_seen", tuple(names))
    bench.fact("arguments_without_effect", tuple(idle))


def _names(bench: Bench) -> list[str]:
    """The arguments that differ from example to example, and that nothing lets expect to be without effect."""
    calls = calls_of(bench.subject, bench.batch)
    if not calls:
        return []
    found = [name for name, tensor in calls[0].tensors.items() if _varies(tensor) and not _may_be_unused(name)]
    return found[:MAX_ARGUMENTS]


def _varies(tensor: Tensor) -> bool:
    return tensor.ndim > 0 and len(tensor) > 1 and not torch.equal(tensor, _exchanged(tensor))


def _may_be_unused(name: str) -> bool:
    return any(part in name.lower() for part in UNUSED)


def _exchanged(tensor: Tensor) -> Tensor:
    return tensor.roll(1, 0) if tensor.ndim else tensor


@torch.no_grad()
def _idle(bench: Bench, name: str) -> bool:
    """Whether the loss is the same to the last digit with one argument taken from other examples."""
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        try:
            before = _loss(bench)
            with argument_changed(bench.model, name, _exchanged):
                after = _loss(bench)
        except ModelFileError:  # an argument that cannot be exchanged, as offsets that must rise, has an effect
            return False
    return math.isfinite(before) and before == after


def _loss(bench: Bench) -> float:
    seed(17)
    return number(bench.subject.run(bench.batch).loss)

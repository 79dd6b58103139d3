"""Whether each argument of the model has an effect: a modality that is handed over and never used."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import Change, argument_changed, calls_of
from nndoctor.sanity.state import nudge, seed, without_dropout

STEPS = 10  # so many steps open gates that start at zero
ENOUGH = 0.1  # of the values, and of the sequences that end in padding
MAX_ARGUMENTS = 8  # arguments that are tried
# Parts of the names of arguments that may be without effect: masks of full sequences, sizes, numbers of examples.
UNUSED = ("mask", "len", "idx", "index")


def probe(bench: Bench) -> None:
    """Exchange each argument between the examples, after a few steps, and with weights that are all away from zero."""
    names = _names(bench)
    if len(names) < 2:  # a model of one argument is judged by its outputs
        return
    if not bench.trained(STEPS):
        return
    changes = (_exchanged, _exchanged_within)
    idle = [(name, change) for name in names for change in changes if _idle(bench, name, change)]
    if idle:
        nudge(bench.model)
        idle = [(name, change) for name, change in idle if _idle(bench, name, change)]
    bench.fact("arguments_seen", tuple(names))
    bench.fact("arguments_without_effect", tuple(dict.fromkeys(name for name, _ in idle)))


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


def _exchanged_within(tensor: Tensor) -> Tensor:
    """The same for padded sequences of numbers, with the padding where it was: their lengths alone have an effect."""
    if tensor.is_floating_point() or tensor.ndim != 2 or tensor.shape[1] < 2:
        return tensor
    padding, other = tensor[:, -1].mode().values, tensor.roll(1, 0)
    kept = (tensor == padding) | (other == padding)
    padded = float((tensor[:, -1] == padding).double().mean())
    changed = torch.where(kept, tensor, other)
    enough = float((changed != tensor).double().mean()) > ENOUGH and bool(kept.any())
    return changed if padded > ENOUGH and enough else tensor


@torch.no_grad()
def _idle(bench: Bench, name: str, change: Change) -> bool:
    """Whether the loss is the same to the last digit with one argument taken from other examples."""
    touched = False

    def counted(tensor: Tensor) -> Tensor:
        nonlocal touched
        changed = change(tensor)
        touched = touched or changed is not tensor
        return changed

    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        try:
            before = _loss(bench)
            with argument_changed(bench.model, name, counted):
                after = _loss(bench)
        except ModelFileError:  # an argument that cannot be exchanged, as offsets that must rise, has an effect
            return False
    return touched and math.isfinite(before) and before == after


def _loss(bench: Bench) -> float:
    seed(17)
    return number(bench.subject.run(bench.batch).loss)

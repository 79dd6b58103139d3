"""Whether each argument of the model has an effect: a modality that is handed over and never used."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import Change, argument_changed, calls_of
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import nudge, seed

STEPS = 10  # so many steps open gates that start at zero
ENOUGH = 0.1  # of the values, and of the sequences that end in padding
MIN_PLACES = 8  # of a sequence
MAX_COLUMNS = 32  # of a table of numbers
MAX_ARGUMENTS = 8  # arguments that are tried
# Parts of the names of arguments that may be without effect: masks of full sequences, sizes, numbers of examples.
UNUSED = ("mask", "len", "idx", "index")


def probe(bench: Bench) -> None:
    """Exchange each argument between the examples, then all of it but one place, after a few steps, and with weights away from zero.

    What a model of one argument makes of all of it is judged by its outputs.
    """
    names = _names(bench)
    if not names or not bench.trained(STEPS):
        return
    changes = CHANGES if len(names) > 1 else {k: v for k, v in CHANGES.items() if k != WHOLE}
    idle = [(name, what) for name in names for what in changes if _idle(bench, name, CHANGES[what])]
    if idle:
        nudge(bench.model)
        idle = [(name, what) for name, what in idle if _idle(bench, name, CHANGES[what])]
    else:
        bench.fact("columns_without_effect", _idle_columns(bench, names))
    parts = {what: tuple(dict.fromkeys(name for name, each in idle if each == what)) for what in CHANGES}
    bench.fact("arguments_seen", tuple(names))
    bench.fact("arguments_without_effect", parts[WHOLE])
    for what in (TOKENS, *PLACES):
        bench.fact(f"arguments_without_{what}", tuple(name for name in parts[what] if name not in parts[WHOLE]) or None)


def _idle_columns(bench: Bench, names: list[str]) -> tuple[str, ...] | None:
    """The columns of tables that have no effect by themselves, after training and with other weights."""
    calls = calls_of(bench.subject, bench.batch)
    columns = [(name, k) for name in names for k in _columns(calls[0].tensors[name])]
    idle = [(name, k) for name, k in columns if _idle(bench, name, _only(k))]
    if not idle:
        return None
    nudge(bench.model)
    return tuple(f"column {k} of {name}" for name, k in idle if _idle(bench, name, _only(k))) or None


def _columns(tensor: Tensor) -> range:
    """The columns of a table: of numbers or of a few categories."""
    most = MAX_COLUMNS if tensor.is_floating_point() else MIN_PLACES - 1
    return range(tensor.shape[1]) if tensor.ndim == 2 and 2 <= tensor.shape[1] <= most else range(0)


def _only(column: int) -> Change:
    """A change that takes one column from other examples."""

    def exchanged(tensor: Tensor) -> Tensor:
        changed = tensor.clone()
        changed[:, column] = tensor.roll(1, 0)[:, column]
        return changed if bool((changed != tensor).any()) else tensor

    return exchanged


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


def _all_but(place: int, dimension: int) -> Change:
    """A change of sequences of numbers or tokens that leaves one of their places as it is."""

    def exchanged(tensor: Tensor) -> Tensor:
        shaped = tensor.ndim == 3 if tensor.is_floating_point() else tensor.ndim == 2
        if not shaped or dimension >= tensor.ndim or tensor.shape[dimension] < MIN_PLACES:
            return tensor
        changed = _exchanged(tensor).clone()
        changed.select(dimension, place).copy_(tensor.select(dimension, place))
        return changed if float((changed != tensor).double().mean()) > ENOUGH else tensor

    return exchanged


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


WHOLE, TOKENS = "effect", "tokens"
PLACES = ("other_places_than_the_first", "other_places_than_the_last")
CHANGES: dict[str, Change] = {
    WHOLE: _exchanged,
    TOKENS: _exchanged_within,
    PLACES[0]: _all_but(0, 1),
    PLACES[1]: _all_but(-1, 1),
}
"""What is taken from other examples: all, all tokens with the padding where it was, all places but one."""


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

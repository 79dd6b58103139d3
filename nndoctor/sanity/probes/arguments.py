"""Whether each argument of the model has an effect: a modality that is handed over and never used."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor

from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import argument_changed, calls_of
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.exchanges import CHANGES, PARTS, WHOLE, Exchange, columns, exchanged, only
from nndoctor.sanity.state import nudge, seed

STEPS = 10  # so many steps open gates that start at zero
MAX_ARGUMENTS = 8  # arguments that are tried
# Parts of the names of arguments that may be without effect: masks of full sequences, sizes, numbers of examples.
UNUSED = ("mask", "len", "idx", "index")
OFTEN_ZERO = re.compile(
    r"mask|type|pos|len|idx|index|state|hidden|segment|step|time|head|past|cell|init|noise|bias", re.IGNORECASE
)
"""In the names of arguments that may be zero everywhere."""
OF_ONE = re.compile(r"\[\d+\]\[")  # in the name of a tensor that is in a dict of a list


@dataclass(frozen=True, slots=True)
class Asked:
    """An argument, and what of it is taken from other examples."""

    name: str
    what: str
    change: Exchange


def probe(bench: Bench) -> None:
    """Exchange each argument between the examples, then all of it but one place, after a few steps, and with weights away from zero.

    What a model of one argument makes of all of it is judged by its outputs.
    """
    bench.fact("arguments_all_zero", tuple(_all_zero(bench)) or None)
    names = _names(bench)
    if not names or not bench.trained(STEPS):
        return
    exact = _is_exact(bench)
    idle = _without_effect(bench, [one for one in _parts(names) if exact or one.what == WHOLE])
    if exact and not idle:
        found = tuple(one.what for one in _without_effect(bench, _columns(bench, names)))
        bench.fact("columns_without_effect", found or None)
    whole = _among(idle, WHOLE)
    bench.fact("arguments_seen", tuple(names))
    bench.fact("arguments_without_effect", whole)
    for what in PARTS:
        bench.fact(f"arguments_without_{what}", tuple(n for n in _among(idle, what) if n not in whole) or None)


@torch.no_grad()
def _all_zero(bench: Bench) -> list[str]:
    """The arguments, beside others, that hold nothing but zeros in two batches, and from whose names that is not to be expected."""
    zero: list[set[str]] = []
    for batch in (bench.batches * 2)[:2]:
        calls = calls_of(bench.subject, batch)
        given = calls[0].tensors if calls else {}
        empty = [n for n, t in given.items() if t.ndim > 1 and len(t) > 1 and t[0].numel() > 1 and not bool(t.any())]
        zero.append({n for n in empty if len(given) > len(empty) and not OFTEN_ZERO.search(n)})
    return sorted(zero[0] & zero[1]) if zero else []


@torch.no_grad()
def _is_exact(bench: Bench) -> bool:
    """Whether the loss has the digits that a part of an argument may change: half precision has three."""
    return bench.subject.run(bench.batch).loss.dtype in (torch.float32, torch.float64)


def _parts(names: list[str]) -> list[Asked]:
    """Each of several arguments as a whole, and all of it but a part."""
    return [Asked(name, what, CHANGES[what]) for name in names for what in CHANGES if len(names) > 1 or what != WHOLE]


def _columns(bench: Bench, names: list[str]) -> list[Asked]:
    given = calls_of(bench.subject, bench.batch)[0].tensors
    return [Asked(name, f"column {k} of {name}", only(k)) for name in names for k in columns(given[name])]


def _among(idle: list[Asked], what: str) -> tuple[str, ...]:
    return tuple(one.name for one in idle if one.what == what)


def _without_effect(bench: Bench, asked: list[Asked]) -> list[Asked]:
    """What has no effect, with the weights as they are and once more with all of them moved."""
    idle = [one for one in asked if _idle(bench, one)]
    if idle:
        nudge(bench.model)
    return [one for one in idle if _idle(bench, one)]


def _names(bench: Bench) -> list[str]:
    """The arguments that differ from example to example, and that nothing lets expect to be without effect.

    Of a model that takes the whole batch as one argument none: the targets are in it, and what only the data need.
    """
    calls = calls_of(bench.subject, bench.batch)
    whole = len(tensors(bench.batch))
    if not calls or any(not isinstance(given, Tensor) and len(tensors(given)) == whole for given in calls[0].given):
        return []
    found = [name for name, tensor in calls[0].tensors.items() if _varies(tensor) and not _may_be_unused(name)]
    return found[:MAX_ARGUMENTS]


def _varies(tensor: Tensor) -> bool:
    return tensor.ndim > 0 and len(tensor) > 1 and not torch.equal(tensor, exchanged(tensor))


def _may_be_unused(name: str) -> bool:
    """Whether it is a mask or a size, or belongs to one example, as its boxes, so that others have none in its place."""
    return any(part in name.lower() for part in UNUSED) or bool(OF_ONE.search(name))


@torch.no_grad()
def _idle(bench: Bench, asked: Asked) -> bool:
    """Whether the loss is the same to the last digit with a part of an argument taken from other examples."""
    touched, calls = False, 0

    def counted(tensor: Tensor) -> Tensor:
        nonlocal touched, calls
        calls += 1  # what all calls took from the same examples would only be another order of them
        changed = asked.change(tensor, 1 + (calls - 1) % max(len(tensor) - 1, 1) if tensor.ndim else 1)
        touched = touched or changed is not tensor
        return changed

    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        try:
            before = _loss(bench)
            with argument_changed(bench.model, asked.name, counted):
                after = _loss(bench)
        except ModelFileError:  # an argument that cannot be exchanged, as offsets that must rise, has an effect
            return False
    return touched and math.isfinite(before) and before == after


def _loss(bench: Bench) -> float:
    seed(17)
    return number(bench.subject.run(bench.batch).loss)

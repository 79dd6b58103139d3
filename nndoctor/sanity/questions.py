"""Which tensors of a batch are labels, or have a role that others do not have: what can be exchanged between examples to ask for it."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.batches import Batch, all_inputs, split, tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import calls_of
from nndoctor.sanity.holdout import listed
from nndoctor.sanity.label_fit import Place

PAIR = 2
ROLES = (2, 3)  # tensors of a batch, the last two of which have different roles
TAGS = 3  # times as many tokens as tags


def questions(bench: Bench, sample: Batch) -> list[Place]:
    """What is exchanged between examples: the target, or where none is known each tensor of another form than the first.

    Where all have one form, the roles of two are. Of several labels, as times and events, all belong to the only input, which is exchanged instead.
    """
    if _is_only_input(bench, sample):
        return [0]
    if listed(sample):
        return []
    if bench.target(sample) is not None and not _own_input(bench, sample):
        return [None]
    first, *others = tensors(sample)
    if bench.subject.loss is not None:  # then several targets are known as such
        targets = {id(t) for t in tensors(split(sample)[2])}
        return [k for k, t in enumerate(others, 1) if id(t) in targets and bool((t != t[:1]).any())]
    asked = _not_given(bench)
    return [k for k, t in enumerate(others, 1) if k in asked and _differs(t, first)] or _roles(bench, [first, *others])


def _differs(one: Tensor, first: Tensor) -> bool:
    """Whether a tensor has another form than the first, and is not the same for all examples."""
    return bool(one.ndim) and (one.shape, one.dtype) != (first.shape, first.dtype) and bool((one != one[:1]).any())


def _roles(bench: Bench, given: list[Tensor]) -> list[Place]:
    """Which of the last two of two or three tensors of one form is which, as the chosen and the rejected answer of a pair."""
    alike = len({(t.shape, t.dtype) for t in given}) == 1 and bench.subject.step is not None
    return [(len(given) - 2, len(given) - 1)] if alike and len(given) in ROLES else []


def _is_only_input(bench: Bench, sample: Batch) -> bool:
    """Whether a step gives the model the first of at least three tensors alone: the others are labels."""
    if bench.subject.step is None or len(tensors(sample)) < 3:
        return False
    first = tensors(bench.batch)[0]
    taken = _taken(bench)
    return len(taken) == 1 and taken[0].shape == first.shape and torch.equal(taken[0], first)


def _not_given(bench: Bench) -> set[int]:
    """The places of a batch with more than two tensors that a step does not hand to the model, which is given some; all where it is given each of them, or none."""
    own = tensors(bench.batch)
    every = set(range(len(own)))
    if bench.subject.step is None or len(own) <= PAIR:
        return every
    taken = _taken(bench)
    return {k for k in every if not any(t.shape == own[k].shape and torch.equal(t, own[k]) for t in taken)} or every


def _taken(bench: Bench) -> list[Tensor]:
    """The tensors that the model is given in one pass."""
    return [t for call in calls_of(bench.subject, bench.batch) for t in call.tensors.values()]


def _own_input(bench: Bench, pool: Batch) -> bool:
    """Whether the labels are the inputs, as those of a causal language model and of an autoencoder are."""
    target = bench.target(pool)
    return target is None or any(
        t.shape == target.shape and t.dtype == target.dtype and not _are_tags(target, t) for t in all_inputs(pool)
    )


def _are_tags(target: Tensor, tokens: Tensor) -> bool:
    """Whether whole numbers beside the tokens of sequences are tags: far fewer kinds than there are tokens."""
    kinds, words = len(torch.unique(target)), len(torch.unique(tokens))
    return tokens.ndim > 1 and not tokens.is_floating_point() and TAGS * kinds <= words

"""Texts of a prompt and its answer: whether the labels leave out the prompt, or the answer, or the token that ends a text."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nndoctor.experiment.steps import IGNORED
from nndoctor.sanity.batches import Batch
from nndoctor.sanity.bench import Bench

BATCHES = 4
FEWEST_ROWS, MANY_TOKENS = 16, 8  # texts that are looked at, and different tokens that are left out: padding is one
NEARLY_ALL = 0.9  # of the texts
MOST_SHOWN = 0.3  # of the tokens: labels that leave out more are those of short answers

Texts = tuple[Tensor, Tensor, Tensor]
"""Tokens, where their labels are kept, and where they are no padding."""


def probe(bench: Bench) -> None:
    """Note the share of the texts whose labels keep the beginning and leave out the end, where nearly all do, and an end that no label has."""
    every = [_texts(batch) for batch in bench.batches[:BATCHES]]
    found = [texts for texts in every if texts is not None]
    _ends(bench, found)
    if len(found) < len(every):
        return
    reversed_, rows, tokens = 0, 0, set[int]()
    for text, kept, real in found:
        left_out = real & ~kept
        shown = kept & real
        rows += len(text)
        # From the first label that is left out on, none is kept.
        late = left_out.cumsum(1) > 0
        reversed_ += int((left_out.any(1) & shown.any(1) & ~(shown & late).any(1)).sum())
        tokens |= set(text[left_out].tolist())
    if rows >= FEWEST_ROWS and len(tokens) >= MANY_TOKENS and reversed_ > NEARLY_ALL * rows:
        bench.fact("answers_left_out", reversed_ / rows)


def _ends(bench: Bench, found: list[Texts]) -> None:
    """Note the token that ends texts where the labels leave it out in all of them, as where padding is the same token."""
    end = getattr(getattr(bench.model, "config", None), "eos_token_id", None)
    if not isinstance(end, int) or not found:
        return
    ended, counted, rows, shown, real = 0, 0, 0, 0, 0
    for text, kept, inside in found:
        at = (text == end) & inside
        at[:, 0] = False  # a text may begin with the same token
        rows, ended, counted = rows + len(text), ended + int(at.any(1).sum()), counted + int((at & kept).sum())
        shown, real = shown + int((kept & inside).sum()), real + int(inside.sum())
    if rows >= FEWEST_ROWS and ended > NEARLY_ALL * rows and not counted and shown > MOST_SHOWN * real:
        bench.fact("end_left_out", end)


def _texts(batch: Batch) -> Texts | None:
    """The texts of a batch; None for anything but labels that are the tokens."""
    if not isinstance(batch, Mapping):
        return None
    text, labels, mask = (batch.get(name) for name in ("input_ids", "labels", "attention_mask"))
    if not isinstance(text, Tensor) or not isinstance(labels, Tensor) or text.ndim != 2 or text.shape != labels.shape:
        return None
    kept = labels != IGNORED
    if not torch.equal(text[kept], labels[kept]):
        return None
    given = isinstance(mask, Tensor) and mask.shape == text.shape
    return text, kept, mask.bool() if given and isinstance(mask, Tensor) else _before_padding(text)


def _before_padding(text: Tensor) -> Tensor:
    """All but a run of one token at the end of a row."""
    tail = text.eq(text[:, -1:]).flip(1).cumprod(1).flip(1).bool()
    return ~(tail & (tail.sum(1, keepdim=True) > 1))

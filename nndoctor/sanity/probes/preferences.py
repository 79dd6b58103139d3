"""Pairs of a chosen and a rejected answer: whether training makes the rejected ones more likely."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.calls import ModelCall
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed
from nndoctor.sanity.subject import main_output

ROLES = (("chosen", "rejected"), ("preferred", "dispreferred"), ("winner", "loser"))
STEPS = 40
JUDGED = 6  # batches whose answers are scored before and after
SURE = 5.0  # standard errors
TOKENS, SCORES = 3, 2  # dimensions of the outputs of a language model and, at most, of a reward model


def probe(bench: Bench) -> None:
    """Score both answers by log-probability, or by reward, before and after some of the user's steps."""
    judged = bench.batches[:JUDGED]
    if not all(_answers(batch) for batch in judged):
        return
    before = _margins(bench, judged)
    if before is None:
        return
    if not bench.trained(STEPS):
        return
    after = _margins(bench, judged)
    if after is None or after.shape != before.shape or not bool(torch.isfinite(after).all()):
        return
    change = after - before
    error = float(change.std()) / math.sqrt(len(change)) if len(change) > 1 else math.inf
    bench.fact("preference_steps", STEPS)
    bench.fact("preference_before", float(before.mean()))
    bench.fact("preference_after", float(after.mean()))
    bench.fact("preference_reversed", float(change.mean()) < -SURE * error)


def _answers(batch: Batch) -> tuple[Tensor, Tensor] | None:
    """The tokens of the chosen and of the rejected answers, by the names that a batch gives them."""
    if not isinstance(batch, Mapping):
        return None
    named = {str(k).lower(): v for k, v in batch.items() if isinstance(v, Tensor) and not v.is_floating_point()}
    for good, bad in ROLES:
        for name, tensor in named.items():
            other = named.get(name.replace(good, bad))
            if good in name and "mask" not in name and other is not None and tensor.ndim == other.ndim == 2:
                return tensor, other
    return None


@torch.no_grad()
def _margins(bench: Bench, batches: list[Batch]) -> Tensor | None:
    """How much higher each chosen answer is scored than the rejected one; None where a pass shows no such scores."""
    found: list[Tensor] = []
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        for batch in batches:
            pair = _answers(batch)
            scores = [] if pair is None else _scores(bench, batch, pair)
            if len(scores) != 2 or scores[0].shape != scores[1].shape:
                return None
            found.append(scores[0] - scores[1])
    return torch.cat(found)


def _scores(bench: Bench, batch: Batch, pair: tuple[Tensor, Tensor]) -> list[Tensor]:
    """The scores of both answers, from whichever calls of the model take them."""
    kept: list[tuple[Tensor, Tensor]] = []

    def note(_: torch.nn.Module, places: tuple[object, ...], names: dict[str, object], output: object) -> None:
        given = ModelCall(places, names, ()).tensors.values()
        tokens = next((t for t in given if t.ndim == 2 and not t.is_floating_point()), None)
        scored = main_output(output)
        if tokens is not None and scored is not None:
            kept.append((tokens, scored.detach()))

    handle = bench.model.register_forward_hook(note, with_kwargs=True)
    try:
        seed(19)
        bench.subject.run(batch)
    finally:
        handle.remove()
    rows = [(t, s) for tokens, output in kept for t, s in zip(tokens, output, strict=False)]
    for holds in (_ends_with, _begins_with):
        found = [one for answers in pair if (one := _of_rows(rows, answers, holds)) is not None]
        if len(found) == len(pair):
            return found
    return []


def _of_rows(
    rows: list[tuple[Tensor, Tensor]], answers: Tensor, holds: Callable[[Tensor, Tensor], bool]
) -> Tensor | None:
    """The score of each answer: that of the row that holds it."""
    scores: list[Tensor] = []
    at = 0
    for answer in answers:
        while at < len(rows) and not holds(rows[at][0], answer):
            at += 1
        if at == len(rows):
            return None
        scores.append(_score(*rows[at]))
        at += 1
    return torch.stack(scores)


def _ends_with(row: Tensor, answer: Tensor) -> bool:
    """Whether a row of tokens is an answer, with the prompt before it."""
    return len(row) >= len(answer) and torch.equal(row[len(row) - len(answer) :], answer)


def _begins_with(row: Tensor, answer: Tensor) -> bool:
    """Whether a row of tokens is an answer, with padding after it."""
    return len(row) >= len(answer) and torch.equal(row[: len(answer)], answer)


def _score(row: Tensor, output: Tensor) -> Tensor:
    """The log-probability of the tokens after the first, or the number that a reward model gives."""
    if output.ndim + 1 < TOKENS or output.shape[0] != len(row):
        return output.double().reshape(-1)[-1]
    chosen = output[:-1].double().log_softmax(-1).gather(1, row[1:, None])[:, 0]
    return chosen.sum()

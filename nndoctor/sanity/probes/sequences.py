"""Sequences of tokens: padding that counts in the loss, and where the targets are found in the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nndoctor.experiment.steps import IGNORED
from nndoctor.sanity.batches import Batch, first_input, rebuilt, split
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.structured import neighbours_differ
from nndoctor.sanity.subject import main_output

LONG = 4  # tokens that a sequence must have
MOSTLY = 0.5  # of the places: fewer tell nothing of a model that sees both ways, from which some are hidden
SOME = 0.1  # the same of a causal model, whose rows may be mostly padding
ROUNDING = 1e-4  # of the outputs' size


def probe(bench: Bench) -> None:
    """Where the input holds the targets of the loss; then padding, where targets are whole numbers by example and place."""
    _offset(bench)
    bench.fresh_start()
    target = bench.target(bench.batch)
    if target is None or target.is_floating_point() or target.ndim != 2 or target.shape[1] < LONG:
        return
    _padding(bench, target)


def _offset(bench: Bench) -> None:
    """How many places later in the input the loss finds its targets: 1 where a causal model predicts the next token.

    A model that sees both ways has its targets hidden from the input; where they are not, it learns to copy.
    Seen at the one loss of torch's that is the whole loss, after whatever shift a model makes by itself.
    """
    tokens = first_input(bench.batch)
    if tokens is None or not _is_text(tokens):
        return
    rows = _targets_of_loss(bench, tokens)
    causal = rows is not None and _causal(bench, tokens)
    if rows is None or not (causal or _hides(bench)):
        return
    shares = [_found(rows, tokens, offset, SOME if causal else MOSTLY) for offset in range(LONG)]
    if not causal:
        bench.fact("target_offset", 0 if shares[0] == 1.0 else None)
    elif 1.0 in shares:
        bench.fact("target_offset", shares.index(1.0))
    elif max(shares) < MOSTLY < _kept(rows) and _own_labels(bench):
        bench.fact("labels_found_in_input", max(shares))


def _hides(bench: Bench) -> bool:
    """Whether a model that sees both ways takes its loss itself, so that its targets have to be hidden from it."""
    return _own_labels(bench) and not _has_decoder(bench)


def _is_text(tokens: Tensor) -> bool:
    """Whether whole numbers come by example and place, in rows that are long enough."""
    return not tokens.is_floating_point() and tokens.ndim == 2 and tokens.shape[1] >= 2 * LONG


def _targets_of_loss(bench: Bench, tokens: Tensor) -> Tensor | None:
    """The targets of the only loss of torch's, a row an example; None where there are too few to be compared."""
    call = bench.subject.observed(bench.batch)[1]
    if call is None or call.target.is_floating_point():
        return None
    n, length = tokens.shape
    if call.target.numel() not in (n * length, n * (length - 1)) or not neighbours_differ(tokens):
        return None
    rows: Tensor = call.target.reshape(n, -1)
    return rows if _kept(rows) > SOME else None


def _kept(rows: Tensor) -> float:
    return float((rows != IGNORED).double().mean())


def _found(rows: Tensor, tokens: Tensor, offset: int, least: float) -> float:
    """The share of the targets that are the input's token so many places later; padding does not count."""
    there = tokens[:, offset:][:, : rows.shape[1]]
    held = rows[:, : there.shape[1]]
    kept = held != IGNORED
    return float((held == there)[kept].double().mean()) if float(kept.double().mean()) > least else 0.0


def _own_labels(bench: Bench) -> bool:
    """Whether a language model takes its loss itself, from labels that are the input's tokens by its convention."""
    own = bench.subject.loss is None and bench.subject.step is None
    return own and isinstance(bench.batch, Mapping) and {"input_ids", "labels"} <= set(bench.batch)


def _has_decoder(bench: Bench) -> bool:
    """Whether a model of two parts generates its targets, for which copying may be the task."""
    return bool(getattr(getattr(bench.model, "config", None), "is_encoder_decoder", False))


def is_causal(bench: Bench) -> bool:
    """Whether the outputs at a place do not depend on later tokens of the first input."""
    tokens = first_input(bench.batch)
    return tokens is not None and _is_text(tokens) and _causal(bench, tokens)


@torch.no_grad()
def _causal(bench: Bench, tokens: Tensor) -> bool:
    """Whether outputs at a place stay the same when later tokens change."""
    if not bench.alike(bench.batch) or len(tokens) < 2:
        return False
    half = tokens.shape[1] // 2
    bench.model.eval()
    before, after = (_scores(bench, b) for b in (bench.batch, _mixed(bench.batch, tokens, half)))
    if before is None or after is None or before.shape != after.shape or before.ndim != 3:
        return False
    lengths = (tokens.shape[1], tokens.shape[1] - 1)  # without the first or the last place, where the step cuts them
    places = 2 if before.shape[1] not in lengths and before.shape[2] in lengths else 1  # convolutions have them last
    if before.shape[places] < half:
        return False
    early, changed = before.narrow(places, 0, half), after.narrow(places, 0, half)
    return float((changed - early).norm() / early.norm().clamp_min(1e-12)) < ROUNDING


def _padding(bench: Bench, target: Tensor) -> None:
    """The share of the targets in runs of one value at the rows' ends, and whether the loss depends on outputs there."""
    value = int(target[:, -1].mode().values)
    if value == IGNORED:
        return
    tail = target.eq(value).flip(1).cumprod(1).flip(1).bool()
    tail[:, 0] = False
    if not bool(tail.any()) or not _counted(bench, tail):
        return
    bench.fact("padding_in_loss", float(tail.double().mean()))
    bench.fact("padding_value", value)


def _counted(bench: Bench, tail: Tensor) -> bool:
    """Whether outputs at these places have a gradient: a loss that ignores padding gives them none."""
    output, loss = _graded(bench)
    if output is None or loss is None or not loss.requires_grad:
        return False
    found: Sequence[Tensor | None] = torch.autograd.grad(loss, output, allow_unused=True)
    by_place = None if found[0] is None else _by_place(found[0], tail)
    return by_place is not None and float((by_place[tail] > 0).double().mean()) > 0.5


def _graded(bench: Bench) -> tuple[Tensor | None, Tensor | None]:
    """The output and the loss of the first batch in one graph."""
    subject = bench.subject
    if subject.loss is None:
        outcome = subject.run(bench.batch)
        return main_output(outcome.output), outcome.loss
    output = subject.output(bench.batch)
    return main_output(output), subject.loss_of(output, split(bench.batch)[2])


def _by_place(gradient: Tensor, tail: Tensor) -> Tensor | None:
    """The size of the gradient by example and place, whichever dimension the scores are in."""
    if gradient.ndim == 3 and gradient.shape[:2] == tail.shape:
        return gradient.abs().sum(2)
    if gradient.ndim == 3 and (gradient.shape[0], gradient.shape[2]) == tail.shape:
        return gradient.abs().sum(1)
    return gradient.abs().sum(1).reshape(tail.shape) if gradient.ndim == 2 and len(gradient) == tail.numel() else None


def _mixed(batch: Batch, tokens: Tensor, half: int) -> Batch:
    """The batch with the later tokens of every example taken from its neighbour."""
    changed = torch.cat([tokens[:, :half], tokens.roll(1, 0)[:, half:]], 1)
    return rebuilt(
        batch, lambda t: changed if t is tokens or (t.shape == tokens.shape and torch.equal(t, tokens)) else t
    )


def _scores(bench: Bench, batch: Batch) -> Tensor | None:
    return main_output(bench.subject.run(batch).output)

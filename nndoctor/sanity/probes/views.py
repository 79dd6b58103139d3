"""Two views of each example, without labels: whether training comes to tell which belong together, and keeps embeddings apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.batches import Batch
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.calls import Place, arguments_replaced, calls_of, outputs_and_loss
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.state import seed

STEPS, LONGER = 100, 300  # more where the first ones show nothing of views that are not alike
PASSES, TIME_SHARE = 150, 0.3  # what it costs, in steps, and the share of the time left that it may take
LOOKS = 8  # batches, or draws of augmentation, on which the loss is taken before and after
SURE, LIKELY = 5.0, 2.0  # standard errors
VIEWS = 2  # of each example
WIDTH = 8  # of an embedding; narrower outputs are scores
SMALLEST, FEATURES = 4, 4  # examples in a batch, and numbers of each
BLIND_TO_ORDER = 1e-6  # of the loss: a sum over views that are not compared changes by rounding only


@dataclass(frozen=True, slots=True)
class Look:
    """Losses as they are, how far they rise with views of other examples and with views exchanged, and the embeddings' spread."""

    loss: Tensor
    paired: Tensor
    exchanged: Tensor
    spread: float | None


def probe(bench: Bench) -> None:
    """Compare the loss of views that belong together with that of others, at the start and after some of the user's steps."""
    if bench.subject.loss is not None:
        return
    seed(7)
    given = [call.tensors for call in calls_of(bench.subject, bench.batch)]
    views = _views(given[:VIEWS])
    if views is None:
        _same_twice(bench, given)
    if views is None or _labelled(bench, *views):
        return
    if PASSES * bench.step_time > TIME_SHARE * bench.clock.left:
        bench.unchecked.append("two views of each example")
        return
    trained, held = _halves(bench.batches)
    before = _look(bench, held, *views)
    if bool((before.paired.abs() <= BLIND_TO_ORDER * before.loss.abs()).all()):
        bench.fact("views_not_compared", _alike(bench, held, *views, SURE))
        return
    alike = _alike(bench, held, *views, LIKELY)
    bench.fresh_start()
    if not bench.trained(STEPS, trained):
        return
    after, steps = _look(bench, held, *views), STEPS
    if not alike and not _clear(after.paired):  # a slow start does not show which views belong together either
        steps += LONGER
        if LONGER * bench.step_time > TIME_SHARE * bench.clock.left or not bench.trained(LONGER, trained):
            bench.unchecked.append("two views of each example")
            return
        after = _look(bench, held, *views)
    _note(bench, before, after, steps, alike=alike)


def _halves(batches: list[Batch]) -> tuple[list[Batch], list[Batch]]:
    """Batches to train on, and others to look at: random pairs that come with the data can be memorized."""
    middle = len(batches) // 2
    return (batches[:middle], batches[middle:]) if middle else (batches, batches)


def _note(bench: Bench, before: Look, after: Look, steps: int, *, alike: bool) -> None:
    fall = float((before.loss - after.loss).mean())
    bench.fact("view_steps", steps)
    bench.fact("views_alike", alike)
    bench.fact("views_symmetric", float(after.exchanged.abs().mean()) < 0.2 * abs(fall) + float(after.loss.std()))
    bench.fact("pairing_clear_before", _clear(before.paired))
    bench.fact("pairing_clear_after", _clear(after.paired))
    bench.fact("pairing_before", float(before.paired.mean()))
    bench.fact("pairing_after", float(after.paired.mean()))
    bench.fact("views_loss_before", float(before.loss.mean()))
    bench.fact("views_loss_after", float(after.loss.mean()))
    bench.fact("spread_before", before.spread)
    bench.fact("spread_after", after.spread)


def _clear(differences: Tensor, errors: float = SURE) -> bool:
    """Whether the mean is above zero by so many standard errors."""
    return float(differences.mean()) > errors * float(differences.std()) / math.sqrt(len(differences))


def _views(given: list[dict[str, Tensor]]) -> tuple[Place, Place] | None:
    """The first two inputs of one form: of one call, or the same argument of the first two calls."""
    found = _of_one_call(given[0]) if given else None
    return found or (_of_two_calls(*given) if len(given) == 2 else None)


def _of_one_call(given: Mapping[str, Tensor]) -> tuple[Place, Place] | None:
    numbers = {name: t for name, t in given.items() if t.is_floating_point() and _of_examples(t)}
    same = [name for name, t in numbers.items() if t.shape == next(iter(numbers.values())).shape]
    if len(same) != 2 or torch.equal(given[same[0]], given[same[1]]):
        return None
    return (0, same[0]), (0, same[1])


def _of_two_calls(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> tuple[Place, Place] | None:
    name = next(iter(first), "")
    if name not in second or first[name].shape != second[name].shape or not _of_examples(first[name]):
        return None
    return None if torch.equal(first[name], second[name]) else ((0, name), (1, name))


def _same_twice(bench: Bench, given: list[dict[str, Tensor]]) -> None:
    """Note two passes of the same input that give the same output, both of which the loss of a step without labels trains."""
    if len(given) != VIEWS or given[0].keys() != given[1].keys():
        return
    target = bench.target(bench.batch)
    if target is not None and not any(torch.equal(target, t) for t in given[0].values()):
        return
    if not all(_of_examples(t) and torch.equal(t, given[1][name]) for name, t in given[0].items()):
        return
    with unchanged(bench.model), torch.enable_grad():
        bench.model.train()
        one, other = outputs_and_loss(bench.subject, bench.batch)[0]
    trained = all(t.requires_grad for t in (*one, *other)) and len(one) == len(other) > 0
    if trained and all(map(torch.equal, one, other)):
        bench.fact("same_view_twice", value=True)


def _of_examples(tensor: Tensor) -> bool:
    """Whether it has enough examples, and more of each than the coordinates of a point."""
    return tensor.ndim > 1 and len(tensor) >= SMALLEST and tensor[0].numel() >= FEATURES


def _labelled(bench: Bench, first: Place, second: Place) -> bool:
    """Whether the loss depends on a target other than one of the views."""
    target = bench.target(bench.batch)
    return target is not None and not any(torch.equal(target, t) for t in _taken(bench, bench.batch, 7, first, second))


@torch.no_grad()
def _look(bench: Bench, batches: list[Batch], first: Place, second: Place) -> Look:
    losses, paired, exchanged, spreads = [], [], [], []
    with unchanged(bench.model):
        bench.model.train()
        without_dropout(bench.model)
        for k in range(LOOKS):
            batch = batches[k % len(batches)]
            seed(k)
            kept, loss = outputs_and_loss(bench.subject, batch)
            spreads += [s for t in kept[0] if (s := _spread(t)) is not None][:1]
            one, other = _taken(bench, batch, k, first, second)
            losses.append(number(loss))
            paired.append(_loss(bench, batch, k, {second: other.roll(len(other) // 2, 0)}) - losses[-1])
            exchanged.append(_loss(bench, batch, k, {first: other, second: one}) - losses[-1])
    spread = sum(spreads) / len(spreads) if len(spreads) == LOOKS else None
    return Look(torch.tensor(losses), torch.tensor(paired), torch.tensor(exchanged), spread)


def _spread(output: Tensor) -> float | None:
    """How much of the mean square of embeddings differs from example to example; None for outputs of another form."""
    if not output.is_floating_point() or output.ndim != 2 or output.shape[1] < WIDTH:
        return None
    vectors = output.double()
    return float((vectors - vectors.mean(0)).square().sum() / vectors.square().sum().clamp_min(1e-30))


def _taken(bench: Bench, batch: Batch, k: int, first: Place, second: Place) -> tuple[Tensor, Tensor]:
    seed(k)
    calls = calls_of(bench.subject, batch)
    one, other = (calls[call].tensors[name] for call, name in (first, second))
    return one, other


@torch.no_grad()
def _alike(bench: Bench, batches: list[Batch], first: Place, second: Place, errors: float) -> bool:
    """Whether the views of an example are closer to each other than to those of others."""
    nearer = []
    for k in range(LOOKS):
        one, other = (t.double().flatten(1) for t in _taken(bench, batches[k % len(batches)], k, first, second))
        own, strange = ((one - t).norm(dim=1) for t in (other, other.roll(len(other) // 2, 0)))
        nearer.append((strange - own) / (strange + own).clamp_min(1e-12))
    return _clear(torch.cat(nearer), errors)


def _loss(bench: Bench, batch: Batch, k: int, given: Mapping[Place, Tensor]) -> float:
    """The loss of a pass in which the model takes other tensors at some places."""
    with arguments_replaced(bench.model, given):
        seed(k)
        return number(bench.subject.run(batch).loss)

"""What an example's neighbours tell of its label: the signal that any learner could use."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.rules.data.labels_contradict_inputs import FEW, MANY
from nndoctor.sanity.batches import Batch, all_inputs, first_input, target_of
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.structured import structured

NEIGHBOURS = 5
MOST, FEWEST = 600, 60  # examples that are compared
MAX_FEATURES = 20_000


def probe(bench: Bench) -> None:
    """The share of what is to be told about a label that neighbours tell, in training and in validation.

    Where no single loss tells whether labels are used, as in a conditional GAN, only both together say something.
    """
    if bench.subject.standin:
        return
    train, validation = _signal(bench, bench.sample), _signal(bench, bench.validation)
    if bench.subject.blind and (train is None or validation is None):
        return
    bench.fact("label_signal", train)
    bench.fact("label_signal_validation", validation)
    given = None if bench.sample is None else first_input(bench.sample)
    if train is not None and given is not None and _near(given):
        bench.fact("label_features", given[0].numel())


def _near(given: Tensor) -> bool:
    """Whether neighbours are truly near, in inputs that are no stand-ins: of these labels need not follow. Whole numbers are none."""
    if len(given) < MANY or given[0].numel() > FEW:
        return False
    return structured(given) or (given[0].numel() == 1 and bool((given == given.round()).all()))


def _signal(bench: Bench, data: Batch | None) -> float | None:
    """Accuracy above chance over what is left above chance, or the variance explained; None where it can't be told."""
    if data is None or len(all_inputs(data)) > 1:  # which of several inputs the label follows from is not known
        return None
    inputs, target = first_input(data), target_of(data) if bench.subject.blind else bench.target(data)
    if inputs is None or target is None or not inputs.is_floating_point() or len(inputs) != len(target):
        return None
    x, y = inputs[:MOST].detach().float().reshape(len(inputs[:MOST]), -1).cpu(), target[:MOST].detach().cpu()
    if len(x) < FEWEST or x.shape[1] > MAX_FEATURES or not bool(torch.isfinite(x).all()):
        return None
    x = (x - x.mean(0)) / x.std(0).clamp_min(1e-6)
    distance = torch.cdist(x, x)
    distance.fill_diagonal_(float("inf"))
    near = distance.topk(NEIGHBOURS, largest=False).indices
    if not y.is_floating_point():
        return _of_classes(y, near) if y.ndim == 1 else None
    return _of_numbers(y.double().reshape(len(y), -1), near)


def _of_classes(y: Tensor, near: Tensor) -> float | None:
    guessed = y[near].mode(1).values
    chance = float(torch.bincount(y.long()[y >= 0]).max()) / len(y)
    return None if chance > 0.9 else (float((guessed == y).double().mean()) - chance) / (1 - chance)


def _of_numbers(y: Tensor, near: Tensor) -> float | None:
    total = float((y - y.mean(0)).square().sum())
    if total <= 0:
        return None
    # Shrunk towards the mean, as the mean of five neighbours is noisy: pure noise then scores about zero.
    guess = y[near].mean(1)
    return 1 - float((y - guess).square().sum()) / total / (1 + 1 / NEIGHBOURS)

"""Inputs that hold the label: a feature for it, its one-hot code, or the numbers that are to be predicted."""

from __future__ import annotations

import torch
from torch import Tensor

from nndoctor.sanity.bench import Bench

COLUMNS, MANY_ROWS, MOST_NAMED = 3, 64, 50  # of a table whose columns are compared with its labels; classes at most
BINARY = 2
PLACES = 3  # dimensions of inputs by example, place and feature
GAP = 5.0  # times the standard deviations of both classes: what lies between them
FEWEST = 20  # examples of a class, and different values of a feature of numbers


def probe(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """Compare each column with the target, and the target with each run of values."""
    of_classes(bench, inputs, target)
    _is_target(bench, inputs, target)
    _holds_targets(bench, inputs, target)


def of_classes(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A feature of a table that is the label under another name: as many values as classes, one for each."""
    flat = target.reshape(len(target), -1)
    if inputs.ndim == PLACES and inputs.is_floating_point() and inputs.shape[2] <= MOST_NAMED:
        inputs = inputs.amax(
            1
        )  # a feature of a whole example, as of a graph, is that of its places, but for their padding
    if inputs.ndim != 2 or inputs.shape[1] < COLUMNS or flat.shape[1] != 1 or len(inputs) < MANY_ROWS:
        return
    labels = flat[:, 0]
    classes = torch.tensor(sorted(set(labels.tolist())), dtype=labels.dtype, device=labels.device)
    if not 2 <= len(classes) <= MOST_NAMED:
        return
    first = torch.stack([inputs[labels == c][0] for c in classes])  # the value that each class begins with
    same = torch.stack([(inputs[labels == c] == first[k]).all(0) for k, c in enumerate(classes)]).all(0)
    _one_hot(bench, inputs, labels, classes)
    _of_one_class(bench, inputs, labels, classes)
    _apart(bench, inputs, labels, classes)
    for column in same.nonzero()[:, 0].tolist():
        others = torch.cat([inputs[:, :column], inputs[:, column + 1 :]], 1)
        richer = sum(len(set(c.tolist())) > len(classes) for c in others.T) > 0.5 * others.shape[1]
        if richer and len(set(first[:, column].tolist())) == len(classes):  # in a table of flags one may well decide
            bench.fact("label_column", int(column))
            bench.fact("label_columns_seen", int(inputs.shape[1]))
            return


def _one_hot(bench: Bench, inputs: Tensor, labels: Tensor, classes: Tensor) -> None:
    """A feature for each class that has one value for its examples and another one for all others: a one-hot label."""
    marks = []
    for one in classes if len(classes) > 2 else ():
        own, others = inputs[labels == one], inputs[labels != one]
        marked = (own == own[0]).all(0) & (others == others[0]).all(0) & (own[0] != others[0])
        marks.append(marked.nonzero()[:, 0].tolist())
    if marks and all(marks) and len({found[0] for found in marks}) == len(marks):
        bench.fact("label_one_hot", tuple(int(found[0]) for found in marks))
        bench.fact("label_columns_seen", int(inputs.shape[1]))


def _of_one_class(bench: Bench, inputs: Tensor, labels: Tensor, classes: Tensor) -> None:
    """A feature of numbers that has one value for all examples of a class, and for no other: what is filled in once the label is known."""
    for one in classes:
        own, others = inputs[labels == one], inputs[labels != one]
        if min(len(own), len(others)) < FEWEST:
            continue
        found = ((own == own[0]).all(0) & (others != own[0]).all(0)).nonzero()[:, 0].tolist()
        column = next((k for k in found if len(set(others[:, k].tolist())) > FEWEST), None)
        if column is not None:
            bench.fact("class_column", int(column))
            bench.fact("class_column_value", float(own[0, column]))
            bench.fact("class_column_class", f"{one.item():g}")
            return


def _apart(bench: Bench, inputs: Tensor, labels: Tensor, classes: Tensor) -> None:
    """The only feature of numbers that tells two classes apart, by a gap far wider than what is on either side of it."""
    sides = [inputs[labels == one].double() for one in classes]
    if len(sides) != BINARY or min(map(len, sides)) < FEWEST:
        return
    low, high = sorted(sides, key=lambda side: float(side.mean(0).sum()))
    gap = torch.maximum(high.amin(0) - low.amax(0), low.amin(0) - high.amax(0))
    spread = torch.stack([side.std(0) for side in sides])
    wide = ((gap > GAP * spread.amax(0)) & (spread.amin(0) > 0)).nonzero()[:, 0].tolist()
    if len(wide) == 1 and int((gap > 0).sum()) == 1 and len(set(inputs[:, wide[0]].tolist())) > FEWEST:
        bench.fact("gap_column", int(wide[0]))


def _is_target(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A value of the inputs that is the number to be predicted, in every example; an autoencoder has many targets."""
    values, goal = inputs.reshape(len(inputs), -1), target.reshape(len(target), -1)
    enough = len(inputs) == len(target) >= MANY_ROWS and values.shape[1] >= COLUMNS and goal.shape[1] == 1
    if not enough or not target.is_floating_point() or len(set(goal[:, 0].tolist())) <= MOST_NAMED:
        return
    same = (values == goal).all(0).nonzero()
    if len(same):
        bench.fact("target_column", int(same[0]))


def _holds_targets(bench: Bench, inputs: Tensor, target: Tensor) -> None:
    """A run of the inputs that is all that is to be predicted; the whole input, or most of it, is one on purpose."""
    values, goal = inputs.reshape(len(inputs), -1), target.reshape(len(target), -1)
    if not target.is_floating_point() or len(inputs) != len(target) or len(inputs) < MANY_ROWS:
        return
    width, length = goal.shape[1], values.shape[1]
    if not 2 <= width <= length // 2 or bool((goal.std(0) == 0).any()):
        return
    first = (values[:, : length - width + 1] == goal[:, :1]).all(0).nonzero()[:, 0].tolist()
    place = next((k for k in first if torch.equal(values[:, k : k + width], goal)), None)
    if place is not None:
        bench.fact("target_slice", (place, place + width - 1))

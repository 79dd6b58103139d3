"""Deep networks with and without shortcuts, and pretrained features."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn
from torch.nn import functional

from nndoctor.lab.data import CLASSES, Data, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, features_of, he, mlp, small_branch, trainable
from nndoctor.training.options import OptimizerName, TrainingOptions

DEEP = (PIXELS, *[32] * 30, CLASSES)
OPTIONS = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.003)


def few() -> Data:
    """A task with forty examples, similar to the one that the features were trained on."""
    data = flat(glyphs(2040, 600, noise=0.9))
    return Data(data.inputs[:40], data.labels[:40], data.held_inputs, data.held_labels)


@cache
def trunk() -> nn.Sequential:
    """Features learned from two thousand other glyphs."""
    data = flat(glyphs(2040, 600, noise=0.9))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = mlp(PIXELS, 64, 32, CLASSES, init=he)
        optimizer = torch.optim.Adam(network.parameters(), 3e-3)
        for _ in range(300):
            at = torch.randint(40, 2040, (64,))
            optimizer.zero_grad()
            functional.cross_entropy(network(data.inputs[at]), data.labels[at]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return features_of(network)


def frozen() -> nn.Module:
    """The pretrained features, frozen, with a new last layer."""
    from copy import deepcopy

    features = deepcopy(trunk())
    trainable(features, yes=False)
    return nn.Sequential(features, nn.Linear(32, CLASSES))


LESSONS = (
    Lesson(
        "shortcuts",
        "Thirty layers, plain and with shortcuts",
        "A plain deep network is harder to train than a shallow one; shortcuts let the gradient through.",
        "He et al., Deep Residual Learning, 2015, arXiv:1512.03385",
        Setup("plain", lambda: mlp(*DEEP), lambda: flat(glyphs()), OPTIONS),
        Setup("with shortcuts", lambda: mlp(*DEEP, shortcuts=True, init=small_branch), lambda: flat(glyphs()), OPTIONS),
        (Claim(Measure.train_loss, 3.0),),
        ("plateau-at-start", "vanishing-gradient", "signal-shrinks", "high-bias", "constant-output"),
    ),
    Lesson(
        "transfer",
        "Frozen pretrained features",
        "With few examples, keep the features learned on a larger task and train only the last layer.",
        "Yosinski et al., How transferable are features in deep neural networks?, 2014, arXiv:1411.1792",
        Setup(
            "from scratch",
            lambda: mlp(PIXELS, 64, 32, CLASSES, init=he),
            few,
            TrainingOptions(epochs=60, optimizer=OptimizerName.adam, lr=3e-3),
        ),
        Setup("with frozen features", frozen, few, TrainingOptions(epochs=60, optimizer=OptimizerName.adam, lr=3e-3)),
        (Claim(Measure.validation_accuracy, 0.1),),
        ("high-variance", "overtraining"),
    ),
)

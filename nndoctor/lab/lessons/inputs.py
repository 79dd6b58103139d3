"""Inputs: raw, centered, normalized, whitened."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nndoctor.lab.data import CLASSES, Data, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, mlp
from nndoctor.training.options import OptimizerName, TrainingOptions

SOURCE = "CS231n, Neural Networks Part 2: data preprocessing; LeCun et al., Efficient BackProp, 1998"
PLAIN = TrainingOptions(epochs=10, optimizer=OptimizerName.sgd, lr=0.01)
FAST = TrainingOptions(epochs=10, optimizer=OptimizerName.sgd, lr=0.2)


def network() -> nn.Module:
    """One hidden layer."""
    return mlp(PIXELS, 64, CLASSES, init=he)


def raw(offset: float = 8.0) -> Data:
    """Pixels like a camera's: never negative, of very different brightness, neighbours correlated."""
    scales = torch.logspace(-0.7, 0.3, PIXELS)
    return flat(glyphs()).changed(lambda x: (x + offset) * scales)


def centred() -> Data:
    """The mean of each pixel over the training images is subtracted."""
    data = raw()
    mean = data.inputs.mean(0)
    return data.changed(lambda x: x - mean)


def normalized() -> Data:
    """Centered, and divided by each pixel's standard deviation."""
    data = centred()
    deviation = data.inputs.std(0)
    return data.changed(lambda x: x / deviation)


def whitened() -> Data:
    """Centered, rotated to the principal axes and divided by the standard deviation along each; weak axes less."""
    data = centred()
    _, sizes, axes = torch.linalg.svd(data.inputs, full_matrices=False)
    deviation = sizes / len(data.inputs) ** 0.5

    def turn(x: Tensor) -> Tensor:
        turned: Tensor = (x @ axes.T) / (deviation + 0.3 * deviation.mean())
        return turned

    return data.changed(turn)


def _lesson(name: str, title: str, moral: str, sick: Setup, healthy: Setup, margin: float) -> Lesson:  # noqa: PLR0913, PLR0917 - a table's row
    return Lesson(name, title, moral, SOURCE, sick, healthy, (Claim(Measure.train_loss, margin),))


RAW = Setup("on raw pixels", network, raw, PLAIN)
CENTRED = Setup("on centered pixels", network, centred, PLAIN)
NORMALIZED = Setup("on normalized pixels", network, normalized, PLAIN)
LESSONS = (
    _lesson("centred-inputs", "Zero-centered inputs", "Inputs of one sign force all weights of a unit to move in the same direction.", RAW, CENTRED, 1.2),
    _lesson("normalized-inputs", "Inputs on the same scale", "No single learning rate suits inputs that differ by a factor of ten.", RAW, NORMALIZED, 1.3),
    _lesson("whitened-inputs", "Inputs rotated to their principal axes", "Uncorrelated inputs of equal variance make the loss equally steep in all directions.",
            Setup("on raw pixels", network, raw, FAST), Setup("on whitened pixels", network, whitened, FAST), 1.3),
)  # fmt: skip

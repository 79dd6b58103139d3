"""What goes in: raw, centred, normalized, whitened."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nndoctor.lab.data import CLASSES, Data, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, mlp
from nndoctor.training.options import Optimizers, Options

SOURCE = "CS231n, Neural Networks Part 2: data preprocessing; LeCun et al., Efficient BackProp, 1998"
PLAIN = Options(epochs=10, optimizer=Optimizers.sgd, lr=0.01)
FAST = Options(epochs=10, optimizer=Optimizers.sgd, lr=0.2)


def network() -> nn.Module:
    """One hidden layer."""
    return mlp(PIXELS, 64, CLASSES, init=he)


def raw(offset: float = 8.0) -> Data:
    """Pixels as a camera gives them: never below zero, some brighter than others by far, neighbours alike."""
    scales = torch.logspace(-0.7, 0.3, PIXELS)
    return flat(glyphs()).changed(lambda x: (x + offset) * scales)


def centred() -> Data:
    """Less the mean of each pixel over the training images."""
    data = raw()
    mean = data.inputs.mean(0)
    return data.changed(lambda x: x - mean)


def normalized() -> Data:
    """Centred, and divided by each pixel's deviation."""
    data = centred()
    deviation = data.inputs.std(0)
    return data.changed(lambda x: x / deviation)


def whitened() -> Data:
    """Centred, turned to the principal axes and divided by the deviation along each; weak axes less."""
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
CENTRED = Setup("on centred ones", network, centred, PLAIN)
NORMALIZED = Setup("on normalized ones", network, normalized, PLAIN)
LESSONS = (
    _lesson("centred-inputs", "Inputs about zero", "Inputs of one sign force all of a unit's weights to move one way at once.", RAW, CENTRED, 1.2),
    _lesson("normalized-inputs", "Inputs of one size", "One rate cannot suit a pixel that is ten times another.", RAW, NORMALIZED, 1.3),
    _lesson("whitened-inputs", "Inputs turned to their principal axes", "Without correlation the valley is round, and the way down straight.",
            Setup("on raw pixels", network, raw, FAST), Setup("on whitened ones", network, whitened, FAST), 1.3),
)  # fmt: skip

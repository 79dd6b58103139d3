"""What keeps a network from memorizing its examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from nndoctor.lab.data import CLASSES, Data, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, convolutional, he, he_small_head, mlp
from nndoctor.training.options import OptimizerName, TrainingOptions

NOTES = "CS231n, Neural Networks Part 2: regularization"
LONG = TrainingOptions(epochs=40, optimizer=OptimizerName.momentum, lr=0.02)
BRIEF = TrainingOptions(epochs=20, optimizer=OptimizerName.momentum, lr=0.01)
BETTER = (Claim(Measure.validation_loss, 1.05),)
OVERFIT = ("high-variance", "overtraining")


def few() -> Data:
    """A hundred and fifty noisy glyphs, two in five with a random label."""
    return flat(glyphs(150, 600, noise=1.3, wrong=0.4))


def wide(dropout: float = 0.0) -> nn.Module:
    """A network with far more weights than there are examples."""
    return mlp(PIXELS, 256, 256, CLASSES, init=he, dropout=dropout)


def some() -> Data:
    """Three hundred noisy glyphs, two in five with a random label."""
    return flat(glyphs(300, 600, noise=1.3, wrong=0.4))


def calm(dropout: float = 0.0) -> nn.Module:
    """The same network, its last layer near zero at the start."""
    return mlp(PIXELS, 256, 256, CLASSES, init=he_small_head, dropout=dropout)


def _lesson(  # noqa: PLR0913, PLR0917 - a table's row
    name: str, title: str, moral: str, source: str, healthy: Setup, claims: tuple[Claim, ...] = BETTER
) -> Lesson:
    return Lesson(name, title, moral, source, Setup("without", wide, few, LONG), healthy, claims, OVERFIT)


def _with(label: str, options: TrainingOptions = LONG, **more: object) -> Setup:
    return Setup(label, wide, few, options, **more)  # type: ignore[arg-type]


def penalized(**rates: float) -> TrainingOptions:
    """The same training with penalties."""
    return TrainingOptions(epochs=40, optimizer=OptimizerName.momentum, lr=0.02, **rates)  # type: ignore[arg-type]


PENALTIES = (
    _lesson("l2", "L2 keeps the weights small", "Smaller weights give smoother functions.", NOTES,
            _with("with L2", penalized(l2=0.01))),
    _lesson("l1", "L1 makes most weights zero", "The penalty drives most weights to zero; only a few remain.", NOTES,
            _with("with L1", penalized(l1=0.001))),
    _lesson("elastic-net", "L1 and L2 together", "The weights are few and small.", "Zou and Hastie, 2005, JRSS B 67",
            _with("with both", penalized(l1=0.0005, l2=0.005))),
)  # fmt: skip
OTHERS = (
    Lesson("dropout", "Dropout keeps units from relying on each other", "Half of the units are set to zero in every step, so each must be useful on its own.",
           "Srivastava et al., 2014, JMLR 15", Setup("without", calm, some, BRIEF), Setup("with dropout", partial(calm, 0.5), some, BRIEF),
           (Claim(Measure.validation_loss, 1.1),), OVERFIT),
    _lesson("early-stopping", "Stop where validation was best", "The cheapest regularization: keep the weights of the best epoch.",
            "Prechelt, Early Stopping - But When?, 1998", _with("stopped early", TrainingOptions(epochs=40, optimizer=OptimizerName.momentum, lr=0.02, patience=3))),
    _lesson("ensemble", "Several networks predict better than one", "Their errors are independent: average the predictions.",
            "CS231n, Neural Networks Part 3: model ensembles", _with("of five", members=5)),
    _lesson("snapshot-ensemble", "Several networks from one training", "A cyclic learning rate gives a good network at the end of each cycle: average them all.",
            "Huang et al., Snapshot Ensembles, 2017, arXiv:1704.00109", _with("of five snapshots", snapshots=5)),
)  # fmt: skip

NORMALS = TrainingOptions(epochs=8, optimizer=OptimizerName.momentum, lr=0.01)


def faint(norm: Callable[[int], nn.Module] | None = None) -> nn.Module:
    """A convolutional network whose initial weights are a hundred times too small."""
    network = convolutional(norm)
    for module in network:
        if isinstance(module, nn.Conv2d):
            module.weight.data *= 0.01
            if module.bias is not None:
                module.bias.data *= 0.01
    return network


def _normal(name: str, title: str, moral: str, source: str, norm: Callable[[int], nn.Module]) -> Lesson:
    return Lesson(
        name, title, moral, source,
        Setup("without", faint, glyphs, NORMALS), Setup(f"with {name}", partial(faint, norm), glyphs, NORMALS),
        (Claim(Measure.train_loss, 3.0),), ("plateau-at-start", "signal-shrinks", "vanishing-gradient"),
    )  # fmt: skip


NORMALIZATIONS = (
    _normal("batch-normalization", "Each channel is normalized over the batch", "The scale of the signal no longer depends on the initial weights.",
            "Ioffe and Szegedy, 2015, arXiv:1502.03167", nn.BatchNorm2d),
    _normal("layer-normalization", "Each example is normalized over its channels", "It works the same in training and in evaluation, for any batch size.",
            "Ba et al., 2016, arXiv:1607.06450", lambda channels: nn.GroupNorm(1, channels)),
    _normal("instance-normalization", "Each channel of each example is normalized separately", "It removes the contrast of each image.",
            "Ulyanov et al., 2016, arXiv:1607.08022", lambda channels: nn.InstanceNorm2d(channels, affine=True)),
    _normal("group-normalization", "Groups of channels are normalized together", "A compromise between layer and instance normalization that also works with small batches.",
            "Wu and He, 2018, arXiv:1803.08494", lambda channels: nn.GroupNorm(4, channels)),
)  # fmt: skip

# Augmentation: the world varies in a way that the few training images do not show.


def flips(x: Tensor) -> Tensor:
    """Mirrored, every other time."""
    return x.flip(-1) if torch.rand(()) < 0.5 else x


def shifts(x: Tensor) -> Tensor:
    """Shifted by up to three pixels in each direction, with wraparound."""
    a, b = torch.randint(-3, 4, (2,)).tolist()
    return x.roll((a, b), (-2, -1))


def rotations(x: Tensor) -> Tensor:
    """Rotated by a multiple of 90 degrees."""
    return x.rot90(int(torch.randint(4, ())), (-2, -1))


def crops(x: Tensor) -> Tensor:
    """A window of six by six pixels, the rest black."""
    a, b = torch.randint(7, (2,)).tolist()
    window = torch.zeros_like(x)
    window[..., a : a + 6, b : b + 6] = x[..., a : a + 6, b : b + 6]
    return window


def varied(change: Callable[[Tensor], Tensor]) -> Data:
    """Glyphs whose validation images were changed, but not the training images."""

    def held(x: Tensor) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return torch.stack([change(image) for image in x])

    return glyphs(300, 300).changed(lambda x: x, held)


def _augmentation(name: str, what: str, change: Callable[[Tensor], Tensor]) -> Lesson:
    options = TrainingOptions(epochs=12, optimizer=OptimizerName.adam, lr=0.005)
    return Lesson(
        name, f"Augmentation by {what}",
        "Train on the variations expected in use: augmented examples are harder to memorize.",
        "Shorten and Khoshgoftaar, 2019, Journal of Big Data 6:60; " + NOTES,
        Setup("without", partial(convolutional, width=8), lambda: varied(change), options),
        Setup(f"with {what}", partial(convolutional, width=8), lambda: varied(change), options, augment=change),
        (Claim(Measure.validation_accuracy, 0.05), Claim(Measure.gap, 0.05)), ("high-variance", "overtraining"),
    )  # fmt: skip


AUGMENTATIONS = (
    _augmentation("augmentation-flips", "flips", flips),
    _augmentation("augmentation-shifts", "shifts", shifts),
    _augmentation("augmentation-rotations", "rotations", rotations),
    _augmentation("augmentation-crops", "crops", crops),
)
LESSONS = (*PENALTIES, *OTHERS, *NORMALIZATIONS, *AUGMENTATIONS)

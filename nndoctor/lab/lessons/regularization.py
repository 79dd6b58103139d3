"""What keeps a network from learning its examples by heart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from nndoctor.lab.data import CLASSES, Data, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, convolutional, he, he_small_head, mlp
from nndoctor.training.options import Optimizers, Options

NOTES = "CS231n, Neural Networks Part 2: regularization"
LONG = Options(epochs=40, optimizer=Optimizers.momentum, lr=0.02)
BRIEF = Options(epochs=20, optimizer=Optimizers.momentum, lr=0.01)
BETTER = (Claim(Measure.validation_loss, 1.05),)
OVERFIT = ("high-variance", "overtraining")


def few() -> Data:
    """A hundred and fifty noisy glyphs, two in five with a label drawn by lot."""
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


def _with(label: str, options: Options = LONG, **more: object) -> Setup:
    return Setup(label, wide, few, options, **more)  # type: ignore[arg-type]


def penalized(**rates: float) -> Options:
    """The same training with penalties."""
    return Options(epochs=40, optimizer=Optimizers.momentum, lr=0.02, **rates)  # type: ignore[arg-type]


PENALTIES = (
    _lesson("l2", "L2 keeps the weights small", "Small weights make smooth functions.", NOTES,
            _with("with L2", penalized(l2=0.01))),
    _lesson("l1", "L1 makes most weights zero", "A few weights must do: the others are driven to nothing.", NOTES,
            _with("with L1", penalized(l1=0.001))),
    _lesson("elastic-net", "L1 and L2 together", "Few weights, and small ones.", "Zou and Hastie, 2005, JRSS B 67",
            _with("with both", penalized(l1=0.0005, l2=0.005))),
)  # fmt: skip
OTHERS = (
    Lesson("dropout", "Units that cannot rely on each other", "Half of the units are silent in every step: each must be of use alone.",
           "Srivastava et al., 2014, JMLR 15", Setup("without", calm, some, BRIEF), Setup("with dropout", partial(calm, 0.5), some, BRIEF),
           (Claim(Measure.validation_loss, 1.1),), OVERFIT),
    _lesson("early-stopping", "Stop where validation was best", "The cheapest regularization: the weights of the best epoch.",
            "Prechelt, Early Stopping - But When?, 1998", _with("stopped early", Options(epochs=40, optimizer=Optimizers.momentum, lr=0.02, patience=3))),
    _lesson("ensemble", "Several networks know more than one", "Their errors differ, their knowledge does not: average the predictions.",
            "CS231n, Neural Networks Part 3: model ensembles", _with("of five", members=5)),
    _lesson("snapshot-ensemble", "Several networks from one training", "A cyclic rate leaves a good network at the end of each cycle: keep them all.",
            "Huang et al., Snapshot Ensembles, 2017, arXiv:1704.00109", _with("of five snapshots", snapshots=5)),
)  # fmt: skip

NORMALS = Options(epochs=8, optimizer=Optimizers.momentum, lr=0.01)


def faint(norm: Callable[[int], nn.Module] | None = None) -> nn.Module:
    """A convolutional network whose weights begin a hundred times too small."""
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
    _normal("batch-normalization", "Each channel is normalized over the batch", "However the weights began, the signal has one size.",
            "Ioffe and Szegedy, 2015, arXiv:1502.03167", nn.BatchNorm2d),
    _normal("layer-normalization", "Each example is normalized over its channels", "The same in training and in use, for any batch.",
            "Ba et al., 2016, arXiv:1607.06450", lambda channels: nn.GroupNorm(1, channels)),
    _normal("instance-normalization", "Each channel of each example by itself", "Contrast is taken out of every image.",
            "Ulyanov et al., 2016, arXiv:1607.08022", lambda channels: nn.InstanceNorm2d(channels, affine=True)),
    _normal("group-normalization", "Channels in groups", "Between layer and instance; batches may be small.",
            "Wu and He, 2018, arXiv:1803.08494", lambda channels: nn.GroupNorm(4, channels)),
)  # fmt: skip

# Augmentation: the world varies in a way that the few training images do not show.


def flips(x: Tensor) -> Tensor:
    """Mirrored, every other time."""
    return x.flip(-1) if torch.rand(()) < 0.5 else x


def shifts(x: Tensor) -> Tensor:
    """Moved by up to three pixels to each side, round the edge."""
    a, b = torch.randint(-3, 4, (2,)).tolist()
    return x.roll((a, b), (-2, -1))


def rotations(x: Tensor) -> Tensor:
    """Turned by a multiple of a right angle."""
    return x.rot90(int(torch.randint(4, ())), (-2, -1))


def crops(x: Tensor) -> Tensor:
    """A window of six by six pixels, the rest black."""
    a, b = torch.randint(7, (2,)).tolist()
    window = torch.zeros_like(x)
    window[..., a : a + 6, b : b + 6] = x[..., a : a + 6, b : b + 6]
    return window


def varied(change: Callable[[Tensor], Tensor]) -> Data:
    """Glyphs whose validation images were changed; those of training stand as they are."""

    def held(x: Tensor) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return torch.stack([change(image) for image in x])

    return glyphs(300, 300).changed(lambda x: x, held)


def _augmentation(name: str, what: str, change: Callable[[Tensor], Tensor]) -> Lesson:
    options = Options(epochs=12, optimizer=Optimizers.adam, lr=0.005)
    return Lesson(
        name, f"Augmentation by {what}",
        "Show the network in training what it will meet: examples that never repeat cannot be learned by heart.",
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

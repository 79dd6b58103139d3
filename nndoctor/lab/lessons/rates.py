"""Learning rates, schedules and optimizers."""

from __future__ import annotations

from torch import nn

from nndoctor.lab.data import CLASSES, Data, flat, glyphs, spirals
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, he_small_head, mlp
from nndoctor.training.options import OptimizerName, ScheduleName, TrainingOptions

NOTES = "CS231n, Neural Networks Part 3: babysitting the learning process"
UPDATES = "CS231n, Neural Networks Part 3: parameter updates"


def small() -> nn.Module:
    """One hidden layer."""
    return mlp(PIXELS, 64, CLASSES, init=he)


def calm() -> nn.Module:
    """The same with a last layer that begins near zero."""
    return mlp(PIXELS, 64, CLASSES, init=he_small_head)


def plane() -> nn.Module:
    """For spirals."""
    return mlp(2, 32, 32, 3, init=he)


def sgd(lr: float, epochs: int = 15, **more: object) -> TrainingOptions:
    """Plain stochastic gradient descent."""
    return TrainingOptions(epochs=epochs, optimizer=OptimizerName.sgd, lr=lr, **more)  # type: ignore[arg-type]


def fast(optimizer: OptimizerName, lr: float, epochs: int = 15, **more: object) -> TrainingOptions:
    """Another optimizer, the same length."""
    return TrainingOptions(epochs=epochs, optimizer=optimizer, lr=lr, **more)  # type: ignore[arg-type]


def _rate(name: str, title: str, moral: str, lr: float, findings: tuple[str, ...], claim: Claim) -> Lesson:  # noqa: PLR0913, PLR0917 - a table's row
    images = lambda: flat(glyphs())  # noqa: E731 - a name for what is made twice
    return Lesson(
        name, title, moral, NOTES,
        Setup(f"with learning rate {lr:g}", small, images, sgd(lr)),
        Setup("with learning rate 0.1", small, images, sgd(0.1)),
        (claim,), findings,
    )  # fmt: skip


FASTER = Claim(Measure.train_loss, 1.3)
OPTIMIZERS = tuple(
    Lesson(name, title, moral, source, Setup("with plain SGD", plane, spirals, sgd(0.02, 40)),
           Setup(f"with {name}", plane, spirals, fast(optimizer, lr, 40)), (FASTER,))
    for name, title, moral, source, optimizer, lr in (
        ("momentum", "Momentum accelerates along consistent directions",
         "Gradients that agree add up: with momentum 0.9 the step becomes up to ten times as large.", "Polyak, 1964; " + UPDATES, OptimizerName.momentum, 0.02),
        ("nesterov", "Nesterov momentum looks ahead before it corrects",
         "The gradient is computed at the point that momentum will reach.", "Nesterov, 1983; " + UPDATES, OptimizerName.nesterov, 0.02),
        ("adagrad", "Adagrad gives each weight its own learning rate",
         "Rare and small gradients get large steps; the learning rate can only decrease.", "Duchi et al., 2011, JMLR 12", OptimizerName.adagrad, 0.05),
        ("adadelta", "Adadelta needs no initial learning rate",
         "Steps are scaled by the size of previous steps.", "Zeiler, 2012, arXiv:1212.5701", OptimizerName.adadelta, 1.0),
        ("rmsprop", "RMSprop forgets old gradients",
         "A running mean instead of Adagrad's sum keeps the learning rate from vanishing.", "Hinton, Coursera lecture 6e, 2012", OptimizerName.rmsprop, 0.005),
        ("adam", "Adam combines momentum with RMSprop",
         "A good default for most problems.", "Kingma and Ba, 2014, arXiv:1412.6980", OptimizerName.adam, 0.01),
        ("adamw", "AdamW decouples weight decay from the gradient step",
         "The adaptive scale does not weaken the decay.", "Loshchilov and Hutter, 2017, arXiv:1711.05101", OptimizerName.adamw, 0.01),
    )
)  # fmt: skip


def blurred() -> Data:
    """Glyphs with so much noise that no network can classify all of them."""
    return flat(glyphs(1500, 600, noise=3.0))


def linear() -> nn.Module:
    """No hidden layer: a convex loss whose minimum only small steps reach."""
    return mlp(PIXELS, CLASSES)


def _schedule(name: str, title: str, moral: str, source: str, how: dict[str, object], words: str) -> Lesson:  # noqa: PLR0913, PLR0917 - a table's row
    images = (linear, blurred)
    return Lesson(
        name, title, moral, source,
        Setup("at a constant learning rate", *images, sgd(0.3, 8)), Setup(words, *images, sgd(0.3, 8, **how)),
        (Claim(Measure.train_loss, 1.3),),
    )  # fmt: skip


SCHEDULES = (
    _schedule("step-decay", "The learning rate is divided by 10 when the loss has plateaued",
              "After each cut the loss falls further.", "He et al., 2015, arXiv:1512.03385",
              {"schedule": ScheduleName.step}, "with step decay"),
    _schedule("cosine", "The learning rate follows half a cosine",
              "The learning rate stays high for long and ends near zero.", "Loshchilov and Hutter, SGDR, 2016, arXiv:1608.03983",
              {"schedule": ScheduleName.cosine}, "with a cosine"),
    _schedule("linear-decay", "The learning rate falls linearly to zero",
              "The simplest schedule is hard to beat.", "Defazio et al., 2023, arXiv:2310.07831",
              {"schedule": ScheduleName.linear}, "with linear decay"),
    _schedule("inverse-square-root", "The learning rate falls with the square root of the steps",
              "It suits runs whose length is not known in advance.", "Vaswani et al., 2017, arXiv:1706.03762",
              {"schedule": ScheduleName.inverse_sqrt, "warmup": 0.05}, "with inverse square root"),
)  # fmt: skip
WARM_UP = Lesson(
    "warm-up", "Warmup protects the first steps",
    "Early gradients are large and noisy: begin with a small learning rate if the peak is high.",
    "Goyal et al., 2017, arXiv:1706.02677",
    Setup("without", calm, lambda: flat(glyphs()), sgd(1.5, 12)),
    Setup("with warmup", calm, lambda: flat(glyphs()), sgd(1.5, 12, warmup=0.6)),
    (Claim(Measure.peak, 1.2),),
)  # fmt: skip
LESSONS = (
    _rate("lr-too-low", "The learning rate is far too low", "A loss that falls in a straight line allows larger steps.",
          0.0001, ("lr-too-low", "not-converged", "plateau-at-start"), Claim(Measure.train_loss, 3.0)),
    _rate("lr-low", "The learning rate is low", "The run ends before the loss has converged.",
          0.003, ("lr-too-low", "not-converged"), Claim(Measure.train_loss, 2.0)),
    _rate("lr-high", "The learning rate is high", "The loss jumps repeatedly and may never settle.",
          1.4, ("lr-too-high", "loss-spikes", "diverged"), Claim(Measure.peak, 2.0)),
    _rate("lr-nan", "The learning rate leads to NaN", "Each step moves the weights further than the one before.",
          1e6, ("nan-loss", "diverged", "nan-in-layer"), Claim(Measure.train_loss, 10.0)),
    *OPTIMIZERS, *SCHEDULES, WARM_UP,
)  # fmt: skip

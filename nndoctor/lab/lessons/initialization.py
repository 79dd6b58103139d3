"""How weights are initialized."""

from __future__ import annotations

from torch import nn

from nndoctor.lab.data import CLASSES, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, mlp, normal, xavier
from nndoctor.training.options import OptimizerName, TrainingOptions

DEEP = (PIXELS, *[64] * 6, CLASSES)
LOUD = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.03)
DEEPER = (PIXELS, *[64] * 16, CLASSES)
SLOW = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.002)
SHORT = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.01)
NOTES = "CS231n, Neural Networks Part 2: weight initialization"


LESSONS = (
    Lesson(
        "zero-initialization",
        "All weights start at zero",
        "Units with equal weights get equal gradients and stay equal: initialize the weights randomly.",
        NOTES,
        Setup("with zero weights", lambda: mlp(*DEEP, init=normal(0.0)), lambda: flat(glyphs()), SHORT),
        Setup("with He initialization", lambda: mlp(*DEEP, init=he), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "symmetric-initialization", "vanishing-gradient", "signal-shrinks"),
    ),
    Lesson(
        "small-initialization",
        "Initial weights are too small for the depth",
        "Each layer shrinks the signal and, on the way back, the gradient: scale the weights by the fan-in.",
        NOTES,
        Setup(
            "with standard deviation 0.01",
            lambda: mlp(*DEEP, act=nn.Tanh, init=normal(0.01)),
            lambda: flat(glyphs()),
            SHORT,
        ),
        Setup(
            "with Xavier initialization", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT
        ),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "signal-shrinks", "vanishing-gradient"),
    ),
    Lesson(
        "large-initialization",
        "Initial weights are too large",
        "The activations are in the flat ends of tanh, where its slope is almost zero: scale the weights by the fan-in.",
        NOTES,
        Setup(
            "with standard deviation 1", lambda: mlp(*DEEP, act=nn.Tanh, init=normal(1.0)), lambda: flat(glyphs()), LOUD
        ),
        Setup("with Xavier initialization", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), LOUD),
        (Claim(Measure.validation_accuracy, 0.15),),
        ("saturated-activation", "signal-grows", "high-variance", "lr-too-high", "high-bias"),
    ),
    Lesson(
        "xavier-initialization",
        "Xavier initialization preserves the signal through tanh layers",
        "A standard deviation of √(2 / (fan-in + fan-out)) preserves the size of outputs and gradients.",
        "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010",
        Setup(
            "with standard deviation 0.05",
            lambda: mlp(*DEEP, act=nn.Tanh, init=normal(0.05)),
            lambda: flat(glyphs()),
            SHORT,
        ),
        Setup(
            "with Xavier initialization", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT
        ),
        (Claim(Measure.train_loss, 1.5),),
    ),
    Lesson(
        "he-initialization",
        "ReLU halves the signal; He initialization compensates",
        "With ReLU a standard deviation of √(2 / fan-in) preserves the signal; Xavier initialization loses half of its variance per layer.",
        "He et al., Delving Deep into Rectifiers, 2015, arXiv:1502.01852",
        Setup("with Xavier initialization", lambda: mlp(*DEEPER, init=xavier), lambda: flat(glyphs()), SLOW),
        Setup("with He initialization", lambda: mlp(*DEEPER, init=he), lambda: flat(glyphs()), SLOW),
        (Claim(Measure.train_loss, 1.5),),
    ),
)

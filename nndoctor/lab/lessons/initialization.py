"""How weights begin."""

from __future__ import annotations

from torch import nn

from nndoctor.lab.data import CLASSES, flat, glyphs
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, mlp, normal, xavier
from nndoctor.training.options import Optimizers, Options

DEEP = (PIXELS, *[64] * 6, CLASSES)
LOUD = Options(epochs=15, optimizer=Optimizers.momentum, lr=0.03)
DEEPER = (PIXELS, *[64] * 16, CLASSES)
SLOW = Options(epochs=15, optimizer=Optimizers.momentum, lr=0.002)
SHORT = Options(epochs=15, optimizer=Optimizers.momentum, lr=0.01)
NOTES = "CS231n, Neural Networks Part 2: weight initialization"


LESSONS = (
    Lesson(
        "zero-initialization",
        "All weights begin at zero",
        "Units that begin alike get the same gradient and stay alike: draw the weights at random.",
        NOTES,
        Setup("with zero weights", lambda: mlp(*DEEP, init=normal(0.0)), lambda: flat(glyphs()), SHORT),
        Setup("with He's", lambda: mlp(*DEEP, init=he), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "symmetric-initialization", "vanishing-gradient", "signal-shrinks"),
    ),
    Lesson(
        "small-initialization",
        "Weights begin too small for the depth",
        "Each layer shrinks the signal, and on the way back the gradient: scale the weights by the fan-in.",
        NOTES,
        Setup("with deviation 0.01", lambda: mlp(*DEEP, act=nn.Tanh, init=normal(0.01)), lambda: flat(glyphs()), SHORT),
        Setup("with Xavier's", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "signal-shrinks", "vanishing-gradient"),
    ),
    Lesson(
        "large-initialization",
        "Weights begin too large",
        "The activations sit at the ends of tanh, where its slope is nothing: scale the weights by the fan-in.",
        NOTES,
        Setup("with deviation 1", lambda: mlp(*DEEP, act=nn.Tanh, init=normal(1.0)), lambda: flat(glyphs()), LOUD),
        Setup("with Xavier's", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), LOUD),
        (Claim(Measure.validation_accuracy, 0.15),),
        ("saturated-activation", "signal-grows", "high-variance", "lr-too-high", "high-bias"),
    ),
    Lesson(
        "xavier-initialization",
        "Xavier's weights keep the signal through tanh",
        "A deviation of the root of 2 over fan-in and fan-out keeps outputs and gradients at their size.",
        "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010",
        Setup("with deviation 0.05", lambda: mlp(*DEEP, act=nn.Tanh, init=normal(0.05)), lambda: flat(glyphs()), SHORT),
        Setup("with Xavier's", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_loss, 1.5),),
    ),
    Lesson(
        "he-initialization",
        "ReLU halves the signal, He's weights make up for it",
        "Under ReLU a deviation of the root of 2 over the fan-in keeps the signal; Xavier's loses half of it a layer.",
        "He et al., Delving Deep into Rectifiers, 2015, arXiv:1502.01852",
        Setup("with Xavier's", lambda: mlp(*DEEPER, init=xavier), lambda: flat(glyphs()), SLOW),
        Setup("with He's", lambda: mlp(*DEEPER, init=he), lambda: flat(glyphs()), SLOW),
        (Claim(Measure.train_loss, 1.5),),
    ),
)

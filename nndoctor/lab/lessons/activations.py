"""What stands between two linear layers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from nndoctor.lab.data import CLASSES, flat, glyphs, spirals
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, maxout, mlp, negative_bias, xavier
from nndoctor.training.options import Optimizers, Options

LOUD = Options(epochs=15, optimizer=Optimizers.momentum, lr=0.03)
SHORT = Options(epochs=15, optimizer=Optimizers.momentum, lr=0.01)
LONG = replace(SHORT, epochs=40)  # so many that every unit is seen on a thousand examples
NOTES = "CS231n, Neural Networks Part 1: commonly used activation functions"
DEEP = (PIXELS, *[48] * 6, CLASSES)
PLANE = (2, 32, 32, 3)
ROUNDS = Options(epochs=60, optimizer=Optimizers.momentum, lr=0.05)

LESSONS = (
    Lesson(
        "sigmoid",
        "Sigmoids let the gradient vanish",
        "A sigmoid's slope is a quarter at most: through six of them next to nothing comes back.",
        NOTES,
        Setup("with sigmoids", lambda: mlp(*DEEP, act=nn.Sigmoid, init=xavier), lambda: flat(glyphs()), SHORT),
        Setup("with ReLUs", lambda: mlp(*DEEP, init=he), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "vanishing-gradient", "sigmoid-in-hidden-layers", "activations-not-zero-centred"),
    ),
    Lesson(
        "tanh",
        "Tanh is centred, and trains where sigmoids do not",
        "Outputs about zero and a slope of one there: if it must be an S, take tanh.",
        "LeCun et al., Efficient BackProp, 1998",
        Setup("with sigmoids", lambda: mlp(*DEEP, act=nn.Sigmoid, init=xavier), lambda: flat(glyphs()), SHORT),
        Setup("with tanh", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
    ),
    Lesson(
        "relu",
        "ReLUs learn in fewer epochs than tanh",
        "No saturation where the unit fires: the same network comes further in the same time.",
        "Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012",
        Setup("with tanh", lambda: mlp(*PLANE, act=nn.Tanh, init=xavier), spirals, ROUNDS),
        Setup("with ReLUs", lambda: mlp(*PLANE, init=he), spirals, ROUNDS),
        (Claim(Measure.train_loss, 1.3),),
    ),
    Lesson(
        "dead-relu",
        "ReLUs that never fire never learn",
        "A bias far below zero, or one step too large, and a unit is zero for every example: no gradient brings it back.",
        NOTES,
        Setup(
            "with biases at -4",
            lambda: mlp(PIXELS, 64, 64, CLASSES, init=negative_bias(4.0)),
            lambda: flat(glyphs()),
            LONG,
        ),
        Setup("with biases at 0", lambda: mlp(PIXELS, 64, 64, CLASSES, init=he), lambda: flat(glyphs()), LONG),
        (Claim(Measure.validation_accuracy, 0.1),),
        ("dead-relu",),
    ),
    Lesson(
        "leaky-relu",
        "A little slope below zero keeps units alive",
        "Where ReLU is dead, leaky ReLU still passes a tenth of the gradient, and recovers.",
        "Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013",
        Setup(
            "with ReLUs", lambda: mlp(PIXELS, 64, 64, CLASSES, init=negative_bias(4.0)), lambda: flat(glyphs()), LOUD
        ),
        Setup(
            "with leaky ReLUs",
            lambda: mlp(PIXELS, 64, 64, CLASSES, act=partial(nn.LeakyReLU, 0.1), init=negative_bias(4.0)),
            lambda: flat(glyphs()),
            LOUD,
        ),
        (Claim(Measure.validation_accuracy, 0.1),),
    ),
    Lesson(
        "elu",
        "ELU is smooth below zero, and does not die",
        "Negative outputs bring the mean near zero, and the slope there is never nothing.",
        "Clevert et al., Fast and Accurate Deep Network Learning by ELUs, 2015, arXiv:1511.07289",
        Setup(
            "with ReLUs", lambda: mlp(PIXELS, 64, 64, CLASSES, init=negative_bias(4.0)), lambda: flat(glyphs()), SHORT
        ),
        Setup(
            "with ELUs",
            lambda: mlp(PIXELS, 64, 64, CLASSES, act=nn.ELU, init=negative_bias(2.0)),
            lambda: flat(glyphs()),
            SHORT,
        ),
        (Claim(Measure.validation_accuracy, 0.1),),
    ),
    Lesson(
        "maxout",
        "Maxout learns its own activation",
        "The larger of two linear maps neither saturates nor dies, for twice the parameters.",
        "Goodfellow et al., Maxout Networks, 2013, arXiv:1302.4389",
        Setup("with sigmoids", lambda: mlp(*PLANE, act=nn.Sigmoid, init=xavier), spirals, ROUNDS),
        Setup("with maxout", lambda: maxout(2, 32, 3), spirals, ROUNDS),
        (Claim(Measure.train_loss, 2.0),),
    ),
)

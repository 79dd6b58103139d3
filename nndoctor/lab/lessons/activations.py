"""The activation between two linear layers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from nndoctor.lab.data import CLASSES, flat, glyphs, spirals
from nndoctor.lab.lesson import Claim, Lesson, Measure, Setup
from nndoctor.lab.nets import PIXELS, he, maxout, mlp, negative_bias, xavier
from nndoctor.training.options import OptimizerName, TrainingOptions

LOUD = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.03)
SHORT = TrainingOptions(epochs=15, optimizer=OptimizerName.momentum, lr=0.01)
LONG = replace(SHORT, epochs=40)  # so many that every unit is seen on a thousand examples
NOTES = "CS231n, Neural Networks Part 1: commonly used activation functions"
DEEP = (PIXELS, *[48] * 6, CLASSES)
PLANE = (2, 32, 32, 3)
ROUNDS = TrainingOptions(epochs=60, optimizer=OptimizerName.momentum, lr=0.05)

LESSONS = (
    Lesson(
        "sigmoid",
        "Sigmoids let the gradient vanish",
        "The slope of a sigmoid is at most 0.25: after six layers almost no gradient is left.",
        NOTES,
        Setup("with sigmoids", lambda: mlp(*DEEP, act=nn.Sigmoid, init=xavier), lambda: flat(glyphs()), SHORT),
        Setup("with ReLUs", lambda: mlp(*DEEP, init=he), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
        ("plateau-at-start", "vanishing-gradient", "sigmoid-in-hidden-layers", "activations-not-zero-centred"),
    ),
    Lesson(
        "tanh",
        "Tanh is zero-centered and trains where sigmoids do not",
        "Tanh has outputs around zero and a slope of 1 there: prefer it to the sigmoid.",
        "LeCun et al., Efficient BackProp, 1998",
        Setup("with sigmoids", lambda: mlp(*DEEP, act=nn.Sigmoid, init=xavier), lambda: flat(glyphs()), SHORT),
        Setup("with tanh", lambda: mlp(*DEEP, act=nn.Tanh, init=xavier), lambda: flat(glyphs()), SHORT),
        (Claim(Measure.train_accuracy, 0.5),),
    ),
    Lesson(
        "relu",
        "ReLUs learn in fewer epochs than tanh",
        "A ReLU does not saturate for positive inputs: the same network reaches a lower loss in the same time.",
        "Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012",
        Setup("with tanh", lambda: mlp(*PLANE, act=nn.Tanh, init=xavier), spirals, ROUNDS),
        Setup("with ReLUs", lambda: mlp(*PLANE, init=he), spirals, ROUNDS),
        (Claim(Measure.train_loss, 1.3),),
    ),
    Lesson(
        "dead-relu",
        "ReLUs that never fire never learn",
        "After a large negative bias or one step that is too large, a unit outputs zero for every example and gets no gradient.",
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
        "A small negative slope keeps units alive",
        "For negative inputs leaky ReLU still passes a small part of the gradient, so the unit can recover.",
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
        "ELU is smooth for negative inputs and does not die",
        "Negative outputs bring the mean activation close to zero, and the slope is never exactly zero.",
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
        "The maximum of two linear maps neither saturates nor dies, at twice the number of parameters.",
        "Goodfellow et al., Maxout Networks, 2013, arXiv:1302.4389",
        Setup("with sigmoids", lambda: mlp(*PLANE, act=nn.Sigmoid, init=xavier), spirals, ROUNDS),
        Setup("with maxout", lambda: maxout(2, 32, 3), spirals, ROUNDS),
        (Claim(Measure.train_loss, 2.0),),
    ),
)

"""Remedies for what layers show: activations, gradients, steps and the initialization."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, DLBOOK, GLOROT, RECIPE

CATALOGUE = (
    Remedy(
        "xavier-initialization",
        "initialize with Xavier (Glorot): weights of variance 2 / (fan-in + fan-out), biases zero",
        "tanh and sigmoid units then begin in the middle of their range",
        GLOROT,
    ),
    Remedy(
        "random-weights",
        "draw the weights at random; only biases may begin equal",
        "units that begin different learn different things",
        CS231N,
    ),
    Remedy("zero-biases", "begin with biases at zero", "half of the units then fire for each example", CS231N),
    Remedy(
        "leaky-relu",
        "use leaky ReLU, GELU or SiLU",
        "they pass some gradient below zero, so that no unit dies for good",
        "Maas, Hannun and Ng, 2013",
    ),
    Remedy(
        "relu", "use ReLU in hidden layers", "its slope is one wherever it is on", "Glorot, Bordes and Bengio, 2011"
    ),
    Remedy(
        "tanh-or-relu",
        "use tanh or ReLU in place of the sigmoid in hidden layers",
        "the next layer's inputs then have both signs, or zeros",
        CS231N,
    ),
    Remedy(
        "batch-normalization",
        "normalize each layer's sum before its activation (batch or layer normalization)",
        "signal and gradient then keep their size whatever the weights",
        "Ioffe and Szegedy, 2015, arXiv:1502.03167",
    ),
    Remedy(
        "shortcuts",
        "add shortcuts around every two layers",
        "the gradient then has a way back that nothing shrinks",
        "He et al., 2016, arXiv:1512.03385",
    ),
    Remedy(
        "fewer-layers", "use fewer layers", "each one is a factor in the gradient's product", DLBOOK + ", section 8.2"
    ),
    Remedy(
        "normalize-inputs",
        "bring the inputs to mean 0 and deviation 1, with the training set's numbers",
        "large or one-sided inputs push the first layer to the ends of its range",
        "LeCun et al., Efficient BackProp, 1998",
    ),
    Remedy(
        "normalize-targets",
        "bring the targets to mean 0 and deviation 1, and undo it after prediction",
        "a network's outputs begin near zero, and near one in size",
        RECIPE,
    ),
    Remedy(
        "bias-at-the-mean",
        "begin the last bias at the targets' mean, or at the logarithm of the classes' frequencies",
        "the first steps then need not learn it",
        RECIPE,
    ),
    Remedy(
        "smaller-head",
        "divide the last layer's initial weights by ten",
        "a network that knows nothing should be sure of nothing",
        RECIPE,
    ),
    Remedy(
        "give-all-parameters",
        "give the optimizer model.parameters(), after every layer is made; for what is frozen on purpose set requires_grad to False",
        "an optimizer moves only what it was given",
        "PyTorch documentation, torch.optim",
    ),
    Remedy(
        "reattach",
        "look for detach(), .data, .item(), no_grad() or a rebuilt tensor between the layer and the loss",
        "each of them cuts the gradient's way back",
        "PyTorch documentation, Autograd mechanics",
    ),
    Remedy(
        "wrap-the-model",
        "wrap the model in DistributedDataParallel on every process, and call the wrapper, not its .module",
        "it hands rank 0's weights to all at the start and averages the gradients of every step",
        "PyTorch documentation, DistributedDataParallel",
    ),
    Remedy(
        "check-inputs",
        "look at a batch just before the network: do the inputs differ, and do they reach it?",
        "a zeroed or repeated input leaves only the bias to learn",
        RECIPE,
    ),
)

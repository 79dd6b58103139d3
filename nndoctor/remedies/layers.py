"""Remedies for what layers show: activations, gradients, steps and the initialization."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, DLBOOK, GLOROT, RECIPE

CATALOGUE = (
    Remedy(
        "xavier-initialization",
        "use Xavier (Glorot) initialization, with biases at zero",
        "tanh and sigmoid units then start in the middle of their range",
        GLOROT,
    ),
    Remedy(
        "random-weights",
        "initialize the weights randomly; only biases may start equal",
        "units that start different learn different features",
        CS231N,
    ),
    Remedy(
        "zero-biases",
        "initialize biases at zero",
        "about half of the units are then active for each example",
        CS231N,
    ),
    Remedy(
        "leaky-relu",
        "use leaky ReLU, GELU or SiLU",
        "they pass some gradient below zero, so that no unit dies permanently",
        "Maas, Hannun and Ng, 2013",
    ),
    Remedy(
        "relu",
        "use ReLU in hidden layers",
        "its slope is one wherever it is active",
        "Glorot, Bordes and Bengio, 2011",
    ),
    Remedy(
        "tanh-or-relu",
        "use tanh or ReLU instead of sigmoid in hidden layers",
        "the next layer's inputs then have both signs, or zeros",
        CS231N,
    ),
    Remedy(
        "batch-normalization",
        "add batch or layer normalization before each activation",
        "signals and gradients then keep their size whatever the weights are",
        "Ioffe and Szegedy, 2015, arXiv:1502.03167",
    ),
    Remedy(
        "shortcuts",
        "add residual connections around every two layers",
        "they give the gradient a direct path back",
        "He et al., 2016, arXiv:1512.03385",
    ),
    Remedy(
        "fewer-layers",
        "use fewer layers",
        "each layer multiplies the gradient by another factor",
        DLBOOK + ", section 8.2",
    ),
    Remedy(
        "normalize-inputs",
        "normalize inputs to mean 0 and standard deviation 1",
        "large or one-sided inputs saturate the first layer and slow training down",
        "LeCun et al., Efficient BackProp, 1998",
    ),
    Remedy(
        "normalize-targets",
        "normalize targets to mean 0 and standard deviation 1",
        "a network's outputs start near zero with size near one; undo the scaling after prediction",
        RECIPE,
    ),
    Remedy(
        "bias-at-the-mean",
        "start the last bias at the target mean or log class frequencies",
        "the first steps then need not learn it",
        RECIPE,
    ),
    Remedy(
        "smaller-head",
        "divide the last layer's initial weights by ten",
        "an untrained network should not be confident",
        RECIPE,
    ),
    Remedy(
        "give-all-parameters",
        "pass model.parameters() to the optimizer after building every layer",
        "an optimizer updates only what it was given; set requires_grad=False for what is frozen on purpose",
        "PyTorch documentation, torch.optim",
    ),
    Remedy(
        "module-list",
        "keep layers in nn.ModuleList or nn.ModuleDict, parameters in nn.ParameterList",
        "only what is assigned as an attribute, or held by these, is found by parameters(), to() and state_dict()",
        "PyTorch documentation, torch.nn.ModuleList",
    ),
    Remedy(
        "load-before-freezing",
        "load pretrained weights before freezing these layers, or train them",
        "frozen layers help only with what they learned before",
        "PyTorch tutorials, Transfer Learning for Computer Vision",
    ),
    Remedy(
        "reattach",
        "look for detach(), .data, .item() or no_grad() before the loss",
        "each of them stops the gradient, as does rebuilding a tensor",
        "PyTorch documentation, Autograd mechanics",
    ),
    Remedy(
        "wrap-the-model",
        "wrap the model in DistributedDataParallel and call the wrapper",
        "it broadcasts rank 0's weights and averages the gradients of every step; calling .module bypasses it",
        "PyTorch documentation, DistributedDataParallel",
    ),
    Remedy(
        "check-inputs",
        "print a batch just before the network: do the inputs differ?",
        "with zeroed or repeated inputs, only the bias can learn",
        RECIPE,
    ),
)

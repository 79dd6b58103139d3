"""The remedies of the check-up: what to change in data, model and loss before training."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, RECIPE

TORCH = "PyTorch documentation"

CATALOGUE = (
    Remedy(
        "look-at-the-data",
        "print the mean and deviation of each feature in a batch just before the network",
        "columns are lost or filled with one value in loading more often than anywhere else",
        RECIPE,
    ),
    Remedy(
        "weigh-classes",
        "weigh the loss by class (CrossEntropyLoss(weight=...)) or sample with WeightedRandomSampler",
        "rare classes then count as much as frequent ones",
        "He and Garcia, Learning from Imbalanced Data, 2009",
    ),
    Remedy(
        "fix-labels",
        "number the classes from 0, and give the last layer as many outputs as there are classes",
        "a class without a score cannot be learned",
        TORCH + ", CrossEntropyLoss",
    ),
    Remedy(
        "same-preparation",
        "prepare both splits by the same code, with mean and deviation of the training set",
        "the network knows only the scale that it was trained on",
        RECIPE,
    ),
    Remedy(
        "add-nonlinearity",
        "put nn.ReLU() between the two layers, or merge them into one",
        "only what stands between them makes two layers more than one",
        "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.1",
    ),
    Remedy(
        "drop-last-activation",
        "leave out the last activation: give raw scores to the loss, and apply softmax or sigmoid only to predict",
        "the fused losses of torch apply it themselves, in a way that never overflows",
        TORCH + ", CrossEntropyLoss and BCEWithLogitsLoss",
    ),
    Remedy(
        "order-of-layers",
        "order them: layer, normalization, activation, dropout",
        "each then works on what it was made for",
        "Ioffe and Szegedy, 2015, arXiv:1502.03167",
    ),
    Remedy(
        "relu-in-hidden-layers",
        "use nn.ReLU() (or GELU, or tanh in small networks) in hidden layers; sigmoid only at the end, or as a gate",
        "its slope is one where it is on, so gradients keep their size",
        CS231N,
    ),
    Remedy(
        "mean-loss",
        "use the mean over the batch: reduction='mean', or .mean() in place of .sum()",
        "the rate then means the same for every batch size",
        TORCH,
    ),
    Remedy(
        "fix-penalty",
        "add the penalty to the loss, with a plus",
        "a penalty should cost",
        CS231N,
    ),
    Remedy(
        "follow-the-signal",
        "print the deviation of each layer's output for one batch, and see where it becomes zero",
        "the layer where the examples become alike is where the signal is lost",
        RECIPE,
    ),
    Remedy(
        "keep-batch-first",
        "look at each view, reshape, transpose, softmax(dim=...) and recurrent layer (batch_first=True)",
        "view where transpose was meant mixes examples and raises no error",
        RECIPE,
    ),
    Remedy(
        "group-normalization",
        "use nn.GroupNorm or nn.LayerNorm where batches are small",
        "they behave alike in both modes",
        "Wu and He, 2018, arXiv:1803.08494",
    ),
    Remedy(
        "seed-everything",
        "torch.manual_seed(0), a generator for the DataLoader, torch.use_deterministic_algorithms(True)",
        "then two runs differ only in what you changed",
        TORCH + ", Reproducibility",
    ),
    Remedy(
        "zero-gradients",
        "call optimizer.zero_grad() before loss.backward(), in every step",
        "backward() adds to the gradients that are there",
        TORCH,
    ),
    Remedy(
        "check-gradient",
        "compare with torch.autograd.gradcheck in double precision, and look for a minus sign or maximize=True",
        "a gradient is right when it agrees with differences of the loss",
        CS231N,
    ),
)

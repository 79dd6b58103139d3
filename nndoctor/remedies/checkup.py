"""The remedies of the check-up: what to change in data, model and loss before training."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, RECIPE

TORCH = "PyTorch documentation"

CATALOGUE = (
    Remedy(
        "match-shapes",
        "give both one shape: output.squeeze(1), or target.unsqueeze(1)",
        "of equal shapes every output meets its own target only",
        TORCH + ", Broadcasting",
    ),
    Remedy(
        "switch-modes",
        "call model.train() before each epoch, model.eval() before evaluation",
        "dropout and batch normalization behave differently in both modes",
        TORCH + ", Module.train",
    ),
    Remedy(
        "look-at-the-data",
        "print each feature's mean and standard deviation before the network",
        "columns that are lost or filled with one value are a common loading bug",
        RECIPE,
    ),
    Remedy(
        "weigh-classes",
        "weight the loss by class, or use WeightedRandomSampler",
        "rare classes then count as much as frequent ones; CrossEntropyLoss takes weight=...",
        "He and Garcia, Learning from Imbalanced Data, 2009",
    ),
    Remedy(
        "fix-labels",
        "number classes from 0 and give the last layer one output per class",
        "a class without an output cannot be learned",
        TORCH + ", CrossEntropyLoss",
    ),
    Remedy(
        "same-preparation",
        "preprocess both splits with the same code and training statistics",
        "the network only knows the scale that it was trained on",
        RECIPE,
    ),
    Remedy(
        "add-nonlinearity",
        "put nn.ReLU() between the two layers, or merge them into one",
        "without an activation, two linear layers are equivalent to one",
        "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.1",
    ),
    Remedy(
        "drop-last-activation",
        "remove the last activation and pass logits to the loss",
        "PyTorch's fused losses apply softmax or sigmoid themselves without overflow; apply it only for predictions",
        TORCH + ", CrossEntropyLoss and BCEWithLogitsLoss",
    ),
    Remedy(
        "order-of-layers",
        "order them: layer, normalization, activation, dropout",
        "each layer then works on the kind of input that it was designed for",
        "Ioffe and Szegedy, 2015, arXiv:1502.03167",
    ),
    Remedy(
        "relu-in-hidden-layers",
        "use nn.ReLU() or GELU in hidden layers, not sigmoid",
        "the slope of ReLU is one where it is active, so gradients keep their size",
        CS231N,
    ),
    Remedy(
        "subtract-the-overlap",
        "subtract a coefficient of overlap in the loss: 1 - dice",
        "a loss has to be least where the outputs are right",
        "Milletari et al., V-Net, 2016, arXiv:1606.04797",
    ),
    Remedy(
        "weigh-rare-classes-more",
        "weight each class by the inverse of its frequency; pos_weight by negatives / positives",
        "weights that follow the frequency make rare classes count even less",
        TORCH + ", BCEWithLogitsLoss and CrossEntropyLoss",
    ),
    Remedy(
        "draw-two-views",
        "draw the augmentation twice for each example",
        "views that are equal have equal embeddings from the first step on",
        "Chen et al., SimCLR, 2020, arXiv:2002.05709",
    ),
    Remedy(
        "fastest-rate",
        "set the learning rate that learned fastest of those tried",
        "it was tried on this model and these data, from the same start",
        "Smith, Cyclical Learning Rates, 2017, arXiv:1506.01186",
    ),
    Remedy(
        "mean-loss",
        "average over the batch: reduction='mean', .mean() instead of .sum()",
        "the learning rate then means the same for every batch size",
        TORCH,
    ),
    Remedy(
        "fix-penalty",
        "add the penalty to the loss with a plus sign",
        "a penalty must increase the loss",
        CS231N,
    ),
    Remedy(
        "follow-the-signal",
        "print the standard deviation of each layer's output for one batch",
        "the signal is lost in the layer where all examples give the same output",
        RECIPE,
    ),
    Remedy(
        "check-the-index",
        "check the index or slice with which the model reads its input",
        "the last state of a recurrent network has seen the whole sequence, the first one only its own place",
        "PyTorch documentation, torch.nn.GRU",
    ),
    Remedy(
        "leave-the-feature-out",
        "leave the feature out",
        "train only on what is known at the time of the prediction",
        "Kaufman et al., Leakage in Data Mining, TKDD 2012",
    ),
    Remedy(
        "detach-the-target",
        "compute the target under torch.no_grad(), or detach it",
        "a target that is trained with the output can meet it at any value",
        "PyTorch documentation, Autograd mechanics",
    ),
    Remedy(
        "keep-the-graph",
        "pass create_graph=True to torch.autograd.grad",
        "without it the derivative is a constant, and a loss of it trains nothing",
        "PyTorch documentation, torch.autograd.grad",
    ),
    Remedy(
        "add-the-log-determinant",
        "subtract the log-determinant in the loss: -(log p(z) + log |det J|)",
        "the change of variables makes a density of the map; without it the map may shrink to a point",
        "Dinh et al., Real NVP, 2017, arXiv:1605.08803",
    ),
    Remedy(
        "match-the-range",
        "end the generator with an activation that reaches the examples (tanh for -1 to 1), or rescale these",
        "a discriminator tells examples apart by values that the generator cannot make",
        "Radford et al., DCGAN, 2016, arXiv:1511.06434",
    ),
    Remedy(
        "alternate-the-masks",
        "alternate the masks of the coupling layers, or permute the columns between them",
        "a coupling layer leaves a part of its input as it is; the next one has to move that part",
        "Dinh et al., Real NVP, 2017, arXiv:1605.08803",
    ),
    Remedy(
        "smooth-activation",
        "replace ReLU with a smooth activation: tanh, SiLU or sine",
        "a ReLU network consists of straight pieces, whose second derivative is zero",
        "Sitzmann et al., SIREN, 2020, arXiv:2006.09661",
    ),
    Remedy(
        "keep-batch-first",
        "check view, reshape, transpose, softmax(dim=...) and batch_first",
        "view instead of transpose mixes examples without raising an error",
        RECIPE,
    ),
    Remedy(
        "causal-mask",
        "give the attention a causal mask (is_causal=True or nn.Transformer.generate_square_subsequent_mask)",
        "each position then sees earlier tokens only, as it does when text is generated",
        RECIPE,
    ),
    Remedy(
        "follow-the-mode",
        "use nn.Dropout, or pass training=self.training to functional dropout and guard noise with if self.training",
        "predictions then no longer change from call to call",
        TORCH,
    ),
    Remedy(
        "mask-padding",
        "pass ignore_index to the loss, or set the targets of padding to -100",
        "padding is easy to predict, so its loss hides that of the real tokens",
        RECIPE,
    ),
    Remedy(
        "group-normalization",
        "use nn.GroupNorm or nn.LayerNorm for small batches",
        "they behave the same in training and evaluation mode",
        "Wu and He, 2018, arXiv:1803.08494",
    ),
    Remedy(
        "seed-everything",
        "call torch.manual_seed(0) and seed the DataLoader's generator",
        "two runs then differ only in what you changed; torch.use_deterministic_algorithms(True) covers the rest",
        TORCH + ", Reproducibility",
    ),
    Remedy(
        "zero-gradients",
        "call optimizer.zero_grad() in every step, before loss.backward()",
        "backward() adds to existing gradients",
        TORCH,
    ),
    Remedy(
        "step-downhill",
        "look for a wrong sign in the step, or in front of the loss",
        "p -= lr * p.grad lowers the loss; p += lr * p.grad, a minus before the loss, or maximize=True raises it",
        TORCH + ", torch.optim",
    ),
    Remedy(
        "check-gradient",
        "compare with torch.autograd.gradcheck in double precision",
        "a correct gradient agrees with finite differences of the loss; also look for a minus sign or maximize=True",
        CS231N,
    ),
)

"""Remedies for a gap between training and validation: data, regularization, stopping, the metric."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, PLAYBOOK, RECIPE, YEARNING

CATALOGUE = (
    Remedy(
        "more-data",
        "collect more training examples",
        "the generalization gap shrinks roughly as 1/√n",
        YEARNING,
    ),
    Remedy(
        "augmentation",
        "augment the training data: flips, shifts, crops, rotations, noise",
        "augmented examples are harder to memorize",
        "Shorten and Khoshgoftaar, 2019, Journal of Big Data 6:60",
    ),
    Remedy(
        "weight-decay",
        "add weight decay (L2), starting at 1e-4",
        "smaller weights give smoother functions",
        "Krogh and Hertz, 1991; " + CS231N,
    ),
    Remedy(
        "dropout",
        "add dropout (0.2–0.5) before the last layers",
        "units that cannot rely on each other learn more robust features",
        "Srivastava et al., 2014, JMLR 15",
    ),
    Remedy(
        "smaller-network",
        "use a smaller network",
        "try this last: a large, well-regularized network usually generalizes better",
        CS231N,
    ),
    Remedy(
        "early-stopping",
        "stop early, and keep the weights of the best epoch",
        "after that the network memorizes the training set",
        "Prechelt, Early Stopping - But When?, 1998",
    ),
    Remedy(
        "stop-adding-trees",
        "set early_stopping_rounds on data that no tree is trained on, and keep the best iteration",
        "after the best iteration each tree fits noise in the training set",
        "XGBoost documentation, Early stopping",
    ),
    Remedy(
        "smaller-trees",
        "limit max_depth or num_leaves, raise min_child_weight, and sample rows and columns",
        "smaller trees fit less noise",
        "XGBoost documentation, Notes on parameter tuning",
    ),
    Remedy(
        "fewer-epochs",
        "train for one or two epochs, or stop at the best epoch",
        "each repetition of the data adds memorization, little else",
        "Muennighoff et al., Scaling Data-Constrained Language Models, 2023, arXiv:2305.16264",
    ),
    Remedy(
        "label-smoothing",
        "use label smoothing of 0.1",
        "it reduces overconfidence",
        "Müller, Kornblith and Hinton, 2019, arXiv:1906.02629",
    ),
    Remedy(
        "stop-on-the-metric",
        "select the checkpoint by the metric you care about",
        "the loss and the metric are best at different steps",
        PLAYBOOK,
    ),
    Remedy(
        "check-the-metric",
        "compute the metric by hand on ten decoded validation examples",
        "wrong decoding, tokenization, padding or averaging makes a metric fall while the model improves",
        RECIPE,
    ),
    Remedy(
        "find-what-changed",
        "compare the run with a good one: nndoctor compare GOOD THIS",
        "revert changes in settings, data and code one at a time; several seeds show whether it was chance",
        PLAYBOOK,
    ),
    Remedy(
        "average-weights",
        "average the weights of the last epochs",
        "averaged weights are less noisy and often better",
        "Izmailov et al., 2018, arXiv:1803.05407",
    ),
)

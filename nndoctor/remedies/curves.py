"""Remedies for what loss curves show: the learning rate, bias, variance, data and the log itself."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, DLBOOK, PLAYBOOK, RECIPE, YEARNING

CATALOGUE = (
    # the learning rate
    Remedy(
        "lower-learning-rate",
        "divide the learning rate by 10, and again while it helps; where that learns too slowly, by 3",
        "steps larger than the valley is wide bounce, or throw the weights out",
        CS231N,
    ),
    Remedy(
        "raise-learning-rate",
        "multiply the learning rate by 10, and again while it helps; back to 3 where the loss swings",
        "small steps need many: the loss falls in proportion to the rate until it swings",
        CS231N,
    ),
    Remedy(
        "learning-rate-range-test",
        "run a few hundred steps with a rate growing from 1e-7 to 1 and take a tenth of where the loss turns up",
        "it shows the usable interval in minutes",
        "Smith, Cyclical Learning Rates, 2017, arXiv:1506.01186",
    ),
    Remedy(
        "decay-learning-rate",
        "decay the rate over the run: cosine to zero, or by 10 when the loss levels off",
        "large steps at first to get there, small ones at the end to settle",
        "Loshchilov and Hutter, SGDR, 2017, arXiv:1608.03983",
    ),
    Remedy(
        "decay-later",
        "keep the rate high for longer: decay over the whole run, or start when the loss has levelled off",
        "a rate near zero freezes whatever is not yet learned",
        CS231N,
    ),
    Remedy(
        "warm-up",
        "raise the rate from near zero over the first few hundred steps",
        "the first gradients are large, and the optimizer's averages are not yet right",
        "Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv:1706.02677",
    ),
    Remedy(
        "shorten-warm-up",
        "warm up over 1 to 5 % of the steps the run really has",
        "a warm-up longer than the run never trains at the rate you chose",
        "Goyal et al., 2017, arXiv:1706.02677",
    ),
    Remedy(
        "adam",
        "use Adam or AdamW with a rate near 3e-4",
        "its averages forget old gradients, so its steps do not shrink to nothing",
        "Kingma and Ba, Adam, 2015, arXiv:1412.6980",
    ),
    Remedy(
        "rmsprop",
        "use RMSprop",
        "it averages squared gradients with exponential forgetting, where Adagrad sums them for ever",
        "Hinton, Neural Networks for Machine Learning, lecture 6",
    ),
    Remedy(
        "clip-gradients",
        "clip the gradient's norm, at 1 or at ten times its median",
        "a single huge gradient then costs one ordinary step",
        "Pascanu, Mikolov and Bengio, 2013, arXiv:1211.5063",
    ),
    Remedy(
        "larger-batch",
        "use a batch two to four times as large",
        "the gradient's noise falls with the root of the batch",
        "McCandlish et al., 2018, arXiv:1812.06162",
    ),
    # bias
    Remedy(
        "larger-network",
        "make the network wider or deeper, by four times, with a nonlinearity after every hidden layer",
        "too little capacity cannot reach the error you want",
        YEARNING,
    ),
    Remedy(
        "other-architecture",
        "try an architecture made for this kind of data",
        "the right structure needs less capacity",
        YEARNING,
    ),
    Remedy(
        "less-regularization",
        "take out dropout, weight decay and augmentation, one after the other",
        "each of them raises the training error on purpose",
        DLBOOK + ", chapter 7",
    ),
    Remedy(
        "train-longer",
        "train for four times the steps, the schedule stretched with them",
        "the curve has not reached its floor",
        PLAYBOOK,
    ),
    Remedy(
        "set-target-error",
        "say what error is possible, with --target-error",
        "bias is the distance to what an ideal predictor reaches, which no log shows",
        YEARNING,
    ),
    # variance
    Remedy("more-data", "get more training examples", "the gap shrinks about with the root of their number", YEARNING),
    Remedy(
        "augmentation",
        "augment the training data: flips, shifts, crops, rotations, noise",
        "examples that never repeat cannot be learned by heart",
        "Shorten and Khoshgoftaar, 2019, Journal of Big Data 6:60",
    ),
    Remedy(
        "weight-decay",
        "add weight decay (L2), from 1e-4 upwards",
        "small weights make smooth functions",
        "Krogh and Hertz, 1991; " + CS231N,
    ),
    Remedy(
        "dropout",
        "add dropout, from 0.2 to 0.5, before the last layers",
        "units that cannot rely on each other learn what generalizes",
        "Srivastava et al., 2014, JMLR 15",
    ),
    Remedy(
        "smaller-network",
        "use a smaller network",
        "last: regularize a large one first, it is the better predictor",
        CS231N,
    ),
    Remedy(
        "early-stopping",
        "stop when validation has not improved for a while, and keep the weights of its best epoch",
        "past the best epoch the network learns its examples by heart",
        "Prechelt, Early Stopping - But When?, 1998",
    ),
    Remedy(
        "label-smoothing",
        "smooth the labels by 0.1",
        "it keeps wrong answers from growing surer",
        "Müller, Kornblith and Hinton, 2019, arXiv:1906.02629",
    ),
    Remedy(
        "stop-on-the-metric",
        "choose the checkpoint by the metric you ship",
        "loss and metric have their best at different steps",
        PLAYBOOK,
    ),
    Remedy(
        "check-the-metric",
        "compute the metric by hand on ten validation examples and look at the decoded outputs",
        "wrong decoding, tokenization, padding or averaging makes a metric fall while the model improves",
        RECIPE,
    ),
    Remedy(
        "find-what-changed",
        "put the run beside a good one (nndoctor compare GOOD THIS), then go back through settings, data and code",
        "one change at a time tells which did it; several seeds tell whether it was chance",
        PLAYBOOK,
    ),
    Remedy(
        "average-weights",
        "average the weights of the last epochs",
        "the average of noisy weights is less noisy, and often better",
        "Izmailov et al., 2018, arXiv:1803.05407",
    ),
    # does it learn at all
    Remedy(
        "overfit-tiny-subset",
        "overfit 20 examples with regularization off: the loss must reach zero",
        "a network that cannot learn 20 examples has a fault, not a hyperparameter",
        CS231N + "; " + RECIPE,
    ),
    Remedy(
        "he-initialization",
        "initialize with He (Kaiming) for ReLU, Xavier (Glorot) for tanh, biases zero",
        "signal and gradient keep their size from layer to layer",
        "He et al., 2015, arXiv:1502.01852; Glorot and Bengio, 2010",
    ),
    Remedy(
        "check-the-step",
        "see that every parameter is in the optimizer, has a gradient and moves by about 1e-3 of its size a step",
        "frozen, detached and forgotten parameters do not learn",
        CS231N,
    ),
    Remedy(
        "check-labels",
        "look at a batch just before the network: do the labels belong to the inputs?",
        "shuffled labels leave only chance",
        RECIPE,
    ),
    Remedy(
        "fit-loss-to-output",
        "use the loss that fits the output: raw scores with cross-entropy, one sigmoid with binary cross-entropy, linear with squared error",
        "another loss can fall without end while nothing is learned",
        DLBOOK + ", section 6.2",
    ),
    Remedy(
        "guard-the-loss",
        "add a small number inside logarithms and divisions, and use the framework's fused losses",
        "log(0) and 0/0 are NaN at any learning rate",
        "PyTorch documentation, CrossEntropyLoss and BCEWithLogitsLoss",
    ),
    Remedy(
        "check-finite-data",
        "check that every input and target is finite",
        "one NaN in a batch makes every weight NaN",
        RECIPE,
    ),
    Remedy(
        "find-the-bad-batch",
        "log the batch's index and look at the examples where it jumps",
        "broken or mislabelled examples come back every epoch",
        RECIPE,
    ),
    # data and log
    Remedy(
        "shuffle",
        "shuffle the training examples anew each epoch",
        "batches that are alike make the gradient unbiased",
        "Bengio, 2012, arXiv:1206.5533",
    ),
    Remedy(
        "larger-validation-set",
        "evaluate on more examples",
        "the noise of a mean falls with the root of their number",
        PLAYBOOK,
    ),
    Remedy(
        "evaluate-train-in-eval-mode",
        "evaluate the training set in evaluation mode, too",
        "then the two losses measure the same thing",
        DLBOOK + ", section 7.12",
    ),
    Remedy(
        "check-overlap",
        "look for examples that stand in both splits",
        "a leak makes validation look better than it is",
        "Kaufman et al., Leakage in Data Mining, 2012",
    ),
    Remedy(
        "hold-out",
        "hold 10 to 20 % of the examples out and log their loss each epoch",
        "only new examples show how well it generalizes",
        DLBOOK + ", section 5.3",
    ),
    Remedy(
        "log-more-often", "log at least once an epoch, and the loss every few steps", "a trend needs points", PLAYBOOK
    ),
    Remedy(
        "evaluate-the-policy",
        "log the mean return of a frozen policy over some tens of episodes, for three seeds or more",
        "the return is what is learned; the losses chase targets that move, and seeds differ as much as methods",
        "Henderson et al., Deep Reinforcement Learning that Matters, 2018, arXiv:1709.06560",
    ),
    Remedy(
        "score-the-samples",
        "log the Fréchet inception distance of some thousand samples once an epoch, and look at a fixed batch of them",
        "it falls as the samples get better; the losses need not",
        "Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017, arXiv:1706.08500",
    ),
    Remedy(
        "log-plain-numbers",
        "write plain numbers, and nan where there is none",
        "a cell that is not a number is left out",
        "RFC 4180",
    ),
    Remedy(
        "one-log-a-run", "write each run to a file of its own", "each can then be compared with the others", PLAYBOOK
    ),
    Remedy(
        "restore-optimizer",
        "save and restore the optimizer, the schedule and the random state with the weights",
        "without them a resumed run is another run",
        "PyTorch tutorials, Saving and loading a general checkpoint",
    ),
)

"""Remedies for what loss curves show: the learning rate, bias, data and the log itself."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import CS231N, DLBOOK, PLAYBOOK, RECIPE, YEARNING

CATALOGUE = (
    # the learning rate
    Remedy(
        "lower-learning-rate",
        "reduce the learning rate by 10×; if training is too slow, try 3×",
        "steps that are too large overshoot the minimum and can diverge",
        CS231N,
    ),
    Remedy(
        "raise-learning-rate",
        "increase the learning rate by 10×; back off to 3× if it oscillates",
        "small steps make slow progress",
        CS231N,
    ),
    Remedy(
        "learning-rate-range-test",
        "run a learning-rate range test: 1e-7 to 1 over a few hundred steps",
        "a tenth of the rate at which the loss starts to rise is a good choice",
        "Smith, Cyclical Learning Rates, 2017, arXiv:1506.01186",
    ),
    Remedy(
        "check-the-schedule",
        "check the number of steps of the schedule: print the learning rate before the first step",
        "a schedule made for 0 steps or one of 0 warmup steps, or a value that was not read, leaves a learning rate of 0",
        "PyTorch documentation, torch.optim: How to adjust learning rate",
    ),
    Remedy(
        "decay-learning-rate",
        "decay the learning rate: cosine to zero, or 10× when the loss stalls",
        "large steps make fast progress early on, small ones settle near the minimum",
        "Loshchilov and Hutter, SGDR, 2017, arXiv:1608.03983",
    ),
    Remedy(
        "decay-later",
        "keep the learning rate high for longer, or decay over the whole run",
        "a learning rate near zero freezes everything that has not been learned yet",
        CS231N,
    ),
    Remedy(
        "warm-up",
        "add a learning-rate warmup over the first few hundred steps",
        "early gradients are large, and the optimizer's running averages are not reliable yet",
        "Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv:1706.02677",
    ),
    Remedy(
        "shorten-warm-up",
        "set warmup to 1–5% of the total steps",
        "with a warmup longer than the run, training never reaches the learning rate you chose",
        "Goyal et al., 2017, arXiv:1706.02677",
    ),
    Remedy(
        "check-warm-up-unit",
        "check what the warmup counts: optimizer steps, batches or epochs",
        "a warmup in another unit than the scheduler's steps is many times too long",
        "PyTorch documentation, torch.optim",
    ),
    Remedy(
        "cap-the-rate",
        "stop raising the learning rate where the loss was best, then decay it",
        "a schedule that never stops rising passes every stable rate",
        CS231N,
    ),
    Remedy(
        "adam",
        "use Adam or AdamW with a learning rate near 3e-4",
        "its running averages forget old gradients, so its steps do not shrink to zero",
        "Kingma and Ba, Adam, 2015, arXiv:1412.6980",
    ),
    Remedy(
        "rmsprop",
        "use RMSprop",
        "it averages squared gradients with exponential forgetting, while Adagrad sums them forever",
        "Hinton, Neural Networks for Machine Learning, lecture 6",
    ),
    Remedy(
        "clip-gradients",
        "clip the gradient norm, at 1 or at ten times its median",
        "a single huge gradient can then do no more damage than an ordinary step",
        "Pascanu, Mikolov and Bengio, 2013, arXiv:1211.5063",
    ),
    Remedy(
        "larger-batch",
        "use a batch two to four times as large",
        "gradient noise falls with the square root of the batch size",
        "McCandlish et al., 2018, arXiv:1812.06162",
    ),
    # bias
    Remedy(
        "larger-network",
        "use a network four times as wide, or add hidden layers",
        "a network with too little capacity cannot reach the error you want",
        YEARNING,
    ),
    Remedy(
        "other-architecture",
        "try an architecture designed for this kind of data",
        "the right inductive bias needs less capacity",
        YEARNING,
    ),
    Remedy(
        "less-regularization",
        "remove dropout, weight decay and augmentation, one at a time",
        "each of them deliberately raises the training error",
        DLBOOK + ", chapter 7",
    ),
    Remedy(
        "train-longer",
        "train 4× longer and stretch the schedule accordingly",
        "the loss has not plateaued yet",
        PLAYBOOK,
    ),
    Remedy(
        "set-target-error",
        "state the error that is achievable, with --target-error",
        "bias is the distance to the best achievable error, which no log shows",
        YEARNING,
    ),
    # does it learn at all
    Remedy(
        "overfit-tiny-subset",
        "overfit 20 examples without regularization: the loss must reach zero",
        "a network that cannot memorize 20 examples has a bug, not a tuning problem",
        CS231N + "; " + RECIPE,
    ),
    Remedy(
        "he-initialization",
        "use He (Kaiming) initialization for ReLU, Xavier (Glorot) for tanh",
        "signals and gradients then keep their size from layer to layer; biases start at zero",
        "He et al., 2015, arXiv:1502.01852; Glorot and Bengio, 2010",
    ),
    Remedy(
        "check-the-step",
        "check that every parameter is in the optimizer and has a gradient",
        "frozen, detached and forgotten parameters do not learn; typical updates are 1e-3 of a weight's size",
        CS231N,
    ),
    Remedy(
        "check-labels",
        "print a batch just before the network: do labels match inputs?",
        "with shuffled labels only random guessing is possible",
        RECIPE,
    ),
    Remedy(
        "fit-loss-to-output",
        "use the loss that fits the output: logits with cross-entropy",
        "one sigmoid goes with binary cross-entropy, a linear output with squared error; other losses can fall while nothing is learned",
        DLBOOK + ", section 6.2",
    ),
    Remedy(
        "guard-the-loss",
        "use the framework's fused losses; add 1e-8 inside log and division",
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
        "log the batch index and inspect the examples where the loss jumps",
        "broken or mislabelled examples come back every epoch",
        RECIPE,
    ),
    # data and log
    Remedy(
        "shuffle",
        "shuffle the training examples every epoch",
        "shuffled batches give unbiased gradient estimates",
        "Bengio, 2012, arXiv:1206.5533",
    ),
    Remedy(
        "larger-validation-set",
        "evaluate on more validation examples",
        "the noise of a mean falls with the square root of their number",
        PLAYBOOK,
    ),
    Remedy(
        "evaluate-train-in-eval-mode",
        "also evaluate the training set in evaluation mode",
        "the two losses then measure the same thing",
        DLBOOK + ", section 7.12",
    ),
    Remedy(
        "check-overlap",
        "look for examples that appear in both splits",
        "a leak makes validation look better than it is",
        "Kaufman et al., Leakage in Data Mining, 2012",
    ),
    Remedy(
        "hold-out",
        "hold out 10–20% of the examples and log their loss every epoch",
        "only unseen examples show how well the model generalizes",
        DLBOOK + ", section 5.3",
    ),
    Remedy(
        "log-more-often",
        "log at least once per epoch, and the loss every few steps",
        "a trend needs points",
        PLAYBOOK,
    ),
    Remedy(
        "evaluate-the-policy",
        "log the mean return over 20 or more episodes, for at least 3 seeds",
        "the return is what counts: the losses chase moving targets, and seeds differ as much as methods do",
        "Henderson et al., Deep Reinforcement Learning that Matters, 2018, arXiv:1709.06560",
    ),
    Remedy(
        "score-the-samples",
        "log the FID of a few thousand samples every epoch",
        "it falls as the samples get better, while the losses need not; also look at a fixed batch of samples",
        "Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017, arXiv:1706.08500",
    ),
    Remedy(
        "log-plain-numbers",
        "write plain numbers, and nan for missing values",
        "a cell that is not a number is skipped",
        "RFC 4180",
    ),
    Remedy(
        "one-log-a-run",
        "write each run to its own file",
        "runs can then be compared with each other",
        PLAYBOOK,
    ),
    Remedy(
        "evaluate-the-trained-weights",
        "evaluate the network that is trained: update its averaged copy after each step, and drop cached results",
        "a validation that repeats to the last digit measures another network, or none",
        "PyTorch documentation, torch.optim.swa_utils.AveragedModel",
    ),
    Remedy(
        "check-the-names",
        "check under which name each loss is logged: evaluate the last checkpoint on both sets",
        "the optimizer lowers the training loss, so the loss that falls to the end is that one",
        PLAYBOOK,
    ),
    Remedy(
        "load-the-weights",
        "check that the script loads its checkpoint: evaluate the model once before the first step",
        "a loss that is back at its start is that of a new model; what was trained before is lost",
        "PyTorch tutorials, Saving and loading a general checkpoint",
    ),
    Remedy(
        "restore-optimizer",
        "save optimizer, schedule and random state along with the weights",
        "without them, training does not continue from the same state",
        "PyTorch tutorials, Saving and loading a general checkpoint",
    ),
)

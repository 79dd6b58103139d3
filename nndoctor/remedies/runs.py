"""Remedies for runs that died or learn nothing: precision, masks, memory, the process, the metric."""

from __future__ import annotations

from nndoctor.core.finding import Remedy
from nndoctor.remedies.sources import RECIPE

PYTORCH_AMP = "PyTorch documentation, Automatic mixed precision"

CATALOGUE = (
    Remedy(
        "full-precision",
        "run a few hundred steps in float32, or use bfloat16",
        "float16 overflows above 65,504; if the NaN disappears, half precision caused it",
        PYTORCH_AMP,
    ),
    Remedy(
        "fix-label-masks",
        "count the labels that the loss does not ignore in a few batches",
        "a batch in which every label is masked has a loss of 0 or NaN, and teaches nothing",
        "Hugging Face documentation, DataCollatorForLanguageModeling; PyTorch documentation, CrossEntropyLoss",
    ),
    Remedy(
        "check-loaded-labels",
        "print the labels of one batch just before the loss",
        "a loader that finds no labels, or another format, gives empty targets without an error",
        RECIPE,
    ),
    Remedy(
        "look-at-labelled-examples",
        "inspect twenty training examples with labels as fed to the network",
        "labels that were shuffled or shifted against the inputs can only be memorized",
        RECIPE,
    ),
    Remedy(
        "fix-the-metric",
        "test the metric's code on predictions with a known score",
        "a metric that disagrees with the loss is often computed on something other than the predictions",
        RECIPE,
    ),
    Remedy(
        "rescale-loss",
        "start the loss scale lower, or train in bfloat16, which needs none",
        "a scale that keeps falling means that the gradients overflow at every scale, so no step is applied",
        PYTORCH_AMP,
    ),
    Remedy(
        "smaller-batch",
        "halve the batch, sequence or image size until the run fits",
        "the memory of the activations grows in proportion to the batch",
        "PyTorch documentation, CUDA semantics",
    ),
    Remedy(
        "accumulate-gradients",
        "accumulate gradients over several smaller batches",
        "the update is the same, but only one small batch is in memory at a time",
        "Hugging Face documentation, Performance: gradient accumulation",
    ),
    Remedy(
        "checkpoint-activations",
        "recompute activations in the backward pass (torch.utils.checkpoint)",
        "it trades about a third more time for most of the activations' memory",
        "Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016, arXiv:1604.06174",
    ),
    Remedy(
        "read-the-error",
        "read the first error in the log, fix it and resume",
        "the last message of a distributed run is seldom the cause",
        "PyTorch documentation, torchrun: error propagation",
    ),
    Remedy(
        "resume-from-checkpoint",
        "save checkpoints often, and resume from the last one",
        "then a crash costs minutes",
        "PyTorch tutorials, Saving and loading a general checkpoint",
    ),
)

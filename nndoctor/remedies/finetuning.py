"""Remedies for fine-tuning language models."""

from __future__ import annotations

from nndoctor.core.finding import Remedy

ACCUMULATION = "Hugging Face, Fixing Gradient Accumulation, 2024"
LORA = "Hu et al., LoRA, 2021, arXiv:2106.09685"

CATALOGUE = (
    Remedy(
        "average-over-tokens",
        "divide the loss by the number of label tokens, once",
        "a mean of means weighs short batches too much, and a sum multiplies the gradient",
        ACCUMULATION,
    ),
    Remedy(
        "compare-one-batch",
        "compare training and evaluation loss of one batch without dropout",
        "they must be equal; what differs is the reduction or the mask",
        ACCUMULATION,
    ),
    Remedy(
        "fine-tuning-learning-rate",
        "use 1e-5 to 2e-5 for full fine-tuning, 1e-4 to 2e-4 for LoRA",
        "adapters start at zero and need a rate ten times as high as full weights",
        LORA + "; Biderman et al., LoRA Learns Less and Forgets Less, 2024, arXiv:2405.09673",
    ),
    Remedy(
        "one-or-two-epochs",
        "train for 1–2 epochs and keep the best checkpoint",
        "models memorize instruction data within three epochs",
        "Zhou et al., LIMA, 2023, arXiv:2305.11206; Muennighoff et al., 2023, arXiv:2305.16264",
    ),
    Remedy(
        "check-the-label-mask",
        "decode one batch's labels: only the answer may be unmasked",
        "a batch whose labels are all masked has no loss",
        "Hugging Face TRL documentation, SFTTrainer: train on completions only",
    ),
    Remedy(
        "low-rank-adapters",
        "tune adapters of low rank (LoRA) instead of all weights",
        "the pretrained weights stay as they are",
        LORA + "; Biderman et al., LoRA Learns Less and Forgets Less, 2024, arXiv:2405.09673",
    ),
    Remedy(
        "mix-general-data",
        "mix 5 to 10% of general or earlier data into the training data",
        "what is trained on is not forgotten",
        "Scialom, Chakrabarty and Muresan, Fine-tuned Language Models are Continual Learners, 2022, arXiv:2205.12393",
    ),
)

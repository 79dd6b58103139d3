"""Remedies for the process and the machine."""

from __future__ import annotations

from nndoctor.core.finding import Remedy

GUIDE = "PyTorch performance tuning guide"
FAQ = "PyTorch, Frequently Asked Questions"

CATALOGUE = (
    Remedy(
        "profile-late-step",
        "Profile one step early and one late in the run, and compare them.",
        "what takes longer, or is called more often, is what grows",
        GUIDE,
    ),
    Remedy(
        "detach-what-is-kept",
        "Store loss.item() or tensor.detach().cpu(), never a tensor with its graph, and empty lists after each epoch.",
        "a kept graph keeps every activation that it was computed from",
        FAQ,
    ),
    Remedy(
        "snapshot-memory",
        "Record memory snapshots 1,000 steps apart (torch.cuda.memory._record_memory_history) and compare them.",
        "the allocations that are only in the later one are the leak",
        "PyTorch, Understanding CUDA Memory Usage",
    ),
    Remedy(
        "more-loader-workers",
        "Use more data loader workers (num_workers 4-8 for each GPU, persistent_workers=True, prefetch_factor=4).",
        "batches are then prepared while the model computes",
        GUIDE,
    ),
    Remedy(
        "cache-preprocessed-data",
        "Decode and resize the data once, and store it in a few large files on a local disk.",
        "many small files and repeated decoding are slow",
        "Mohan et al., Data Stalls in DNN Training, 2021, arXiv:2007.06775",
    ),
    Remedy(
        "pin-memory",
        "Set pin_memory=True and copy with non_blocking=True.",
        "copies then overlap with computation",
        GUIDE,
    ),
    Remedy(
        "check-the-machine",
        "Check the GPU's clock, temperature and other processes (nvidia-smi -q -d PERFORMANCE), and the links between nodes.",
        "a throttled GPU or a busy node slows every rank",
        "Jiang et al., MegaScale, 2024, arXiv:2402.15627",
    ),
    Remedy(
        "balance-the-ranks",
        "Give every rank the same number of tokens: pack sequences, or group them by length.",
        "all ranks wait for the longest batch",
        "Krell et al., Efficient Sequence Packing, 2021, arXiv:2107.02027",
    ),
)

"""Remedies for the process and the machine."""

from __future__ import annotations

from nndoctor.core.finding import Remedy

GUIDE = "PyTorch performance tuning guide"
FAQ = "PyTorch, Frequently Asked Questions"

CATALOGUE = (
    Remedy(
        "profile-late-step",
        "Profile one step early and one late in the run, and compare them",
        "what takes longer, or is called more often, is what grows",
        GUIDE,
    ),
    Remedy(
        "detach-what-is-kept",
        "store loss.item() or detached tensors, never tensors with a graph",
        "a kept graph keeps every activation that it was computed from",
        FAQ,
    ),
    Remedy(
        "snapshot-memory",
        "compare memory snapshots taken 1,000 steps apart",
        "torch.cuda.memory._record_memory_history shows the allocations that are only in the later one: the leak",
        "PyTorch, Understanding CUDA Memory Usage",
    ),
    Remedy(
        "more-loader-workers",
        "use more data loader workers (4–8 per GPU, persistent)",
        "batches are then prepared while the model computes",
        GUIDE,
    ),
    Remedy(
        "cache-preprocessed-data",
        "decode and resize once, and store the data in a few large files",
        "many small files and repeated decoding are slow",
        "Mohan et al., Data Stalls in DNN Training, 2021, arXiv:2007.06775",
    ),
    Remedy(
        "pin-memory",
        "Set pin_memory=True and copy with non_blocking=True",
        "copies then overlap with computation",
        GUIDE,
    ),
    Remedy(
        "check-the-machine",
        "check GPU clock, temperature and other processes with nvidia-smi",
        "a throttled GPU or a busy node slows every rank",
        "Jiang et al., MegaScale, 2024, arXiv:2402.15627",
    ),
    Remedy(
        "balance-the-ranks",
        "give every rank the same number of tokens: pack or group by length",
        "all ranks wait for the longest batch",
        "Krell et al., Efficient Sequence Packing, 2021, arXiv:2107.02027",
    ),
)

"""Which layers take what certain parameters have made."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import torch
from torch import nn

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench


def fed(bench: Bench, sources: AbstractSet[int], layers: Iterable[nn.Module]) -> bool:
    """Whether what one of the layers takes depends on these parameters."""
    taken: list[bool] = []

    def note(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> None:
        taken.append(any(t.requires_grad for t in tensors((*places, *names.values()))))

    handles = [m.register_forward_pre_hook(note, with_kwargs=True) for m in layers]
    try:
        for parameter in bench.model.parameters():
            if parameter.is_floating_point():
                parameter.requires_grad_(id(parameter) in sources)
        with torch.enable_grad():
            bench.subject.run(bench.batch)
    finally:
        for handle in handles:
            handle.remove()
        bench.fresh_start()
    return any(taken)

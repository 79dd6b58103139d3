"""Which layers take what certain parameters have made."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import torch
from torch import nn

from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.graph import leaves


def fed(bench: Bench, sources: AbstractSet[int], layers: Iterable[nn.Module]) -> bool:
    """Whether what one of the layers takes depends on these parameters."""
    taken: list[bool] = []

    def note(_: nn.Module, places: tuple[Any, ...], names: dict[str, Any]) -> None:
        given = [t for t in tensors((*places, *names.values())) if t.requires_grad]
        taken.append(any(id(leaf) in sources for t in given for leaf in leaves(t.grad_fn)))

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

"""The ends of stacks: what the last block makes for a next one that does not exist, as WaveNet's last residual."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nndoctor.sanity.bench import Bench


def dead_ends(bench: Bench, absent: list[str]) -> set[str]:
    """Parameters without gradient in the last block of a list whose other blocks have gradients at the same place.

    Blocks take different inputs, one after the other; where the last two take the same, they are heads beside each
    other, and one is forgotten.
    """
    names = {n for n, _ in bench.model.named_parameters()}
    pairs = {name: pair for name in absent if (pair := _before(bench.model, name, names, set(absent))) is not None}
    if not pairs:
        return set()
    inputs = _inputs(bench, {path for pair in pairs.values() for path in pair})
    return {name for name, pair in pairs.items() if _differ(*(inputs.get(path) for path in pair))}


def _before(model: nn.Module, name: str, names: set[str], absent: set[str]) -> tuple[str, str] | None:
    """The module of a parameter in a list's last block, and the one at the same place in the block before."""
    parts = name.split(".")
    for k, part in enumerate(parts[:-1]):
        if not part.isdigit() or not isinstance(model.get_submodule(".".join(parts[:k])), nn.ModuleList):
            continue
        others = [".".join([*parts[:k], str(j), *parts[k + 1 :]]) for j in range(int(part))]
        following = ".".join([*parts[:k], str(int(part) + 1), *parts[k + 1 :]])
        if others and following not in names and all(n in names and n not in absent for n in others):
            return name.rpartition(".")[0], others[-1].rpartition(".")[0]
    return None


def _inputs(bench: Bench, paths: set[str]) -> dict[str, Tensor]:
    """The first tensor that each of these modules takes in a pass."""
    found: dict[str, Tensor] = {}

    def noting(path: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def note(_: nn.Module, places: tuple[object, ...]) -> None:
            if places and isinstance(places[0], Tensor):
                found.setdefault(path, places[0].detach())

        return module.register_forward_pre_hook(note)

    bench.observe([noting(path, bench.model.get_submodule(path)) for path in paths])
    return found


def _differ(last: Tensor | None, before: Tensor | None) -> bool:
    return last is not None and before is not None and (last.shape != before.shape or not torch.equal(last, before))

"""Layers that lead nowhere: the last residual of a stack as in WaveNet, a library's pooler, layers whose outputs change nothing."""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn

from nndoctor.experiment.state import unchanged
from nndoctor.sanity.bench import Bench, number
from nndoctor.sanity.dropout import without_dropout
from nndoctor.sanity.failures import LIBRARIES
from nndoctor.sanity.state import nudge, seed

MOST = 6  # layers that are tried
BATCHES = 3
NOISE = 3.0  # of the size of a layer's outputs, plus 1
FEW = 0.15  # of the parameters of a library's model, as a pooler has; an encoder that is detached has far more


def dead_ends(bench: Bench, absent: list[str]) -> set[str]:
    """Parameters without gradient in the last block of a list whose other blocks have gradients at the same place.

    Blocks take different inputs, one after the other; where the last two take the same, they are parallel heads,
    and one is forgotten.
    """
    names = {n for n, _ in bench.model.named_parameters()}
    pairs = {name: pair for name in absent if (pair := _before(bench.model, name, names, set(absent))) is not None}
    if not pairs:
        return set()
    inputs = _inputs(bench, {path for pair in pairs.values() for path in pair})
    return {name for name, pair in pairs.items() if _differ(*(inputs.get(path) for path in pair))}


def unused_in_library(model: nn.Module, absent: list[str]) -> set[str]:
    """Parameters without gradient in a model that a library made, of whose parameters they are few.

    Stock models bring poolers and biases that are not asked for in every use; the user cannot have forgotten to call them.
    """
    found: set[str] = set()
    for path, part in model.named_modules():
        if found.issuperset(absent) or not _of_library(part):
            continue
        prefix = f"{path}." if path else ""
        inside = [name for name in absent if name.startswith(prefix)]
        if len(inside) <= FEW * sum(p.requires_grad for p in part.parameters()):
            found.update(inside)
    return found


def _of_library(module: nn.Module) -> bool:
    """Whether the class of a module is of an installed library other than torch, whose layers are building blocks."""
    name = type(module).__module__
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return name.partition(".")[0] != "torch" and any(part in file for part in LIBRARIES)


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


@torch.no_grad()
def without_effect(bench: Bench, zero: list[str]) -> list[str]:
    """Layers among those whose gradients are zero that change the loss in no batch, even if noise is added to their outputs.

    Noise wakes dead units. Experts and other members of a list wait for their input, and are left out.
    """
    weights = [n for n in zero if n.endswith(".weight") and not _in_list(bench.model, n)]
    found = []
    bench.fresh_start()
    nudge(bench.model)
    for path in (name.removesuffix(".weight") for name in weights[:MOST]):
        losses = [_loss(bench, path, noise) for noise in (0.0, NOISE)]
        if losses[0] == losses[1]:
            found.append(path)
    return found


def _in_list(model: nn.Module, name: str) -> bool:
    parts = name.split(".")
    return any(isinstance(model.get_submodule(".".join(parts[:k])), nn.ModuleList) for k in range(1, len(parts)))


def _loss(bench: Bench, path: str, noise: float) -> list[float]:
    """The losses of a few batches, with noise of the outputs' size added to the outputs of a layer."""
    ran = False

    def add(_: nn.Module, __: object, output: object) -> object:
        nonlocal ran
        if not isinstance(output, Tensor):
            return output
        ran = True
        size = float(output.square().mean().sqrt()) + 1.0
        return output + noise * size * torch.randn_like(output)

    handle = bench.model.get_submodule(path).register_forward_hook(add)
    try:
        losses = []
        for batch in bench.batches[:BATCHES]:
            with unchanged(bench.model):
                without_dropout(bench.model)
                seed(13)
                losses.append(number(bench.subject.run(batch).loss))
    finally:
        handle.remove()
    return losses if ran else [noise]

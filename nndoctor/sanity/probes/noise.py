"""Targets that are drawn at random within the step: the share of them that nothing in the model's input tells."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.lens import Lens
from nndoctor.sanity.origins import Origins
from nndoctor.sanity.state import seed

REDRAWN = 4  # times that the random numbers are drawn again
SALT = 7_000_003


def probe(bench: Bench) -> None:
    """Draw those numbers again on which only the target depends, all else being equal."""
    bench.model.train()
    lens = _seen(bench, frozenset(), 0)
    if lens.pairs and _has_teacher(bench):
        return  # whose outputs differ with what is drawn for its inputs
    for place, pair in enumerate(lens.pairs):
        fresh = pair.fresh - lens.origins.escaped
        if not fresh:
            continue
        others = [_seen(bench, fresh, SALT * (k + 1)).pairs for k in range(REDRAWN)]
        if all(len(other) == len(lens.pairs) for other in others):
            share = _share([pair.target, *(other[place].target for other in others)])
            bench.fact("target_noise", max(share, bench.number("target_noise")))


def _has_teacher(bench: Bench) -> bool:
    """Whether a step calls another model beside the one that is trained, as a copy that averages its weights."""
    own, strange = {id(m) for m in bench.model.modules()}, set[int]()

    def note(module: nn.Module, _: object) -> None:
        if id(module) not in own and next(module.parameters(), None) is not None:
            strange.add(id(module))

    handle = nn.modules.module.register_module_forward_pre_hook(note)
    try:
        bench.subject.run(bench.batch)
    finally:
        handle.remove()
    return bool(strange)


def _seen(bench: Bench, again: frozenset[int], salt: int) -> Lens:
    lens = Lens(Origins(bench.model, again, salt), lambda: None)
    seed(29)
    with torch.enable_grad(), lens:
        bench.subject.run(bench.batch)
    return lens


def _share(found: list[Tensor]) -> float:
    """The share of the mean square that differs from draw to draw; of classes, of what differs from example to example."""
    if any(one.shape != found[0].shape for one in found):
        return 0.0
    stack = torch.stack(found)
    if stack.is_floating_point():
        return float(stack.double().var(0).mean() / stack.double().square().mean().clamp_min(1e-30))
    frequencies = torch.unique(stack, return_counts=True)[1].double() / stack.numel()
    by_chance = 1 - float(frequencies.square().sum())
    return float((stack[1:] != stack[:1]).double().mean()) / by_chance if by_chance > 0 else 0.0

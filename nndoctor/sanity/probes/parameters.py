"""Which parameters the optimizer holds, which are frozen, and what the optimizer is set to."""

from __future__ import annotations

import torch
from torch import nn

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.optimizers import rate

ADAPTER = "lora_"  # in the names of low-rank adapters' weights


def probe(bench: Bench) -> None:
    """Compare the optimizer's parameters with the model's."""
    named = list(bench.model.named_parameters())
    bench.fact("parameters", sum(p.numel() for _, p in named))
    bench.fact("trainable_parameters", sum(p.numel() for _, p in named if p.requires_grad))
    bench.fact("trainable_tensors", sum(p.requires_grad for _, p in named))
    frozen = [n for n, p in named if not p.requires_grad]
    bench.fact("frozen_parameters", tuple(frozen))
    bench.fact("frozen_share", len(frozen) / max(len(named), 1))
    adapters = [n for n, _ in named if ADAPTER in n.lower()]
    if adapters and set(adapters) <= set(frozen):
        bench.fact("frozen_adapters", tuple(adapters))
    optimizer = bench.subject.optimizer
    if optimizer is None:
        return
    own = [optimizer, *(given for given, _ in bench.strangers.values())]  # a GAN's step has an optimizer for each part
    held = {id(p) for each in own for group in each.param_groups for p in group["params"]}
    missed = [n for n, p in named if p.requires_grad and id(p) not in held]
    bench.fact("missed_parameters", tuple(missed))
    bench.fact("not_in_optimizer", tuple(dict.fromkeys(n.rpartition(".")[0] or n for n in missed)))
    bench.fact("optimizer", type(optimizer).__name__)
    bench.fact("lr_configured", rate(optimizer))
    first = optimizer.param_groups[0]
    bench.fact("weight_decay", max(float(g.get("weight_decay", 0) or 0) for g in optimizer.param_groups))
    if "momentum" in first:
        bench.fact("momentum", float(first["momentum"]))


def first_layer(bench: Bench) -> None:
    """The values that the first layer with weights takes: what a model that scales its inputs itself makes of them."""
    from nndoctor.recorder.kinds import Role, role_of

    taken: list[torch.Tensor] = []
    normed = False

    def note(module: nn.Module, args: tuple[object, ...]) -> None:
        nonlocal normed
        if taken or normed or not args or not isinstance(args[0], torch.Tensor):
            return
        if role_of(module) in (Role.NORM, Role.EMBEDDING) or not args[0].is_floating_point():
            normed = True
        else:
            taken.append(args[0].detach())

    layers = [m for m in bench.model.modules() if role_of(m) is not None and next(m.children(), None) is None]
    handles = [m.register_forward_pre_hook(note) for m in layers]
    bench.observe(handles)
    bench.fact("first_layer_normalizes", normed)
    if taken:
        values = taken[0].float()
        bench.fact("first_layer_rms", float(values.square().mean().sqrt()))
        bench.fact("first_layer_largest", float(values.abs().max()))
        flat = values.reshape(-1, values.shape[-1]) if values.ndim == 2 else values.reshape(len(values), -1)
        bench.fact("first_layer_mean", float(flat.mean()))
        if values.ndim == 2 and len(values) >= 8:
            spread = flat.std(0)
            spread = spread[spread > 0]
            if len(spread) > 1:
                bench.fact("feature_scale_low", float(spread.min()))
                bench.fact("feature_scale_high", float(spread.max()))

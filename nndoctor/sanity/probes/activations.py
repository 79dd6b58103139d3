"""How the values that layers give are spread before any step, for the picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nndoctor.core.series import Series
from nndoctor.recorder.kinds import Role, role_of
from nndoctor.sanity.batches import tensors
from nndoctor.sanity.bench import Bench

START = "start:"  # what the names of these series begin with
BINS = 48
LAYERS = 12  # at most, evenly chosen
VALUES = 100_000  # of a layer
ROLES = (Role.WEIGHT, Role.ACTIVATION, Role.RECURRENT, Role.ATTENTION)


def probe(bench: Bench) -> None:
    """One forward pass; each layer's histogram is a series of shares over values."""
    if not bench.pictures:
        return
    found: dict[str, Tensor] = {}
    modules = [(n, m) for n, m in bench.model.named_modules() if n and role_of(m) in ROLES]
    handles = [m.register_forward_hook(_noting(found, n)) for n, m in modules]
    bench.observe(handles)
    names = list(found)
    for k in range(min(LAYERS, len(names))):
        name = names[k * (len(names) - 1) // max(1, min(LAYERS, len(names)) - 1)]
        values = found[name]
        if not bool(torch.isfinite(values).all()) or not len(values):
            continue
        low, high = float(values.min()), float(values.max())
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        shares = torch.histc(values, BINS, low, high) / len(values)
        centres = [low + (high - low) * (i + 0.5) / BINS for i in range(BINS)]
        bench.series[START + name] = Series.of(START + name, shares.tolist(), centres)


def _noting(found: dict[str, Tensor], name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a hook
    def note(_module: nn.Module, _args: object, output: object) -> None:
        given = [t for t in tensors(output) if t.is_floating_point()]
        if given and name not in found:
            flat = given[0].detach().float().flatten()
            found[name] = flat[:: max(1, len(flat) // VALUES)].cpu()

    return note

"""Layers before the trained ones that stay as they are: whether they were trained anywhere before, as weights of a backbone should be."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from torch import Tensor, nn

from nndoctor.experiment.keras_model import is_keras, own_parameters, weight_layers
from nndoctor.recorder.kinds import WEIGHTS, Role, role_of
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.reach import fed

FROZEN, MISSED = 0.2, 0.5  # of the weights: fewer are not the backbone; what is frozen is tried
FEWEST = 64  # values of a weight that show how it was drawn
SHIFTS = ("bias", "beta")  # of Keras, which begin at 0, those of the forget gate at 1
NEAR = 0.05  # how far the spread of so many uniform numbers may be from its value


def probe(bench: Bench) -> None:
    """Note the layers that trained ones build on, where all of them look as they were initialized: those that are frozen, and those that the optimizer lacks."""
    missed = bench.facts.get("missed_parameters")
    names = set(missed) if isinstance(missed, tuple) else set()
    named = list(bench.model.named_parameters())
    _look(bench, "frozen_untrained", {id(p) for _, p in named if not p.requires_grad}, FROZEN)
    _look(bench, "missed_untrained", {id(p) for n, p in named if n in names}, MISSED)


def _look(bench: Bench, fact: str, still: AbstractSet[int], least: float) -> None:
    """Note under this name the layers of parameters that stay as they are, where they have at least this share of the weights."""
    sizes = {id(p): p.numel() for p in bench.model.parameters()}
    if sum(sizes[one] for one in still) < least * sum(sizes.values()) or len(still) == len(sizes):
        return
    layers, others = holders(bench.model, still), holders(bench.model, sizes.keys() - still)
    if (
        as_initialized(layers.values())
        and fed(bench, still, others.values())
        and not fed(bench, sizes.keys() - still, layers.values())
    ):
        bench.fact(fact, tuple(layers))


def holders(model: nn.Module, wanted: AbstractSet[int]) -> dict[str, nn.Module]:
    """The modules, or the layers of a Keras model, whose own parameters are all among these."""
    every = {str(m.name): m for m in weight_layers(model)} if is_keras(model) else dict(model.named_modules())
    found = {}
    for name, module in every.items():
        own = [id(p) in wanted for p in own_parameters(module)]
        if own and all(own):
            found[name] = module
    return found


def as_initialized(layers: Iterable[nn.Module]) -> bool:
    """Whether every normalization is the identity, or without any, every weight is drawn as torch draws it; of Keras, whether all biases are those of its start."""
    layers = list(layers)
    of_keras = [layer for layer in layers if is_keras(layer)]
    if of_keras:
        return _begin_at_zero(of_keras)
    norms = [m for m in layers if role_of(m) is Role.NORM]
    if norms:
        return all(map(_is_identity, norms))
    weights = [m.weight for m in layers if isinstance(m, WEIGHTS) and m.weight.numel() >= FEWEST]
    return bool(weights) and all(map(_is_default, weights))


def _begin_at_zero(layers: Iterable[Any]) -> bool:
    shifts = [w.value for layer in layers for w in layer.weights if w.name in SHIFTS]
    return bool(shifts) and all(bool(((shift == 0) | (shift == 1)).all()) for shift in shifts)


def _is_identity(norm: nn.Module) -> bool:
    """Whether it scales all units by 1, or by 0 as the last one of a residual block may begin."""
    weight, bias = getattr(norm, "weight", None), getattr(norm, "bias", None)
    same = isinstance(weight, Tensor) and (bool((weight == 1).all()) or not bool(weight.any()))
    return same and (bias is None or not bool(bias.any()))


def _is_default(weight: Tensor) -> bool:
    """Whether it is uniform within 1 / sqrt(inputs), torch's default (He and others, 2015, with a = sqrt(5))."""
    bound = weight[0].numel() ** -0.5
    spread = float(weight.float().std()) / (bound / 3**0.5)
    slack = NEAR + 2 / weight.numel() ** 0.5
    within = float(weight.abs().max()) <= bound * (1 + 1e-5)
    return within and bool(abs(spread - 1) < slack)

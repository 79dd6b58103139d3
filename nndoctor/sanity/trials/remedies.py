"""Remedies that can be tried on any model without its source: each changes one thing, and takes the change back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nndoctor.experiment.keras_model import layer_called, layers_in, own_parameters
from nndoctor.recorder.kinds import WEIGHTS
from nndoctor.sanity.batches import all_inputs, mapped, rebuilt, target_of
from nndoctor.sanity.bench import Bench
from nndoctor.sanity.dropout import CALLED, NoDropout
from nndoctor.sanity.probes.parameters import layers_with_a_role

NEAR_END = 1e-6  # of the ends of a sigmoid
SMALL = 0.1  # what the last layer's weights are multiplied by
MATRIX = 2  # dimensions of weights
SEQUENCES = 3  # dimensions of a batch of sequences of numbers


@dataclass(frozen=True, slots=True)
class Remedy:
    """What it is called in a sentence, what it does to the rate, and what it does to model, optimizer and batches.

    `change` may fill the optimizer in, add hooks, or give a function for batches; None in its place changes only rates.
    """

    words: str
    factor: float = 1.0
    decay: bool = True
    change: Callable[[Bench, torch.optim.Optimizer], Change] | None = None


@dataclass(slots=True)
class Change:
    """What a remedy did: hooks to take away, and what becomes of a batch."""

    hooks: tuple[RemovableHandle, ...] = ()
    batch: Callable[[Any], Any] | None = None
    clip: float | None = None


@contextmanager
def applied(bench: Bench, remedy: Remedy, optimizer: torch.optim.Optimizer) -> Iterator[Change]:
    """The remedy in force, from fresh weights on; its hooks are taken away afterwards."""
    change = Change() if remedy.change is None else remedy.change(bench, optimizer)
    try:
        yield change
    finally:
        for hook in change.hooks:
            hook.remove()


def rate(factor: float) -> Remedy:
    """Another learning rate."""
    return Remedy(
        f"a learning rate {factor:g}× as high" if factor >= 1 else f"the learning rate ÷{1 / factor:g}", factor
    )


@torch.no_grad()
def _default(bench: Bench, _: torch.optim.Optimizer) -> Change:
    for module in bench.model.modules():
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
    return Change()


@torch.no_grad()
def _he(bench: Bench, _: torch.optim.Optimizer) -> Change:
    for module in _layers(bench.model):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    for matrix in _matrices(bench.model):
        nn.init.normal_(matrix, std=math.sqrt(2 / len(matrix)))
    return Change()


def _layers(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, WEIGHTS)]


def _matrices(model: nn.Module) -> list[Tensor]:
    """The matrices of a model without layers, which its inputs are multiplied with from the left."""
    return [] if _layers(model) else [each for each in model.parameters() if each.ndim == MATRIX]


@torch.no_grad()
def _calm_head(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """The last layer with weights, in the order of its making, begins near zero."""
    layers = _layers(bench.model)
    if layers and layers[-1].bias is not None:
        layers[-1].bias.zero_()
    for weight in [layers[-1].weight] if layers else _matrices(bench.model)[-1:]:
        weight.mul_(SMALL)
    return Change()


def _inputs(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """Inputs of zero mean and unit spread: each feature of a table and of sequences of numbers, all values of anything else.

    The zeros that sequences are padded with stay as they are.
    """
    given = [] if bench.sample is None else all_inputs(bench.sample)
    sample = next((t for t in given if t.is_floating_point() and len(t) > 1), None)
    if sample is None:
        return Change()
    features = sample.ndim in (2, SEQUENCES)
    rows = sample.flatten(0, -2) if features else sample.flatten()
    rows = rows[rows.any(1)] if sample.ndim == SEQUENCES else rows
    mean, spread = rows.mean(0), rows.std(0).clamp_min(1e-8)

    def scaled(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point() or tensor.ndim != sample.ndim or tensor.shape[-1] != sample.shape[-1]:
            return tensor
        padding = ~tensor.any(-1, keepdim=True) if sample.ndim == SEQUENCES else torch.zeros((), dtype=torch.bool)
        return torch.where(padding, tensor, (tensor - mean) / spread)

    if isinstance(bench.batch, Tensor) or bench.subject.step is not None:  # then the inputs may be a target, too

        def put(_m: nn.Module, places: Any, names: Any) -> Any:  # noqa: ANN401
            return mapped(places, scaled), mapped(names, scaled)

        return Change((bench.model.register_forward_pre_hook(put, with_kwargs=True),))
    return Change(batch=lambda batch: rebuilt(batch, scaled))


def _first_layer(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """What the first layer takes with zero mean and unit spread: the model scales its inputs itself."""
    first: list[nn.Module] = []

    def note(module: nn.Module, places: tuple[Any, ...]) -> None:
        if not first and places and isinstance(places[0], Tensor) and places[0].is_floating_point():
            first.append(module)

    bench.observe([m.register_forward_pre_hook(note) for m in layers_with_a_role(bench.model)])

    def scaled(_m: nn.Module, places: tuple[Any, ...]) -> tuple[Any, ...]:
        return ((places[0] - places[0].mean()) / places[0].std().clamp_min(1e-12), *places[1:])

    return Change(tuple(m.register_forward_pre_hook(scaled) for m in first))


def _targets(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """Outputs in units of the targets' spread, from their mean on: the same as targets that are standardized."""
    target = None if bench.sample is None else target_of(bench.sample)
    if target is None or not target.is_floating_point() or len(target) < 2:
        return Change()
    mean, spread = target.mean(), target.std().clamp_min(1e-8)

    def scaled(output: Tensor) -> Tensor:
        fits = output.is_floating_point() and output.shape[1:] == target.shape[1:]
        return output * spread + mean if fits else output

    def grown(_m: nn.Module, _a: Any, output: Any) -> Any:  # noqa: ANN401
        return output * spread + mean if isinstance(output, Tensor) else mapped(output, scaled)

    return Change((bench.model.register_forward_hook(grown),))


def _standardized(bench: Bench, optimizer: torch.optim.Optimizer) -> Change:
    """Both inputs and targets."""
    first, second = _inputs(bench, optimizer), _targets(bench, optimizer)
    return Change((*first.hooks, *second.hooks), first.batch)


def _nonlinear(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """A ReLU after the first of each pair of linear layers."""
    found = bench.facts.get("linear_pairs")
    firsts = {str(pair).partition(" -> ")[0] for pair in found} if isinstance(found, tuple) else set()
    return _hooked(bench, firsts, lambda _m, _a, output: torch.relu(output) if isinstance(output, Tensor) else output)


def _unsquashed(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """ReLU in the place of a sigmoid or softmax between layers: of the scores that it was given."""
    names = [n for f in ("sigmoid_before", "softmax_before") for n in _paths(bench.facts.get(f))]
    soft = set(_paths(bench.facts.get("softmax_before")))
    hooks = []
    for name in names:

        def undo(_m: nn.Module, args: Any, soft: bool = name in soft) -> Any:  # noqa: ANN401
            score = args[0].clamp(NEAR_END, 1 - NEAR_END)
            raw = score.log() - score.log().mean(-1, keepdim=True) if soft else torch.logit(score)
            return (torch.relu(raw), *args[1:])

        hooks.append(bench.model.get_submodule(name).register_forward_pre_hook(undo))
    return Change(tuple(hooks))


def _shortcuts(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """The input is added to the output of every layer that keeps its shape."""
    names = {n for n, m in bench.model.named_modules() if isinstance(m, WEIGHTS)}

    def add(_m: nn.Module, args: Any, output: Any) -> Any:  # noqa: ANN401
        same = isinstance(output, Tensor) and args and isinstance(args[0], Tensor) and args[0].shape == output.shape
        return output + args[0] if same else output

    return _hooked(bench, names, add)


def _whole(bench: Bench, optimizer: torch.optim.Optimizer) -> Change:
    """The parameters that the optimizer lacks, with the settings of its first group."""
    names = set(_paths(bench.facts.get("missed_parameters")))
    optimizer.add_param_group({"params": [p for n, p in bench.model.named_parameters() if n in names]})
    return Change()


def _thawed(bench: Bench, optimizer: torch.optim.Optimizer) -> Change:
    """The frozen layers are trained as well, with the settings of the optimizer's first group."""
    layers = (layer_called(bench.model, name) for name in _paths(bench.facts.get("frozen_untrained")))
    thawed = [p.requires_grad_() for layer in layers for p in own_parameters(layer)]
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    missing = [p for p in thawed if id(p) not in held]
    if missing:
        optimizer.add_param_group({"params": missing})
    return Change()


def _undropped(bench: Bench, _: torch.optim.Optimizer) -> Change:
    """Dropout passes everything: the layers', and that of calls without a layer."""
    names = set(_paths(bench.facts.get("dropout_layers")))
    if CALLED not in names:
        return _hooked(bench, names, lambda _m, args, _o: args[0])
    mode: Any = NoDropout()

    def begin(*_: object) -> None:
        mode.__enter__()

    def end(*_: object) -> None:
        mode.__exit__(None, None, None)

    model = bench.model
    return Change((model.register_forward_pre_hook(begin), model.register_forward_hook(end, always_call=True)))


def _hooked(bench: Bench, names: set[str], act: Callable[..., Any]) -> Change:
    known = {"model": bench.model, **dict(bench.model.named_modules()), **dict(layers_in(bench.model))}
    modules = (known[name] for name in sorted(names))
    return Change(tuple(m.register_forward_hook(act) for m in modules))


def _paths(found: object) -> list[str]:
    return [str(path) for path in found] if isinstance(found, tuple) else []


DEFAULT = Remedy("the layers' default initialization", change=_default)
HE = Remedy("He initialization", change=_he)
HEAD = Remedy("a last layer that begins near zero", change=_calm_head)
FIRST_LAYER = Remedy("normalized values for the first layer", change=_first_layer)
INPUTS = Remedy("normalized inputs", change=_inputs)
TARGETS = Remedy("standardized targets", change=_targets)
BOTH = Remedy("standardized inputs and targets", change=_standardized)
NONLINEAR = Remedy("a ReLU between them", change=_nonlinear)
UNSQUASHED = Remedy("ReLU in its place", change=_unsquashed)
SHORTCUTS = Remedy("shortcuts", change=_shortcuts)
WHOLE = Remedy("all parameters in the optimizer", change=_whole)
THAWED = Remedy("these layers trained as well", change=_thawed)
UNDECAYED = Remedy("no weight decay", decay=False)
UNDROPPED = Remedy("no dropout", change=_undropped)
CLIPPED = Remedy("clipped gradients", change=lambda _b, _o: Change(clip=1.0))
LOWER, HIGHER = rate(0.1), rate(10.0)

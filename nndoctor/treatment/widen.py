"""A wider network: by the file's own `model(width)`, or every hidden layer of a model in memory made larger."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.steps import step_result
from nndoctor.treatment.rebound import rebound

FACTORS = {nn.Linear: 4, nn.Conv1d: 2, nn.Conv2d: 2, nn.Conv3d: 2}  # what is cheap: four times the units, else twice
HIDDEN = 64  # units of the layer that a linear model is given
NAMES = ("width", "hidden", "hidden_size", "hidden_dim", "units", "n_hidden")
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)
RECURRENT = (nn.RNN, nn.GRU, nn.LSTM)


def why_not(experiment: Experiment) -> str:
    """Why the model cannot be made wider; empty where it can."""
    if _argument(experiment) is not None:
        return ""
    try:
        with torch.random.fork_rng(devices=[]):
            widened(experiment)
            return ""
    except Exception:  # noqa: BLE001 - whatever a module raises that was not made for another size
        return "its layers do not fit together when they are made larger; give the file `def model(width=…)`"


def widened(experiment: Experiment) -> None:
    """Make the model wider and give it an optimizer with the same settings. Raises what PyTorch raises where that fails."""
    name = _argument(experiment)
    if name is not None and experiment.make_model is not None:
        usual = inspect.signature(experiment.make_model).parameters[name].default
        experiment.model = experiment.make_model(**{name: 4 * int(usual)})
    else:
        _in_place(experiment)
    rebound(experiment)


def _argument(experiment: Experiment) -> str | None:
    make = experiment.make_model
    given = inspect.signature(make).parameters if make is not None else {}
    return next((n for n in NAMES if n in given and isinstance(given[n].default, int)), None)


def _in_place(experiment: Experiment) -> None:
    """Replace the hidden layers by larger ones, and see that a batch still goes through, to an output of the same shape."""
    batch = next(iter(experiment.train_data))
    model = experiment.model
    before = _shape(experiment, batch)
    order = _order(experiment, batch)
    weighted = [one for one in order if type(one) in FACTORS]
    if not weighted:
        raise ValueError("no layer to widen")
    only = order[0]
    if len(order) == 1 and isinstance(only, nn.Linear):
        _replace(model, experiment, only, _with_hidden_layer(only))
        return
    factor = min(FACTORS[type(one)] for one in weighted)
    for module in order:
        made = _larger(module, factor, first=module is order[0], last=module is weighted[-1])
        if made is not None:
            made.train(module.training)
            _replace(model, experiment, module, made)
    if _shape(experiment, batch) != before:
        raise ValueError("the output has another shape")


def _replace(model: nn.Module, experiment: Experiment, old: nn.Module, new: nn.Module) -> None:
    if model is old:
        experiment.model = new
        return
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)


def _with_hidden_layer(layer: nn.Linear) -> nn.Module:
    return nn.Sequential(nn.Linear(layer.in_features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, layer.out_features))


def _shape(experiment: Experiment, batch: object) -> object:
    experiment.model.train()
    with torch.no_grad():
        found = step_result(experiment, batch)
    return found.output.shape if found.output is not None else found.loss.shape


def _order(experiment: Experiment, batch: object) -> list[nn.Module]:
    """The modules whose size can change, in the order in which a batch passes through them; each once."""
    seen: list[nn.Module] = []
    kinds = (*FACTORS, *NORMS, *RECURRENT, nn.Embedding)

    def note(module: nn.Module, *_: object) -> None:
        if module not in seen:
            seen.append(module)

    found = [m for m in experiment.model.modules() if isinstance(m, kinds)]
    handles = [module.register_forward_pre_hook(note) for module in found]
    try:
        _shape(experiment, batch)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _larger(module: nn.Module, factor: int, *, first: bool, last: bool) -> nn.Module | None:
    """The module with more channels in and out: the first keeps its inputs, the last one its outputs."""
    inputs, outputs = 1 if first else factor, 1 if last else factor
    made: nn.Module
    match module:
        case nn.Linear():
            made = nn.Linear(module.in_features * inputs, module.out_features * outputs, module.bias is not None)
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            if module.groups != 1:
                raise ValueError("grouped convolutions keep their width")
            make: Callable[..., nn.Module] = type(module)
            made = make(
                module.in_channels * inputs, module.out_channels * outputs, module.kernel_size, module.stride,
                module.padding, module.dilation, 1, module.bias is not None, module.padding_mode,
            )  # fmt: skip
        case nn.Embedding():
            return nn.Embedding(module.num_embeddings, module.embedding_dim * factor, module.padding_idx)
        case nn.RNN() | nn.GRU() | nn.LSTM():
            recurrent: Any = type(module)
            return recurrent(  # type: ignore[no-any-return]  # one of three modules
                module.input_size * inputs, module.hidden_size * factor, module.num_layers, bias=module.bias,
                batch_first=module.batch_first, dropout=module.dropout, bidirectional=module.bidirectional,
            )  # fmt: skip
        case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
            return type(module)(module.num_features * inputs)
        case nn.LayerNorm():
            *rest, size = module.normalized_shape
            return nn.LayerNorm([*rest, size * inputs])
        case nn.GroupNorm():
            return nn.GroupNorm(module.num_groups, module.num_channels * inputs)
        case _:
            return None
    _drawn_alike(module, made)
    return made


def _drawn_alike(old: Any, new: Any) -> None:  # noqa: ANN401 - any module with weights
    """Weights drawn from those of the smaller layer, scaled to its fan-in: its initialization stays what it was."""
    for name in ("weight", "bias"):
        small, large = getattr(old, name), getattr(new, name)
        if not isinstance(small, Tensor) or not isinstance(large, Tensor):
            continue
        drawn = small.detach().flatten()[torch.randint(small.numel(), (large.numel(),))].view_as(large)
        fans = small[0].numel() / max(large[0].numel(), 1) if name == "weight" else 1.0
        mean = small.detach().mean()
        large.requires_grad = small.requires_grad
        with torch.no_grad():
            large.copy_(mean + (drawn - mean) * math.sqrt(fans))

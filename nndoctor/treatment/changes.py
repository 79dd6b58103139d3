"""The single changes that a treatment may try: what each sets, and when it does not apply."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch.utils.data import DataLoader, IterableDataset

from nndoctor.experiment.data import batches
from nndoctor.experiment.experiment import Experiment
from nndoctor.training.options import Optimizers, Options
from nndoctor.treatment import surgery

WARMUP, CLIP = 0.1, 1.0  # share of the run; norm of the gradient
DECAY = 1e-2  # AdamW's default


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `apply` alters the loaded experiment, `options` the training; `lacks` says why it does not apply, if so."""

    name: str
    settings: Mapping[str, object]
    apply: Callable[[Experiment], None] | None = None
    options: Callable[[Options], Options] = field(default=lambda options: options)
    rate: float = 1.0
    length: int = 1
    lacks: Callable[[Experiment], str] = field(default=lambda _: "")


def _own_loop(experiment: Experiment) -> str:
    return "the file's train_step decides this" if experiment.train_step is not None else ""


def _optimizer(kind: Optimizers) -> Callable[[Options], Options]:
    return lambda options: replace(options, optimizer=kind)


def _decay_of(experiment: Experiment) -> float:
    optimizer = experiment.optimizer
    if callable(optimizer) and not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = optimizer([p for p in experiment.model.parameters() if p.requires_grad])
    if not isinstance(optimizer, torch.optim.Optimizer):
        return 0.0
    return max(float(group.get("weight_decay", 0.0)) for group in optimizer.param_groups)


def _rebatched(factor: float) -> Callable[[Experiment], None]:
    def apply(experiment: Experiment) -> None:
        loader = _loader(experiment)
        size = max(1, min(int((loader.batch_size or 1) * factor), experiment.train_data.examples or 1))
        made: DataLoader[object] = DataLoader(loader.dataset, size, shuffle=True, collate_fn=loader.collate_fn)
        experiment.train_data = batches("train_data", made, shuffle=True)

    return apply


def _loader(experiment: Experiment) -> DataLoader[object]:
    held = held_loader(experiment)
    if held is None:
        raise TypeError("train_data is not a DataLoader")
    return held


def held_loader(experiment: Experiment) -> DataLoader[object] | None:
    """The DataLoader behind the training data, where its batches can be made anew."""
    held = inspect.getclosurevars(experiment.train_data.source).nonlocals.get("loader")
    if not isinstance(held, DataLoader) or isinstance(held.dataset, IterableDataset) or held.batch_size is None:
        return None
    return held


def _fixed_batches(experiment: Experiment) -> str:
    return "train_data has fixed batches" if held_loader(experiment) is None else ""


def _no_weights(experiment: Experiment) -> str:
    return "" if surgery.layers_with_weights(experiment.model) else "the model has no linear or convolutional layer"


def _no_float_inputs(experiment: Experiment) -> str:
    first = next(iter(experiment.train_data), None)
    return "" if surgery.inputs_of(first) is not None else "the inputs are not floating-point tensors"


def _needs(there: bool, reason: str) -> str:
    return "" if there else reason


CHANGES: tuple[Change, ...] = (
    Change("lr/10", {"lr": "÷10"}, rate=0.1),
    Change("lr*10", {"lr": "×10"}, rate=10.0),
    Change("steps*4", {"steps": "×4"}, length=4),
    Change("initialization", {"initialization": "He"}, surgery.initialized, lacks=_no_weights),
    Change("normalize", {"inputs": "standardized"}, surgery.normalized, lacks=_no_float_inputs),
    Change(
        "relu",
        {"activation": "ReLU", "initialization": "He"},
        surgery.rectified,
        lacks=lambda e: _needs(bool(surgery.saturating_layers(e.model)), "no hidden sigmoid or tanh"),
    ),
    Change(
        "no-softmax",
        {"output": "logits"},
        surgery.without_softmax,
        lacks=lambda e: _needs(surgery.ends_in_softmax(e), "no softmax before CrossEntropyLoss"),
    ),
    Change(
        "dropout-off",
        {"dropout": 0.0},
        surgery.without_dropout,
        lacks=lambda e: _needs(surgery.has_dropout(e.model), "the model has no dropout"),
    ),
    Change("optimizer-adam", {"optimizer": "Adam", "lr": 1e-3}, options=_optimizer(Optimizers.adam), lacks=_own_loop),
    Change(
        "momentum",
        {"optimizer": "SGD", "momentum": 0.9, "lr": 0.01},
        options=_optimizer(Optimizers.momentum),
        lacks=_own_loop,
    ),
    Change("clip", {"clip": CLIP}, options=lambda o: replace(o, clip=CLIP), lacks=_own_loop),
    Change("warmup", {"warmup": WARMUP}, options=lambda o: replace(o, warmup=WARMUP), lacks=_own_loop),
    Change(
        "weight-decay",
        {"weight_decay": DECAY},
        options=lambda o: replace(o, weight_decay=DECAY),
        lacks=lambda e: _own_loop(e) or _needs(_decay_of(e) < DECAY, "the optimizer has as much weight decay"),
    ),
    Change(
        "weight-decay-off",
        {"weight_decay": 0.0},
        options=lambda o: replace(o, weight_decay=0.0),
        lacks=lambda e: _own_loop(e) or _needs(_decay_of(e) > 0, "the optimizer has no weight decay"),
    ),
    Change("dropout", {"dropout": surgery.DROPOUT}, surgery.with_dropout, lacks=_no_weights),
    Change("batch/4", {"batch_size": "÷4"}, _rebatched(0.25), lacks=_fixed_batches),
    Change("batch*4", {"batch_size": "×4"}, _rebatched(4.0), lacks=_fixed_batches),
)
"""In the order in which they are tried where nothing is known of the run: the likeliest and cheapest first."""

FURTHER = {
    "lr/10": Change("lr/100", {"lr": "÷100"}, rate=0.01),
    "lr*10": Change("lr*100", {"lr": "×100"}, rate=100.0),
}
"""What is tried next where a change gains: the best may be beyond the edge of what was tried."""

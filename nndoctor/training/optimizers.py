"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from torch import nn, optim

from nndoctor.core.errors import UsageError
from nndoctor.experiment.by_hand import name_of
from nndoctor.experiment.experiment import Experiment
from nndoctor.experiment.model_file import user_code
from nndoctor.training.options import OptimizerName, ScheduleName, TrainingOptions

USUAL = {  # learning rates to start from: CS231n for momentum, the papers' for the adaptive ones
    OptimizerName.sgd: 0.1,
    OptimizerName.momentum: 0.01,
    OptimizerName.nesterov: 0.01,
    OptimizerName.adagrad: 0.01,
    OptimizerName.adadelta: 1.0,
    OptimizerName.rmsprop: 1e-3,
    OptimizerName.adam: 1e-3,
    OptimizerName.adamw: 1e-3,
}
STEPS = (0.5, 0.75)  # of the run: where the step schedule divides the rate by ten (He et al. 2015, arXiv:1512.03385)

Parameters = Iterable[nn.Parameter]


def optimizer(experiment: Experiment, options: TrainingOptions) -> tuple[optim.Optimizer, str]:
    """The requested optimizer, else the file's own, else Adam, and its description. Raises UsageError."""
    parameters = [p for p in experiment.model.parameters() if p.requires_grad]
    if not parameters:
        raise UsageError(f"{experiment.path}: the model has no parameter that can be trained")
    name = options.optimizer or (OptimizerName.file if experiment.optimizer is not None else OptimizerName.adam)
    if name is OptimizerName.file:
        made, origin = _own(experiment, parameters), "the file's own"
        _set(made, {"lr": options.lr, "weight_decay": options.weight_decay})
    else:
        lr = USUAL[name] if options.lr is None else options.lr
        made, origin = _named(name, parameters, lr, options), "" if options.optimizer else "assumed"
    words = f"optimizer: {name_of(made)}, learning rate {float(made.param_groups[0]['lr']):g}"
    return made, f"{words}, {origin}" if origin else words


def _set(made: optim.Optimizer, settings: Mapping[str, float | None]) -> None:
    """Set what the user asked for in all parameter groups."""
    for group in made.param_groups:
        group |= {name: value for name, value in settings.items() if value is not None}


def factor(schedule: ScheduleName, step: int, total: int, warmup: float) -> float:
    """What the peak rate is multiplied by at a step (from 0) of `total`; a linear warm-up comes first."""
    rising = int(warmup * total)
    if step < rising:
        return (step + 1) / (rising + 1)
    share = (step - rising) / max(total - rising, 1)
    shapes: dict[ScheduleName, Callable[[], float]] = {
        ScheduleName.constant: lambda: 1.0,
        ScheduleName.step: lambda: 0.1 ** sum(share >= at for at in STEPS),
        ScheduleName.cosine: lambda: 0.5 * (1 + math.cos(math.pi * share)),
        ScheduleName.linear: lambda: 1 - share,
        ScheduleName.inverse_sqrt: lambda: (
            math.sqrt(max(rising, 1) / max(step, 1)) if rising else 1 / math.sqrt(step + 1)
        ),
    }
    return shapes[schedule]()


def _own(experiment: Experiment, parameters: Parameters) -> optim.Optimizer:
    given = experiment.optimizer
    if given is None:
        raise UsageError(f"{experiment.path} has no optimizer; name one with --optimizer")
    if not isinstance(given, optim.Optimizer):
        with user_code(experiment.path, "making its optimizer"):
            given = given(parameters)
    if not isinstance(given, optim.Optimizer):
        raise UsageError(
            f"{experiment.path}: optimizer gave a {type(given).__name__}; expected a torch.optim.Optimizer"
        )
    ours = {id(p) for p in experiment.model.parameters()}
    if not any(id(p) in ours for group in given.param_groups for p in group["params"]):
        raise UsageError(
            f"{experiment.path}: the optimizer holds none of the model's parameters; "
            "give a function instead: `optimizer = lambda params: SGD(params, lr=0.1)`"
        )
    return given


def _named(name: OptimizerName, parameters: Parameters, lr: float, options: TrainingOptions) -> optim.Optimizer:
    decay = options.weight_decay or 0.0
    match name:
        case OptimizerName.sgd:
            return optim.SGD(parameters, lr, weight_decay=decay)
        case OptimizerName.momentum | OptimizerName.nesterov:
            nesterov = name is OptimizerName.nesterov
            return optim.SGD(parameters, lr, options.momentum, weight_decay=decay, nesterov=nesterov)
        case OptimizerName.adagrad:
            return optim.Adagrad(parameters, lr, weight_decay=decay)
        case OptimizerName.adadelta:
            return optim.Adadelta(parameters, lr, weight_decay=decay)
        case OptimizerName.rmsprop:
            return optim.RMSprop(parameters, lr, weight_decay=decay)
        case OptimizerName.adamw:
            return optim.AdamW(parameters, lr, weight_decay=0.01 if options.weight_decay is None else decay)
        case _:
            return optim.Adam(parameters, lr, weight_decay=decay)

"""The single changes that a treatment may try: what each sets, and when it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from nndoctor.experiment.experiment import Experiment
from nndoctor.treatment import batching, functions, surgery, widen
from nndoctor.treatment.gains import MIN_COSTLY_GAIN, MIN_GAIN
from nndoctor.treatment.rebound import optimizer_of, rebound
from nndoctor.treatment.steering import NO_STEERING, Steering

WARMUP, CLIP = 0.1, 1.0  # share of the run; norm of the gradient
MOMENTUM, HIGH_MOMENTUM = 0.9, 0.95  # the usual one; beyond the other, steps are twenty times as long as they look
ADAM_RATE, SGD_RATE = 1e-3, 0.05
SHRINK = 2.0  # of the weights' logarithm over the run, by weight decay alone

Apply = Callable[[Experiment], None]
Tune = Callable[[torch.optim.Optimizer], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    `apply` alters the loaded experiment before its optimizer is made, `tune` that optimizer, `steering` each of its
    steps; `length` multiplies the steps of a training. What shows `late` in a training is not given up early in one.
    `lacks` says why a change does not apply, if so.
    """

    name: str
    settings: Mapping[str, object]
    apply: Apply | None = None
    tune: Tune | None = None
    steering: Steering = NO_STEERING
    length: float = 1
    late: bool = False
    costly: bool = False
    lacks: Callable[[Experiment], str] = field(default=lambda _: "")

    @property
    def material(self) -> float:
        """The smallest gain that counts: larger for a change that costs several times the computation."""
        return MIN_COSTLY_GAIN if self.costly else MIN_GAIN


def combined(one: Change, other: Change) -> Change:
    """Both changes at once."""

    def apply(experiment: Experiment) -> None:
        for change in (one, other):
            if change.apply is not None:
                change.apply(experiment)

    def tune(optimizer: torch.optim.Optimizer) -> None:
        for change in (one, other):
            if change.tune is not None:
                change.tune(optimizer)

    return Change(
        f"{one.name} + {other.name}",
        {**one.settings, **other.settings},
        apply,
        tune,
        one.steering.joined(other.steering),
        one.length * other.length,
        late=True,
        costly=one.costly or other.costly,
    )


def named(name: str) -> Change:
    """A change or a pair of them by its name; the empty name is the file as it is. Raises KeyError."""
    if not name:
        return Change("", {})
    first, *others = name.split(" + ")
    change = BY_NAME[first]
    for other in others:
        change = combined(change, BY_NAME[other])
    return change


def _rate(name: str, factor: float, words: str) -> Change:
    return Change(name, {"lr": words}, steering=Steering(rate=factor), late=factor < 1)


def _optimizer(name: str, settings: Mapping[str, object], make: Callable[..., torch.optim.Optimizer]) -> Change:
    def apply(experiment: Experiment) -> None:
        experiment.optimizer = make

    kind = str(settings["optimizer"])

    def lacks(experiment: Experiment) -> str:
        return f"the file's optimizer is {kind}" if type(optimizer_of(experiment)).__name__.startswith(kind) else ""

    return Change(name, settings, apply, lacks=lacks)


def _momentum(optimizer: torch.optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        group["momentum"] = MOMENTUM


def _no_momentum(experiment: Experiment) -> str:
    found = optimizer_of(experiment)
    if not isinstance(found, torch.optim.SGD):
        return "the optimizer is not SGD"
    return "the optimizer has momentum" if 0 < found.param_groups[0]["momentum"] <= HIGH_MOMENTUM else ""


def _no_decay(optimizer: torch.optim.Optimizer) -> None:
    for group in optimizer.param_groups:
        group["weight_decay"] = 0.0


def _without_decay(experiment: Experiment) -> str:
    found = optimizer_of(experiment)
    held = max((float(g.get("weight_decay", 0.0)) for g in found.param_groups), default=0.0) if found else 0.0
    return "" if held > 0 else "the optimizer has no weight decay"


def _reset(experiment: Experiment) -> None:
    inner = experiment.train_step
    if inner is None:
        raise TypeError("the file has no train_step")

    def step(model: nn.Module, batch: object, optimizer: torch.optim.Optimizer) -> object:
        optimizer.zero_grad()
        return inner(model, batch, optimizer)

    experiment.train_step = step


def _unfrozen(experiment: Experiment) -> None:
    surgery.unfrozen(experiment)
    rebound(experiment)


def _unless(there: Callable[[Experiment], object], reason: str) -> Callable[[Experiment], str]:
    return lambda experiment: "" if there(experiment) else reason


def _not_normalizable(experiment: Experiment) -> str:
    scale = surgery.scale_of(experiment)
    if scale is None:
        return "the inputs are not floating-point tensors"
    return "the inputs are standardized already" if scale.modest else ""


def _targets_fit(experiment: Experiment) -> str:
    scale = surgery.target_scale(experiment)
    if scale is None:
        return "no regression with a loss that is known"
    mean, std = scale
    low, high = surgery.USUAL_STD
    return "the targets are standardized already" if low < std < high and abs(mean) < std else ""


_weights = _unless(lambda e: surgery.layers_with_weights(e.model), "the model has no linear or convolutional layer")

CHANGES: tuple[Change, ...] = (
    _rate("lr/10", 0.1, "÷10"),
    _rate("lr*10", 10.0, "×10"),
    Change("initialization", {"initialization": "He"}, surgery.initialized, lacks=_weights),
    Change("normalize", {"inputs": "standardized"}, surgery.normalized, lacks=_not_normalizable),
    Change("normalize-targets", {"targets": "standardized"}, surgery.with_scaled_targets, lacks=_targets_fit),
    Change(
        "linear-output",
        {"output": "without its activation"},
        surgery.with_raw_output,
        lacks=_unless(surgery.output_unfit, "the output fits the loss"),
    ),
    Change(
        "relu",
        {"activation": "ReLU", "initialization": "He"},
        surgery.rectified,
        lacks=_unless(functions.hidden_saturating, "no hidden sigmoid or tanh"),
    ),
    Change(
        "dropout-off",
        {"dropout": 0.0},
        functions.without_dropout,
        lacks=_unless(functions.dropout_rate, "the model has no dropout"),
    ),
    Change("weight-decay-off", {"weight_decay": 0.0}, tune=_no_decay, lacks=_without_decay),
    _optimizer("optimizer-adam", {"optimizer": "Adam", "lr": ADAM_RATE}, lambda p: torch.optim.Adam(p, ADAM_RATE)),
    Change("momentum", {"momentum": MOMENTUM}, tune=_momentum, lacks=_no_momentum),
    Change("steps*4", {"steps": "×4"}, length=4, costly=True),
    Change(
        "wider", {"width": "×4, ×2 for convolutions; hidden layer"}, widen.widened, costly=True, lacks=widen.why_not
    ),
    Change("clip", {"clip": CLIP}, steering=Steering(clip=CLIP)),
    Change("warmup", {"warmup": WARMUP}, steering=Steering(warmup=WARMUP), late=True),
    Change("weight-decay", {"weight_decay": "decoupled"}, steering=Steering(shrink=SHRINK), late=True),
    Change("dropout", {"dropout": surgery.DROPOUT}, surgery.with_dropout, late=True, lacks=_weights),
    Change(
        "batch/4", {"batch_size": "÷4"}, batching.rebatched(0.25), length=4, costly=True, lacks=batching.why_no_smaller
    ),
    Change(
        "batch*4", {"batch_size": "×4"}, batching.rebatched(4.0), length=0.25, late=True, lacks=batching.why_no_larger
    ),
    Change("shuffle", {"shuffle": True}, batching.shuffled, lacks=batching.why_no_shuffling),
    Change(
        "unfreeze",
        {"requires_grad": True},
        _unfrozen,
        lacks=_unless(lambda e: any(not p.requires_grad for p in e.model.parameters()), "no parameter is frozen"),
    ),
    Change(
        "zero-grad",
        {"zero_grad": "before each step"},
        _reset,
        lacks=_unless(lambda e: e.train_step is not None, "the file has no train_step"),
    ),
    Change(
        "constant-schedule",
        {"schedule": "constant"},
        steering=Steering(constant=True),
        late=True,
        lacks=_unless(lambda e: e.scheduler is not None, "the file has no scheduler"),
    ),
    _optimizer(
        "optimizer-sgd",
        {"optimizer": "SGD", "lr": SGD_RATE, "momentum": MOMENTUM},
        lambda p: torch.optim.SGD(p, SGD_RATE, MOMENTUM),
    ),
    _rate("lr*3", 3.0, "×3"),
    _rate("lr/3", 1 / 3, "÷3"),
)
"""In the order in which they are tried where nothing is known of the run: the likeliest and cheapest first."""

# What is tried next where a change gains: the best may be beyond the edge of what was tried.
FURTHER = {"lr/10": _rate("lr/100", 0.01, "÷100"), "lr*10": _rate("lr*100", 100.0, "×100")}
BY_NAME = {change.name: change for change in (*CHANGES, *FURTHER.values())}

OUT_OF_REACH = {
    "more-data": "needs data that the file does not have; `nndoctor learning-curve` says what more would bring"
}
"""Changes of the prognosis that no training can try."""

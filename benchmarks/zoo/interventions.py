"""Single changes to an experiment: pure functions that return the changed copy, or None where the change means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.schedules import lr_curve

Change = Callable[[Experiment], Experiment | None]
DENSE = ("mlp", "residual", "mlp_bn", "pairs")


def _rate(factor: float) -> Change:
    return lambda e: replace(e, lr=e.lr * factor) if e.lr > 0 else replace(e, lr=0.01 * factor)


def _steps(e: Experiment) -> Experiment:
    return replace(e, steps=e.steps * 4)


def wider(e: Experiment) -> Experiment | None:
    """Four times the units where they are cheap, else twice."""
    if e.depth == 0:
        return None
    return replace(e, width=e.width * (4 if e.net in DENSE else 2))


def _hidden_layers(e: Experiment) -> Experiment | None:
    """Two hidden layers of 32, at a rate fit for them, where the model is linear by shape or by activation."""
    if e.depth == 0:
        return replace(e, depth=2, width=32, activation="relu")
    return None


def _more_data(e: Experiment) -> Experiment | None:
    size = min(e.train_size * 4, len(data_of(e).x))
    return replace(e, train_size=size) if size > 1.1 * e.train_size else None


def _decay(shrinkage: float) -> Change:
    """Decoupled weight decay that by itself would shrink the weights by exp(-shrinkage) over the run."""

    def change(e: Experiment) -> Experiment | None:
        travelled = float(lr_curve(e).sum())
        return replace(e, weight_decay=shrinkage / travelled, decoupled=True) if travelled > 0 else None

    return change


def _dropout(e: Experiment) -> Experiment | None:
    return replace(e, dropout=0.4) if e.depth > 0 and e.dropout < 0.3 else None


def _no_regularization(e: Experiment) -> Experiment | None:
    clean = replace(e, weight_decay=0.0, dropout=0.0, input_noise=0.0, label_smoothing=0.0, mixup=False)
    return clean if clean != e else None


def _default_initialization(e: Experiment) -> Experiment | None:
    return replace(e, init="default") if e.init != "default" else None


def _relu(e: Experiment) -> Experiment | None:
    """ReLU where units saturate or are linear; recurrent nets keep their tanh."""
    if e.depth == 0 or e.activation in {"relu", "gelu"} or e.net in {"rnn", "gru"}:
        return None
    return replace(e, activation="relu")


def _shallow(e: Experiment) -> Experiment | None:
    return replace(e, depth=2, activation="relu") if e.depth > 3 and e.net in {"mlp", "cnn"} else None


def _constant(e: Experiment) -> Experiment | None:
    return replace(e, schedule="constant") if e.schedule not in {"constant", "zero"} else None


def _warm_up(e: Experiment) -> Experiment | None:
    return replace(e, schedule="warmup") if e.schedule == "constant" else None


def _stepping(e: Experiment) -> Experiment | None:
    return replace(e, schedule="constant") if e.schedule == "zero" else None


def _unfreeze(e: Experiment) -> Experiment | None:
    return replace(e, trainable="all") if e.trainable != "all" else None


def _shuffle(e: Experiment) -> Experiment | None:
    return replace(e, shuffle=True) if not e.shuffle else None


def _reset(e: Experiment) -> Experiment | None:
    return replace(e, reset_gradients=True) if not e.reset_gradients else None


def _clean(e: Experiment) -> Experiment | None:
    return replace(e, label_noise=0.0) if e.label_noise > 0 else None


def _adaptive(e: Experiment) -> Experiment | None:
    return replace(e, optimizer="rmsprop") if e.optimizer == "adagrad" else None


INTERVENTIONS: dict[str, Change] = {
    "lr_x10": _rate(10),
    "lr_x100": _rate(100),
    "lr_d10": _rate(0.1),
    "lr_d100": _rate(0.01),
    "steps_x4": _steps,
    "wider": wider,
    "hidden_layers": _hidden_layers,
    "data_x4": _more_data,
    "weight_decay": _decay(1.0),
    "weight_decay_strong": _decay(4.0),
    "dropout": _dropout,
    "no_regularization": _no_regularization,
    "default_init": _default_initialization,
    "relu": _relu,
    "shallow_relu": _shallow,
    "constant_schedule": _constant,
    "warm_up": _warm_up,
    "stepping": _stepping,
    "unfreeze": _unfreeze,
    "shuffle": _shuffle,
    "reset_gradients": _reset,
    "clean_labels": _clean,
    "rmsprop": _adaptive,
}
COSTLY = frozenset({"steps_x4", "wider", "hidden_layers", "data_x4"})
SEEDS = {"base": 3, "change": 2}


def retrainings(base: Experiment) -> dict[tuple[str, int], Experiment]:
    """Everything to train for one run: the base itself with other seeds, and every change that applies."""
    found = {("base", s): replace(base, seed=base.seed + s) for s in range(SEEDS["base"])}
    for name, change in INTERVENTIONS.items():
        changed = change(base)
        if changed is not None:
            found |= {(name, s): replace(changed, seed=base.seed + s) for s in range(SEEDS["change"])}
    return found


def shape_of(e: Experiment) -> tuple[object, ...]:
    """What experiments must share to be trained together."""
    return (e.net, e.width, e.depth, e.activation, e.optimizer, e.batch_size, e.steps, e.dropout > 0)

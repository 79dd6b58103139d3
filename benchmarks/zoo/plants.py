"""What can be planted in a sound experiment without changing its net's shape: faults, and harmless variety."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.zoo.experiment import Experiment
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.recipes import Plant, changed, poisoned, rate, scheduled, spiking, then

CLASSES = {"classes"}
ADAPTIVE = {"adam", "adamw", "rmsprop", "adagrad"}
COSTLY = {"cnn", "cnn_bn", "fcn", "rnn", "gru", "transformer"}
Suits = Callable[[Experiment], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """A plant, how often it is chosen, and the experiments that it suits."""

    planted: str
    plant: Plant
    weight: float
    suits: Suits = lambda _: True

    def planted_in(self, e: Experiment, rng: np.random.Generator) -> Experiment:
        """The experiment with the plant in it."""
        return replace(self.plant(e, rng), planted=self.planted)


def drawn(name: str, low: float, high: float) -> Plant:
    """A field drawn between `low` and `high` on a logarithmic scale."""
    return lambda e, rng: changed(**{name: float(np.exp(rng.uniform(np.log(low), np.log(high))))})(e, rng)


def scarce(low: int, high: int) -> Plant:
    """A training set of so many samples, in whole batches where it holds several."""

    def plant(e: Experiment, rng: np.random.Generator) -> Experiment:
        size = max(e.batch_size, int(np.exp(rng.uniform(np.log(low), np.log(high)))))
        return replace(e, train_size=min(size // e.batch_size * e.batch_size, e.train_size))

    return plant


def _has_classes(e: Experiment) -> bool:
    return data_of(e).kind == "classes"


def _hidden(e: Experiment) -> bool:
    return e.depth > 0


def _continuous(e: Experiment) -> bool:
    return not data_of(e).vocabulary


def _noisy(e: Experiment) -> bool:
    """Whether the workload uses `data_noise`."""
    return data_of(e) is not data_of(replace(e, data_noise=0.3)) and data_of(e).kind in {"classes", "regression"}


EARLY = ("step_early", "step_early_mild", "exponential_fast", "cosine_short")
DECAYS = ("step", "half_steps", "cosine", "linear", "exponential")
HEALTHY = (
    Option("healthy:plain", changed(), 10),
    Option("healthy:step-decay", scheduled("step", "half_steps", factor=1.3), 3),
    Option("healthy:cosine", scheduled("cosine", "linear", factor=1.5), 5),
    Option("healthy:inverse-sqrt", scheduled("inverse_sqrt", "warmup_inverse_sqrt", factor=2.0), 1),
    Option("healthy:warm-up", scheduled("warmup", "warmup_cosine", "warmup_linear", factor=1.3), 4),
    Option("healthy:one-cycle", scheduled("one_cycle", factor=1.6), 1),
    Option("healthy:restarts", scheduled("restarts", "restarts_doubling", factor=1.3), 1),
    Option("healthy:high-first-step", changed(init="loud"), 1.5, _hidden),
    Option("healthy:weight-decay", drawn("weight_decay", 1e-5, 1e-3), 2),
    Option("healthy:dropout", drawn("dropout", 0.05, 0.3), 1.5, _hidden),
    Option("healthy:input-noise", drawn("input_noise", 0.05, 0.3), 1, _continuous),
    Option("healthy:label-smoothing", drawn("label_smoothing", 0.02, 0.15), 1.5, _has_classes),
    Option("healthy:mixup", changed(mixup=True), 1, lambda e: _continuous(e) and _has_classes(e)),
    Option("healthy:clipped", drawn("clip", 0.3, 5), 1),
    Option("healthy:noise-floor", drawn("data_noise", 0.08, 0.6), 4, _noisy),
    Option("healthy:fine-tuned", then(changed(init="pretrained"), rate(0.2, 0.6)), 1.5),
    Option("healthy:tiny-validation", changed(validation_set="tiny"), 1),
)
FAULTS = (
    Option("lr-too-low", rate(1 / 300, 1 / 8), 9),
    Option("lr-too-low", then(rate(1 / 300, 1 / 12), scheduled(*DECAYS, "warmup")), 4),
    Option("lr-too-high", rate(4, 100), 10),
    Option("lr-too-high", then(rate(6, 100), scheduled(*DECAYS, "warmup", "warmup_cosine")), 5),
    Option("diverged", rate(50, 1000), 3),
    Option("diverged:clipped", then(rate(10, 200), drawn("clip", 0.3, 3)), 1.5),
    Option("diverged:gradients-not-reset", changed(reset_gradients=False), 1.5, lambda e: e.optimizer not in ADAPTIVE),
    Option("nan-loss", poisoned, 1.5, _continuous),
    Option("lr-decayed-too-early", scheduled(*EARLY), 7),
    Option("lr-decayed-too-early", then(rate(0.3, 1), scheduled(*EARLY)), 2),
    Option("warmup-unfinished", scheduled("warmup_unfinished", "warmup_unfinished_steep"), 3),
    Option("adaptive-rate-starved", rate(1 / 80, 1 / 4), 12, lambda e: e.optimizer == "adagrad"),
    Option("high-variance", scarce(12, 60), 6),
    Option("high-variance", then(scarce(40, 160), rate(0.7, 2)), 5),
    Option("overtraining", then(scarce(40, 250), drawn("label_noise", 0.15, 0.5)), 5, _has_classes),
    Option("overtraining", then(scarce(20, 100), rate(1, 4)), 3),
    Option("high-bias:weight-decay", then(drawn("weight_decay", 0.02, 1.0), changed(decoupled=True)), 3),
    Option("high-bias:weight-decay", drawn("weight_decay", 0.02, 0.5), 3),
    Option("high-bias:dropout", drawn("dropout", 0.6, 0.95), 3, _hidden),
    Option("high-bias:input-noise", drawn("input_noise", 0.8, 3), 1.5, _continuous),
    Option("high-bias:frozen-trunk", changed(trainable="head"), 2, _hidden),
    Option("plateau-at-start:shuffled-labels", changed(label_noise=1.0), 2.5),
    Option("plateau-at-start:zero-init", changed(init="zero"), 1.5, _hidden),
    Option("plateau-at-start:dead-relu", changed(init="dead"), 2, lambda e: _hidden(e) and e.activation == "relu"),
    Option("plateau-at-start:small-init", changed(init="small"), 2, lambda e: e.depth > 1),
    Option("plateau-at-start:huge-init", changed(init="huge"), 2, _hidden),
    Option("plateau-at-start:frozen", changed(trainable="none"), 1),
    Option("plateau-at-start:zero-lr", changed(schedule="zero"), 1),
    Option("loss-spikes", spiking("data", 8, 60), 4, _continuous),
    Option("loss-spikes", spiking("lr", 8, 60), 3),
    Option("sawtooth-epochs", changed(shuffle=False), 3),
    Option("noisy-validation", then(drawn("data_noise", 0.2, 0.7), changed(validation_set="resampled")), 3, _noisy),
    Option("noisy-validation", changed(validation_set="resampled"), 1.5),
    Option("validation-better-than-train", drawn("dropout", 0.35, 0.55), 2, _hidden),
    Option("validation-equals-train", then(scarce(40, 200), changed(validation_set="train")), 1.5),
)


def chosen(options: Sequence[Option], e: Experiment, rng: np.random.Generator) -> Option:
    """One of the options that suit the experiment."""
    fitting = [o for o in options if o.suits(e)]
    weights = np.array([o.weight for o in fitting])
    return fitting[int(rng.choice(len(fitting), p=weights / weights.sum()))]

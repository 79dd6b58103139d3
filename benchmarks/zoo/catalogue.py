"""The zoo's inhabitants: every condition with the number of its runs in each split."""

from __future__ import annotations

from benchmarks.zoo.recipes import (
    Recipe,
    changed,
    every_epoch,
    every_few_steps,
    few_samples,
    logged,
    longer,
    narrow,
    poisoned,
    rate,
    scheduled,
    shortened,
    spiking,
    then,
)
from benchmarks.zoo.settings import Setting

NOISY = {"spirals", "blobs", "shapes", "checkerboard", "textures", "waves", "clusters", "moons", "rings", "bars"}
REGRESSION = {"teacher", "diabetes", "friedman", "network-teacher", "polynomial", "additive"}
TOKENS = {"charlm", "charlm_logging", "majority", "sorting", "counting", "tags", "source-text"}
TEXT = {"charlm", "charlm_logging", "source-text"}
SMALL = {"wine", "diabetes", "breast_cancer"}
CLASSES = NOISY | {"digits", "breast_cancer", "wine", "majority", "ruled-classes", "bits", "frequencies", "counting"}
CURVED = {
    "spirals",
    "teacher",
    "density",
    "friedman",
    "checkerboard",
    "heteroscedastic",
    "shapes",
    "network-teacher",
    "polynomial",
    "additive",
    "moons",
    "rings",
    "ruled-classes",
    "spread",
}
DENSITIES = {"density", "heteroscedastic", "spread"}
REDRAWN = {
    "spirals",
    "shapes",
    "checkerboard",
    "textures",
    "waves",
    "majority",
    "sorting",
    "ruled-classes",
    "network-teacher",
    "polynomial",
    "additive",
    "clusters",
    "moons",
    "rings",
    "bars",
    *TEXT,
}  # variants are new data
WIDE = {
    "digits",
    "shapes",
    "textures",
    "blobs",
    "teacher",
    "friedman",
    "waves",
    "majority",
    "sorting",
    "checkerboard",
    "network-teacher",
    "additive",
    "clusters",
    "ruled-classes",
    "bars",
    "frequencies",
    "tags",
}
ADAPTIVE = ("adam", "adamw", "rmsprop")
PLAIN = ("sgd", "momentum", "nesterov")


def _hidden(s: Setting) -> bool:
    return s.net == "mlp" and s.depth > 0


def _regression(s: Setting) -> bool:
    return s.workload in REGRESSION and s.workload != "diabetes"


def _rectified(s: Setting) -> bool:
    return s.activation == "relu" and s.depth > 0 and s.net != "residual"


def _large(s: Setting) -> bool:
    return s.workload not in SMALL


def _images_or_tables(s: Setting) -> bool:
    return s.workload not in TOKENS


def _ordered(s: Setting) -> bool:
    return s.workload in (CLASSES | REGRESSION) - {"wine"}


def _measured_poorly(s: Setting) -> bool:
    return s.workload in NOISY | {"diabetes", "breast_cancer"} and s.net != "transformer"


HEALTHY = (
    Recipe("healthy:plain", changed(), 18, 12),
    Recipe("healthy:step-decay", scheduled("step", "half_steps", factor=1.3), 8, 6),
    Recipe("healthy:cosine", scheduled("cosine", "linear", factor=1.5), 8, 6),
    Recipe("healthy:inverse-sqrt", scheduled("inverse_sqrt", "warmup_inverse_sqrt", factor=2.0), 6, 4),
    Recipe("healthy:warm-up", scheduled("warmup", "warmup_cosine", "warmup_linear", factor=1.3), 8, 6),
    Recipe("healthy:one-cycle", scheduled("one_cycle", factor=1.6), 5, 4),
    Recipe("healthy:restarts", scheduled("restarts", "restarts_doubling", factor=1.3), 7, 5),
    Recipe(
        "healthy:high-first-step", changed(init="loud"), 6, 4, lambda s: _rectified(s) and s.workload not in DENSITIES
    ),
    Recipe("healthy:huge-scale", logged(changed(), scale=1800.0), 5, 4, _regression),
    Recipe("healthy:noise-floor", changed(data_noise=0.25), 6, 4, lambda s: s.workload in NOISY),
    Recipe("healthy:noise-floor", changed(data_noise=0.7), 5, 3, _regression),
    Recipe("healthy:flat-tail", longer(2.0), 5, 4, lambda s: s.workload in CURVED and s.dense),
    Recipe("healthy:sparse-validation", every_few_steps(200), 7, 5),
    Recipe("healthy:long-log", then(longer(1.7), every_few_steps(2000)), 5, 3, lambda s: s.dense and s.steps >= 900),
    Recipe("healthy:short-log", every_few_steps(7), 6, 4),
    Recipe("healthy:no-validation", logged(changed(), validation=False), 5, 3),
    Recipe(
        "healthy:dropout",
        changed(dropout=0.3),
        6,
        4,
        lambda s: s.depth > 0 and s.net != "transformer" and not _regression(s),
    ),
    Recipe(
        "healthy:input-noise",
        changed(input_noise=0.4),
        5,
        4,
        lambda s: _images_or_tables(s) and s.workload not in DENSITIES,
    ),
    Recipe("healthy:early-stopped", then(longer(1.5), changed(patience=4)), 8, 6),
    Recipe("healthy:tiny-validation", logged(changed(validation_set="tiny"), validation=True), 6, 4),
    Recipe(
        "healthy:fine-tuned", then(changed(init="pretrained"), rate(0.2, 0.6)), 6, 4, lambda s: s.workload in REDRAWN
    ),
    Recipe("healthy:resumed", logged(changed(), resumed_at=0.6), 6, 4),
    Recipe("healthy:negative-loss", changed(), 4, 3, lambda s: s.workload in DENSITIES),
    Recipe("healthy:weight-decay", changed(weight_decay=1e-4), 5, 3),
)
LEARNING_RATE = (
    Recipe("lr-too-low", rate(1 / 300, 1 / 30), 13, 9),
    Recipe("lr-too-low", then(rate(1 / 300, 1 / 30), scheduled("cosine", "step", "linear")), 4, 3),
    Recipe("lr-too-high", rate(12, 80), 11, 8, lambda s: s.workload != "diabetes", (*ADAPTIVE, "adagrad")),
    Recipe("lr-too-high", rate(5, 25), 6, 5, lambda s: s.workload not in REGRESSION, PLAIN),
    Recipe("lr-too-high", then(rate(15, 60), scheduled("cosine", "step", "warmup")), 4, 3, _large, ADAPTIVE),
    Recipe(
        "lr-decayed-too-early", scheduled("step_early", "step_early_mild", "exponential_fast", "cosine_short"), 12, 9
    ),
    Recipe("warmup-unfinished", scheduled("warmup_unfinished", "warmup_unfinished_steep"), 8, 6),
    Recipe("adaptive-rate-starved", rate(1 / 80, 1 / 12), 8, 6, optimizers=("adagrad",)),
    Recipe("not-converged", shortened(0.06, 0.2), 14, 10, _large),
)
STABILITY = (
    Recipe(
        "diverged", then(rate(50, 300), scheduled("warmup"), every_few_steps(120)), 6, 5, _large, (*ADAPTIVE, "adagrad")
    ),
    Recipe(
        "diverged", then(rate(10, 60), changed(clip=1.0), scheduled("warmup"), every_few_steps(80)), 5, 3, _large, PLAIN
    ),
    Recipe(
        "diverged:gradients-not-reset",
        then(changed(reset_gradients=False), every_few_steps(100)),
        6,
        5,
        optimizers=PLAIN,
    ),
    Recipe("nan-loss", rate(50, 500), 6, 4, lambda s: s.workload in REGRESSION, PLAIN),
    Recipe("nan-loss", poisoned, 5, 3, _images_or_tables),
    Recipe("plateau-at-start:zero-init", changed(init="zero"), 4, 2, lambda s: s.dense and s.depth > 1),
    Recipe("plateau-at-start:dead-relu", changed(init="dead"), 5, 3, _rectified),
    Recipe("plateau-at-start:deep-sigmoid", changed(activation="sigmoid", depth=8), 5, 3, _hidden),
    Recipe("plateau-at-start:small-init", changed(init="small", depth=5), 4, 2, _hidden),
    Recipe("plateau-at-start:huge-init", changed(init="huge", activation="tanh"), 3, 2, _hidden),
    Recipe(
        "plateau-at-start:shuffled-labels",
        then(changed(label_noise=1.0), rate(0.1, 0.3), longer(0.5)),
        5,
        3,
        lambda s: s.workload in CLASSES and _large(s),
    ),
    Recipe("plateau-at-start:zero-lr", changed(schedule="zero"), 3, 2, lambda s: s.workload in CLASSES),
    Recipe("plateau-at-start:frozen", changed(trainable="none"), 3, 2, lambda s: s.workload in CLASSES),
    Recipe(
        "plateau-at-start:dropout",
        changed(dropout=0.97, depth=3),
        3,
        2,
        lambda s: _hidden(s) and s.workload in {"digits", "blobs", "wine", "checkerboard"},
    ),
    Recipe("loss-spikes", logged(spiking("data", 15, 60), train="running"), 8, 6, _images_or_tables),
    Recipe("loss-spikes", spiking("lr", 15, 60), 5, 4, lambda s: s.depth > 0),
    Recipe("sawtooth-epochs", then(longer(0.7), changed(shuffle=False), every_few_steps(300)), 8, 6, _ordered),
)
GENERALIZATION = (
    Recipe("high-bias:narrow", narrow, 8, 6, lambda s: s.depth > 0 and s.net != "residual"),
    Recipe("high-bias:linear", changed(depth=0), 6, 4, lambda s: s.net == "mlp" and s.workload in CURVED),
    Recipe(
        "high-bias:identity", changed(activation="identity"), 3, 2, lambda s: s.net == "mlp" and s.workload in CURVED
    ),
    Recipe(
        "high-bias:weight-decay",
        changed(weight_decay=0.1),
        5,
        3,
        lambda s: _large(s) and s.net != "transformer",
        ("sgd", "adam"),
    ),
    Recipe("high-bias:dropout", changed(dropout=0.85), 5, 3, lambda s: s.net in {"mlp", "cnn"} and s.depth > 0),
    Recipe(
        "high-bias:frozen-trunk",
        changed(trainable="head", width=8),
        4,
        3,
        lambda s: s.depth > 0 and s.workload in CURVED | {"digits", "waves"},
    ),
    Recipe(
        "high-variance",
        logged(few_samples(24, 90), validation=True),
        16,
        11,
        lambda s: s.workload in WIDE and s.depth > 0,
    ),
    Recipe(
        "high-variance",
        logged(few_samples(100, 160), validation=True),
        4,
        2,
        lambda s: s.workload in {"shapes", "friedman", "sorting", "majority"} and s.net != "rnn",
    ),
    Recipe(
        "high-bias+high-variance",
        logged(then(few_samples(50, 110), narrow), validation=True),
        6,
        5,
        lambda s: s.workload in {"teacher", "friedman", "blobs", "digits", "checkerboard"} and s.net == "mlp",
        ADAPTIVE,
    ),
    Recipe(
        "high-bias+high-variance",
        logged(then(few_samples(30, 80), changed(dropout=0.6, width=8)), validation=True),
        3,
        2,
        lambda s: _hidden(s) and s.workload in WIDE,
    ),
    Recipe(
        "overtraining",
        then(few_samples(80, 240, 1.3), changed(label_noise=0.35), every_epoch),
        9,
        6,
        lambda s: s.workload in CLASSES and s.depth > 0,
    ),
    Recipe(
        "overtraining",
        then(few_samples(30, 80, 1.5), rate(1, 3), every_epoch),
        7,
        6,
        lambda s: s.depth > 0 and s.workload in REGRESSION | DENSITIES | {"blobs", "charlm_logging", "charlm"},
    ),
    Recipe(
        "noisy-validation",
        logged(changed(validation_set="resampled", data_noise=0.3), validation=True),
        8,
        6,
        _measured_poorly,
    ),
    Recipe(
        "noisy-validation",
        logged(changed(validation_set="resampled", data_noise=0.7), validation=True),
        4,
        3,
        _regression,
    ),
    Recipe(
        "validation-better-than-train",
        then(changed(dropout=0.5), every_epoch),
        6,
        5,
        lambda s: s.depth > 0 and s.net != "transformer",
    ),
    Recipe("validation-equals-train", then(few_samples(60, 200), changed(validation_set="train"), every_epoch), 6, 4),
)
STEP_BY_STEP = (  # a mean over an epoch hides most spikes
    Recipe(
        "loss-spikes",
        then(every_few_steps(90), spiking("data", 8, 40)),
        8,
        6,
        lambda s: _images_or_tables(s) and s.dense,
    ),
    Recipe("loss-spikes", then(every_few_steps(90), spiking("lr", 10, 40)), 5, 4, lambda s: s.depth > 0 and s.dense),
)
RECIPES = (*HEALTHY, *LEARNING_RATE, *STABILITY, *GENERALIZATION, *STEP_BY_STEP)

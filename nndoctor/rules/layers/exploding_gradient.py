"""The gradient is huge next to the weights, or grows on its way back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import ZERO_WEIGHTS, Layers, early, first
from nndoctor.analysis.nonfinite import birth
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import rough, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.statistics import TINY, Array

HEALTHY_OVER_WEIGHTS = 3  # times the norm of the weights, which the gradients of healthy networks stay under
MAX_OVER_WEIGHTS = 300.0  # the same from which a gradient explodes; unscaled targets reach 250
MAX_OVER_LAST_LAYER = 1e3  # times the last layer's gradient
MAX_OVER_START = 1e4  # times its level at the start
LIMITS = {"weights": MAX_OVER_WEIGHTS, "last layer": MAX_OVER_LAST_LAYER, "start": MAX_OVER_START}
DOUBTFUL, CERTAIN = -0.5, 1.5  # powers of ten beyond the limit between which the confidence grows
GROWING_SIGNAL = 3.0  # growth of the signal from the first layer on that explains a large gradient

FIRST = {
    "weights too large at the start": (
        "he-initialization",
        "batch-normalization",
        "clip-gradients",
        "lower-learning-rate",
    ),
    "learning rate too high": ("lower-learning-rate", "clip-gradients", "warm-up", "batch-normalization"),
    "targets not scaled": ("normalize-targets", "clip-gradients", "lower-learning-rate", "he-initialization"),
}
"""The remedies in the order that the likeliest cause asks for."""


@dataclass(frozen=True, slots=True)
class _Norms:
    """Norms of each layer: of its gradient at the start and at its highest, and of its weights at the start, shapes (layers,)."""

    paths: tuple[str, ...]
    gradients: Array
    weights: Array
    peaks: Array


def check(run: Run) -> Iterator[Symptom]:
    """Judge each layer's gradient by its weights' size, by the last layer's gradient, and by its own start."""
    layers = Layers(run)
    norms = _norms(layers)
    if not norms.paths:
        return
    ratios = {
        "weights": _over_weights(norms),
        "last layer": _over_last_layer(layers, norms),
        "start": _over_start(run, norms),
    }
    kind = max(ratios, key=lambda name: float(ratios[name].max()) / LIMITS[name])
    k = int(np.argmax(ratios[kind]))
    if ratios[kind][k] >= LIMITS[kind]:
        yield _symptom(layers, norms, k, kind, float(ratios[kind][k]))


def _norms(layers: Layers) -> _Norms:
    paths = tuple(p for p in layers.weighted if layers.series(p, "weight_norm") and layers.series(p, "grad_norm"))
    return _Norms(
        paths,
        layers.levels(paths, "grad_norm", early)[1],
        layers.levels(paths, "weight_norm", first)[1],
        layers.levels(paths, "grad_norm", lambda s: float(s.y.max()))[1],
    )


def _over_weights(norms: _Norms) -> Array:
    """Gradients over the weights; weights that begin at zero have no size to compare with."""
    ratios = norms.gradients / np.maximum(norms.weights, ZERO_WEIGHTS)
    return np.where(norms.weights > ZERO_WEIGHTS, ratios, 0.0)


def _over_last_layer(layers: Layers, norms: _Norms) -> Array:
    """Gradients over the last layer's; deep normalized networks train well with a large ratio."""
    if layers.normalized or len(norms.paths) <= 2 or norms.gradients[-1] <= 0:
        return np.zeros(len(norms.paths))
    ratios: Array = norms.gradients / norms.gradients[-1]
    return ratios


def _over_start(run: Run, norms: _Norms) -> Array:
    """The highest gradients over those at the start, where they are large next to the weights and the run does not end in NaN."""
    if _ends_in_nan(run):
        return np.zeros(len(norms.paths))
    ratios = np.where(norms.gradients > TINY, norms.peaks / np.maximum(norms.gradients, TINY), 0.0)
    return np.where(norms.peaks > MAX_OVER_WEIGHTS * norms.weights, ratios, 0.0)


def _ends_in_nan(run: Run) -> bool:
    loss = run.series.get("train/loss")
    return birth(run) is not None or (loss is not None and not np.isfinite(loss.values).all())


def _symptom(layers: Layers, norms: _Norms, k: int, kind: str, ratio: float) -> Symptom:
    path = norms.paths[k]
    norm = layers.run.series[f"layer:{path}/grad_norm"]
    grows = kind == "start"
    at = norm.step_where(norm.y > MAX_OVER_WEIGHTS * norms.weights[k]) if grows else norm.first_step
    says = {
        "weights": f"is {rough(ratio)} times as large as its weights (norms)",
        "last layer": f"is {rough(ratio)} times that of {layers.named(norms.paths[-1])}",
        "start": f"grows to {rough(ratio)} times its initial norm by step {step(at)}",
    }
    causes = _causes(layers, grows=grows)
    return Symptom(
        f"the gradient of {layers.named(path)} {says[kind]}",
        confidence_between(math.log10(ratio / LIMITS[kind]), DOUBTFUL, CERTAIN),
        {
            "times": ratio,
            "gradient_norm": float(norms.peaks[k] if grows else norms.gradients[k]),
            "layers": len(norms.paths),
        },
        series=norm.name,
        step=at,
        span=(at, norm.last_step),
        layer=path,
        causes=causes,
        remedies=FIRST[causes[0].name],
    )


def _causes(layers: Layers, *, grows: bool) -> tuple[Cause, ...]:
    _, sizes = layers.levels(layers.seen, "std", first)
    growth = float(sizes.max() / max(sizes[0], TINY)) if len(sizes) else 1.0
    return ranked(
        Cause(
            "weights too large at the start",
            0.1 if grows else 0.7,
            f"the signal grows {rough(growth)}-fold from the first layer on"
            if growth > GROWING_SIGNAL
            else "each layer passes back a larger gradient than it receives",
            "one run with He (ReLU) or Xavier (tanh) initialization",
        ),
        Cause(
            "learning rate too high",
            0.7 if grows else 0.1,
            "the gradient was small at the start" if grows else "the gradient was huge before any step",
            "train once with a tenth of the learning rate",
        ),
        Cause(
            "targets not scaled",
            0.2,
            "large errors make large gradients",
            "look at the targets' mean and standard deviation",
        ),
    )


RULE = Rule(
    code="NN404",
    name="exploding-gradient",
    severity=Severity.WARNING,
    title="the gradient explodes",
    needs={"layer:*/grad_norm": 1, "layer:*/weight_norm": 1},
    check=check,
    why="A step along a gradient far larger than the weights destroys them. A learning rate small enough for this layer is too small for all others.",
    how=f"A layer's gradient norm is {MAX_OVER_WEIGHTS:g} times the norm of its weights at the start, or (in a network that does not normalize) {MAX_OVER_LAST_LAYER:,.0f} times the last layer's, or grows by a factor of {MAX_OVER_START:,.0f} in training (nan-loss covers runs that end in NaN). In healthy networks it stays below {HEALTHY_OVER_WEIGHTS} times the norm of the weights.",
    sources=(
        Reference(
            "Pascanu, Mikolov and Bengio, On the difficulty of training RNNs, 2013", "https://arxiv.org/abs/1211.5063"
        ),
    ),
    remedies=("he-initialization", "clip-gradients", "lower-learning-rate", "batch-normalization"),
    sick=(
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:fc2": "weight"},
            layers={
                "fc1/grad_norm": "5e4*3",
                "fc2/grad_norm": "6e4*3",
                "fc1/weight_norm": "8*3",
                "fc2/weight_norm": "8*3",
            },
        ),
    ),
    healthy=(
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:fc2": "weight"},
            layers={
                "fc1/grad_norm": "3 20 1",
                "fc2/grad_norm": "2*3",
                "fc1/weight_norm": "8*3",
                "fc2/weight_norm": "8*3",
            },
        ),
    ),
    suppressed_by=("frozen-parameters",),
)

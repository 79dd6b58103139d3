"""The gradient is huge beside the weights, or grows on its way back."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import Layers, early, first
from nndoctor.analysis.nonfinite import birth
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import rough, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

HUGE = 300.0  # times the weight's own size: healthy networks stay under 3, unscaled targets reach 250
GROWN = 1e3  # times the last layer's gradient at the first layer
LATER = 1e4  # times its level at the start

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


def check(run: Run) -> Iterator[Symptom]:
    """Judge each layer's gradient by its weights' size, by the last layer's gradient, and by its own start."""
    layers = Layers(run)
    paths = tuple(p for p in layers.weighted if layers.series(p, "weight_norm") and layers.series(p, "grad_norm"))
    _, grads = layers.levels(paths, "grad_norm", early)
    _, sizes = layers.levels(paths, "weight_norm", first)
    _, peaks = layers.levels(paths, "grad_norm", lambda s: float(s.y.max()))
    if not paths:
        return
    beside = np.where(sizes > 1e-6, grads / np.maximum(sizes, 1e-6), 0.0)
    plain = grads[-1] > 0 and len(paths) > 2 and not layers.normalized  # deep normalized networks live with it
    grown = grads / grads[-1] if plain else np.zeros(len(paths))
    lost = birth(run) is not None or any(
        not np.isfinite(s.values).all() for s in [run.series.get("train/loss")] if s is not None
    )
    later = np.where((grads > 1e-12) & (not lost), peaks / np.maximum(grads, 1e-12), 0.0) * (peaks > HUGE * sizes)
    marks = {"beside": (beside, HUGE), "grown": (grown, GROWN), "later": (later, LATER)}
    kind = max(marks, key=lambda name: float(marks[name][0].max()) / marks[name][1])
    values, limit = marks[kind]
    k = int(np.argmax(values))
    if values[k] < limit:
        return
    norm = run.series[f"layer:{paths[k]}/grad_norm"]
    at = float(norm.x[0]) if kind != "later" else float(norm.x[int(np.argmax(norm.y > HUGE * sizes[k]))])
    much = rough(values[k])
    here = layers.named(paths[k])
    told = {
        "beside": f"the gradient of {here} is {much} times as large as its weights (norms)",
        "grown": f"the gradient of {here} is {much} times that of {layers.named(paths[-1])}",
        "later": f"the gradient of {here} grows to {much} times its initial norm by step {step(at)}",
    }
    causes = _causes(layers, kind)
    yield Symptom(
        f"{told[kind]}",
        confidence_between(math.log10(values[k] / limit), -0.5, 1.5),
        {
            "times": float(values[k]),
            "gradient_norm": float(peaks[k] if kind == "later" else grads[k]),
            "layers": len(paths),
        },
        series=norm.name,
        step=at,
        span=(at, float(norm.x[-1])),
        layer=paths[k],
        causes=causes,
        remedies=FIRST[causes[0].name],
    )


def _causes(layers: Layers, kind: str) -> tuple[Cause, ...]:
    _, sizes = layers.levels(layers.seen, "std", first)
    grows = float(sizes.max() / max(sizes[0], 1e-30)) if len(sizes) else 1.0
    return ranked(
        Cause(
            "weights too large at the start",
            0.1 if kind == "later" else 0.7,
            f"the signal grows {rough(grows)}-fold from the first layer on"
            if grows > 3
            else "each layer passes back a larger gradient than it receives",
            "one run with He (ReLU) or Xavier (tanh) initialization",
        ),
        Cause(
            "learning rate too high",
            0.7 if kind == "later" else 0.1,
            "the gradient was small at the start" if kind == "later" else "the gradient was huge before any step",
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
    how=f"A layer's gradient norm is {HUGE:g} times the norm of its weights at the start, or (in a network that does not normalize) a thousand times the last layer's, or grows by a factor of {LATER:,.0f} in training (nan-loss covers runs that end in NaN). In healthy networks it stays below 3 times the norm of the weights.",
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

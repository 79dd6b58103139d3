"""The weights' steps are far too small or far too large for their size."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.finding import Severity, Symptom
from nndoctor.layers import Layers, learned
from nndoctor.progress import learns, sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number, step

USUAL = 1e-3
LOW = 3e-6  # fine-tuning at a rate of 1e-6 still moves weights by 5e-5 of their size
HIGH = 0.1  # recurrent networks at a high Adam rate reach 0.05, and do well
PATIENT = 0.5  # of the run: later a decayed rate, or a solved task, makes steps small


def check(run: Run) -> Iterator[Symptom]:
    """Take the median over the first half of the run of each layer, then over the layers."""
    layers = Layers(run)
    moved = tuple(p for p in layers.weighted if (s := layers.series(p, "update_ratio")) is not None and s.y.any())
    paths, ratios = layers.levels(moved, "update_ratio", lambda s: s.level(0.0, PATIENT))
    if not len(paths):
        return
    usual = float(np.median(ratios))
    if LOW <= usual <= HIGH or (usual < LOW and _warming_up(run)):
        return
    low = usual < LOW
    if low and learned(run):
        return  # it has arrived: a second-order method in a few steps, or a task that is solved
    k = int(np.argmin(ratios) if low else np.argmax(ratios))
    off = abs(math.log10(max(usual, 1e-30) / (LOW if low else HIGH)))
    series = run.series[f"layer:{paths[k]}/update_ratio"]
    middle = float(series.x[0] + PATIENT * (series.x[-1] - series.x[0]))
    yield Symptom(
        f"a step changes the weights by {number(float(f'{usual:.2g}'))} of their size (healthy: near 1e-3): "
        f"the learning rate is too {'low' if low else 'high'} for them, most so in {layers.named(paths[k])}",
        sureness(off, -0.5, 1.0),
        {"update_ratio": usual, "healthy": USUAL, "worst_ratio": float(ratios[k]), "until_step": float(step(middle))},
        series=series.name,
        step=float(series.x[0]),
        span=(float(series.x[0]), middle),
        layer=paths[k],
        remedies=("raise-learning-rate", "learning-rate-range-test") if low else (),
        severity=Severity.INFO if learns(run) else None,
    )


def _warming_up(run: Run) -> bool:
    """Whether the rate has only just begun to rise to its peak."""
    rate = run.series.get("lr")
    return rate is not None and len(rate.y) > 2 and rate.level(0.0, PATIENT) < 0.1 * float(rate.y.max())


RULE = Rule(
    code="NN406",
    name="update-ratio-off",
    severity=Severity.WARNING,
    title="steps do not fit the weights",
    needs={"layer:*/update_ratio": 2},
    check=check,
    why="What matters of a learning rate is how far it moves the weights. Near a thousandth of their size a step is neither lost nor wild, whatever the optimizer.",
    how="The median over layers of each one's median ratio of step to weight (norms) in the first half of the run lies below 3e-6 or above 0.1. Healthy runs of all kinds lie between 8e-5 and 0.05.",
    sources=(
        Reference(
            "CS231n: 'the ratio of the update magnitudes to the value magnitudes should be somewhere around 1e-3'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("lower-learning-rate", "learning-rate-range-test", "warm-up"),
    sick=(
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "1e-8*6"}),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "0.6*6"}),
    ),
    healthy=(
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "0.02 1e-3*4 1e-5"}),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "3e-3*4 1e-7*3"}),
    ),
    yields_to=(
        "nan-in-layer",
        "nan-loss",
        "exploding-gradient",
        "frozen-parameters",
        "constant-output",
        "dead-relu",
        "vanishing-gradient",
        "symmetric-initialization",
        "signal-shrinks",
    ),
)

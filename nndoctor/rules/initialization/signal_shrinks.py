"""The signal shrinks from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.finding import Severity, Symptom
from nndoctor.layers import Layers, first, late, learned, powers
from nndoctor.progress import sureness
from nndoctor.rule import Reference, Rule
from nndoctor.run import Run
from nndoctor.wording import number

POWERS = -1.7  # fifty-fold: torch's own initialization loses ten-fold at most, its biases hold it up
RANGE = 1.0  # what a sigmoid or tanh passes on of a deviation
RECOVERED = -1.0  # at the end of the run


def check(run: Run) -> Iterator[Symptom]:
    """Follow the deviation of the hidden weight layers' outputs through the network as it begins, and as it ends."""
    layers = Layers(run)
    hidden = [p for p in layers.seen if layers.is_hidden(p)]
    paths, sizes = layers.levels(hidden, "std", first)
    _, ends = layers.levels(hidden, "std", late)
    bounded = np.array([_bounded(layers, p) for p in paths], dtype=bool)
    sizes, ends = (np.where(bounded, np.minimum(v, RANGE), v) for v in (sizes, ends))
    trend = powers(sizes)
    if len(paths) < 3 or trend > POWERS or sizes[-1] <= 0:
        return
    factor = 10 ** (trend / (len(paths) - 1))
    recovered = powers(ends) > RECOVERED and learned(run)
    series = run.series[f"layer:{paths[-1]}/std"]
    yield Symptom(
        f"the signal shrinks with depth: its deviation is {number(float(f'{sizes[0]:.2g}'))} at {layers.named(paths[0])} and "
        f"{number(float(f'{sizes[-1]:.2g}'))} at {layers.named(paths[-1])}, {number(float(f'{factor:.2g}'))} times a layer"
        + ("; training has mended it" if recovered else ""),
        sureness(-trend, 1.4, 3.0),
        {
            "first_std": float(sizes[0]),
            "last_std": float(sizes[-1]),
            "per_layer": round(factor, 3),
            "layers": len(paths),
        },
        series=series.name,
        step=float(series.x[0]),
        layer=paths[-1],
        severity=Severity.INFO if recovered else None,
    )


def _bounded(layers: Layers, path: str) -> bool:
    """Whether a sigmoid or tanh comes next: it cuts off whatever is larger, which is no loss of signal on the way."""
    behind = layers.after(path)
    return bool(behind) and layers.activation(behind[0]) in ("sigmoid", "tanh")


RULE = Rule(
    code="NN502",
    name="signal-shrinks",
    severity=Severity.WARNING,
    title="the signal shrinks with depth",
    needs={"layer:*/std": 1},
    check=check,
    why="Weights too small for their fan-in make every layer's output smaller than its input; at the end nothing is left of the examples' differences, and gradients shrink with it.",
    how="The deviation of hidden outputs falls fifty-fold or more over the network in the first sample, by its trend over the layers, so that one small layer or a repeated pattern is none. Information only where training has mended it.",
    sources=(
        Reference("He et al., Delving Deep into Rectifiers, 2015", "https://arxiv.org/abs/1502.01852"),
        Reference(
            "CS231n: 'Warning: it's not necessarily the case that smaller numbers will work strictly better'",
            "https://cs231n.github.io/neural-networks-2/#init",
        ),
    ),
    remedies=("he-initialization", "xavier-initialization", "batch-normalization", "shortcuts"),
    sick=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 6)},
            layers={
                "fc1/std": "0.1*4",
                "fc2/std": "0.01*4",
                "fc3/std": "1e-3*4",
                "fc4/std": "1e-4*4",
                "fc5/std": "0.05*4",
            },
        ),
    ),
    healthy=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 6)},
            layers={
                "fc1/std": "0.6*4",
                "fc2/std": "0.25*4",
                "fc3/std": "0.12*4",
                "fc4/std": "0.09*4",
                "fc5/std": "0.05*4",
            },
        ),
    ),
    yields_to=("nan-in-layer", "dead-relu", "symmetric-initialization", "initialization-unfit-for-activation"),
)

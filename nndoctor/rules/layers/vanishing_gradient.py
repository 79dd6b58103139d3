"""The gradient vanishes on its way back to the first layers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import Layers, early, late
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import percent, rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_LAYERS = 3  # layers with weights
DOUBTFUL, CERTAIN = 2.5, 5.0  # powers of ten lost between which the confidence grows
SATURATED = 0.3  # share of a layer's outputs that explains a small gradient
MIN_SIGMOIDS = 2  # sigmoids that make a chain
MIN_SHARE = 1e-3  # share of the last layer's gradient; healthy networks of all kinds begin above 0.04 and end above 0.1
FIRST_LAYERS = 1 / 3  # share of the layers; the strongest gradient among these counts as that of the first layers
# Names of layers whose gradient is next to nothing at the start by design: uniform attention, an adapter's zero half.
ATTENTION = ("q", "k", "query", "key", "q_proj", "k_proj", "wq", "wk", "lora_a")


def check(run: Run) -> Iterator[Symptom]:
    """Compare the first trained layers' gradient with the last one's, early and late: depth that trains recovers.

    In a layer whose gradient is exactly zero it did not vanish on the way: the layer is cut off, or waits for another
    one that begins at zero.
    """
    layers = Layers(run)
    chain = tuple(p for p in layers.weighted if not any(part.lower() in ATTENTION for part in p.split(".")))
    paths, begins = layers.levels(chain, "grad_norm", early)
    _, ends = layers.levels(chain, "grad_norm", late)
    if len(paths) < MIN_LAYERS or begins[-1] <= 0 or ends[-1] <= 0:
        return
    first = max(1, int(len(paths) * FIRST_LAYERS))
    shares = np.maximum(begins[:first] / begins[-1], ends[:first] / ends[-1])
    if not 0 < float(shares.max()) < MIN_SHARE:
        return
    k = int(np.argmax(shares > 0))  # the first of them
    share = float(shares[k])
    per_layer = share ** (1 / (len(paths) - 1 - k))
    norm = run.series[f"layer:{paths[k]}/grad_norm"]
    causes = _causes(layers)
    yield Symptom(
        f"the gradient shrinks by a factor of {rough(1 / share)} from {layers.named(paths[-1])} to "
        f"{layers.named(paths[k])} ({rough(per_layer)}× per layer)",
        confidence_between(-math.log10(share), DOUBTFUL, CERTAIN),
        {"first_to_last": share, "per_layer": round(per_layer, 3), "layers": len(paths), "cause": causes[0].name},
        series=norm.name,
        step=norm.first_step,
        span=norm.span,
        layer=paths[k],
        causes=causes,
        remedies=() if _squashed(layers) else ("he-initialization", "batch-normalization", "shortcuts", "fewer-layers"),
    )


def _squashed(layers: Layers) -> int:
    """How many sigmoids and tanhs there are."""
    return sum(layers.activation(p) in ("sigmoid", "tanh") for p in layers.paths)


def _causes(layers: Layers) -> tuple[Cause, ...]:
    kinds = [layers.activation(p) for p in layers.paths]
    squashed = _squashed(layers)
    flat = [
        s for p in layers.paths if (s := layers.series(p, "saturated_fraction")) is not None and early(s) > SATURATED
    ]
    sigmoid = kinds.count("sigmoid") >= MIN_SIGMOIDS
    slopes = _flat_slopes(kinds.count("sigmoid"), len(flat), squashed)
    others = (
        Cause(
            "weights too small at the start",
            0.3 if sigmoid else 0.7,
            "each layer passes back a smaller gradient than it receives",
            "one run with He (ReLU) or Xavier (tanh) initialization",
        ),
        Cause(
            "depth without shortcuts or normalization",
            0.05 if layers.normalized else 0.4,
            f"{len(layers.weighted)} layers in a row" + ("" if layers.normalized else ", none normalized"),
            "the same network with a third of the layers",
        ),
    )
    return ranked(slopes, *others) if squashed else ranked(*others)


def _flat_slopes(sigmoids: int, saturated: int, squashed: int) -> Cause:
    test = "the same network with ReLU"
    if sigmoids >= MIN_SIGMOIDS:
        return Cause("sigmoids in a chain", 0.8, f"{sigmoids} sigmoids, each with a slope of at most 0.25", test)
    why = f"{saturated} of {squashed} activations are saturated at the start"
    return Cause("saturated units", 0.6 if saturated else 0.05, why, test)


RULE = Rule(
    code="NN403",
    name="vanishing-gradient",
    severity=Severity.WARNING,
    title="the gradient vanishes in the first layers",
    needs={"layer:*/grad_norm": 1},
    check=check,
    why="The gradient is multiplied by a factor in every layer; many factors below one leave almost nothing. The first layers keep their random weights, and the later layers learn from noise.",
    how=f"The largest gradient norm among the first third of the trained layers is under {percent(MIN_SHARE)} of the last layer's, at the start of the run and at its end. Query and key projections, whose gradient starts near zero, and the first halves of adapters are left out. In a deep network that trains, the gradients become similar after a few hundred steps; in a normalized or residual one they are similar from the start.",
    sources=(
        Reference(
            "Bengio, Simard and Frasconi, Learning long-term dependencies is difficult, 1994",
            "https://doi.org/10.1109/72.279181",
        ),
        Reference(
            "Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    remedies=("relu", "he-initialization", "batch-normalization", "shortcuts", "fewer-layers"),
    sick=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 5)},
            layers={
                "fc1/grad_norm": "1e-5*4",
                "fc2/grad_norm": "1e-4*4",
                "fc3/grad_norm": "0.01*4",
                "fc4/grad_norm": "0.5*4",
            },
        ),
    ),
    healthy=(
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 5)},
            layers={
                "fc1/grad_norm": "1e-4 0.01 0.2 0.2",
                "fc2/grad_norm": "0.2*4",
                "fc3/grad_norm": "0.3*4",
                "fc4/grad_norm": "0.5*4",
            },
        ),
    ),
    suppressed_by=("nan-in-layer", "symmetric-initialization", "dead-relu"),
)

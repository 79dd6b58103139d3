"""The initialization does not fit the activation, by the signal that really flows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import Layers, first, from_powers, late, learned, powers
from nndoctor.core.confidence import PLAUSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import FactValue, Run
from nndoctor.core.statistics import Array

RELU_GAIN = math.sqrt(2.0)  # a layer's output over its input under ReLU with He's weights
XAVIER_UNDER_RELU = (0.8, 1.2)  # a layer's output over its input under ReLU: He's weights give 1.41, Xavier's 1
HE_UNDER_TANH = (1.25, 1.6)  # the same under tanh: Xavier's weights give 1, the usual gain for tanh 1.67, He's 1.41
MAX_TREND = -0.7  # powers of ten from the first hidden layer to the last: five-fold
WARNING_TREND = -1.0  # the same, ten-fold, from which it is a warning
DOUBTFUL, CERTAIN = 0.5, 1.5  # powers of ten lost between which the confidence grows
MIN_RELU_LAYERS, MIN_TANH_LAYERS = 4, 2  # hidden layers whose median gain is judged
MIN_SATURATED = 0.12  # share of the first tanh layer's outputs

PLAIN: Mapping[str, FactValue] = {f"roles:fc{k}": "weight" for k in range(9)} | {
    "layers": tuple(name for k in range(9) for name in (f"fc{k}", f"fc{k}.relu"))
}
"""The facts of the examples: nine linear layers with ReLU between."""


def check(run: Run) -> Iterator[Symptom]:
    """Measure each layer's output size over its input size in the first sample."""
    layers = Layers(run)
    if layers.normalized:
        return
    paths, gains = _gains(layers, "relu")
    if len(gains) >= MIN_RELU_LAYERS and XAVIER_UNDER_RELU[0] <= float(np.median(gains)) <= XAVIER_UNDER_RELU[1]:
        yield from _under_relu(layers, paths, float(np.median(gains)))
        return
    paths, gains = _gains(layers, "tanh")
    if len(gains) >= MIN_TANH_LAYERS and HE_UNDER_TANH[0] <= float(np.median(gains)) <= HE_UNDER_TANH[1]:
        yield from _under_tanh(layers, float(np.median(gains)))


def _gains(layers: Layers, activation: str) -> tuple[tuple[str, ...], Array]:
    """Hidden weight layers right behind such an activation, and each one's output size over its input size."""
    found = []
    for path in layers.seen:
        source = layers.before(path)
        if source is None or layers.activation(source) != activation or not layers.is_hidden(path):
            continue
        out, into = layers.size(path, first), layers.size(source, first)
        if out is not None and into is not None and into > 0:
            found.append((path, out / into))
    return tuple(p for p, _ in found), np.array([g for _, g in found])


def _under_relu(layers: Layers, paths: tuple[str, ...], gain: float) -> Iterator[Symptom]:
    begins, ends = layers.levels(paths, "std", first)[1], layers.levels(paths, "std", late)[1]
    trend, now = powers(begins), powers(ends)
    if trend > MAX_TREND:
        return
    series = layers.run.series[f"layer:{paths[-1]}/std"]
    corrected = now > MAX_TREND or learned(layers.run)
    yield Symptom(
        f"the initialization does not fit ReLU: each layer multiplies the signal by {number(round(gain, 2))} "
        f"where ReLU needs {RELU_GAIN:.2f}, so {rough(from_powers(trend))} of it is left after {len(paths)} layers (use He initialization)"
        + ("; training has corrected it" if corrected else ""),
        confidence_between(-trend, DOUBTFUL, CERTAIN),
        {
            "gain": round(gain, 3),
            "fitting_gain": round(RELU_GAIN, 3),
            "last_to_first": from_powers(trend),
            "layers": len(paths),
        },
        series=series.name,
        step=series.first_step,
        layer=paths[0],
        severity=Severity.INFO if corrected or trend > WARNING_TREND else None,
    )


def _under_tanh(layers: Layers, gain: float) -> Iterator[Symptom]:
    tanh = [p for p in layers.paths if layers.activation(p) == "tanh" and layers.is_hidden(p)]
    paths, shares = layers.levels(tanh, "saturated_fraction", first)
    if not len(paths) or float(shares.max()) < MIN_SATURATED:
        return
    worst = paths[int(np.argmax(shares))]
    series = layers.run.series[f"layer:{worst}/saturated_fraction"]
    yield Symptom(
        f"the initialization does not fit tanh: each layer multiplies the signal by {number(round(gain, 2))} "
        f"where tanh needs 1, so {percent(float(shares.max()))} of {layers.named(worst)} starts saturated (use Xavier initialization)",
        PLAUSIBLE,
        {"gain": round(gain, 3), "fitting_gain": 1.0, "saturated_share": round(float(shares.max()), 3)},
        series=series.name,
        step=series.first_step,
        layer=worst,
        severity=Severity.INFO,
        remedies=("xavier-initialization", "relu"),
    )


RULE = Rule(
    code="NN504",
    name="initialization-unfit-for-activation",
    severity=Severity.WARNING,
    title="the initialization does not fit the activation",
    needs={"layer:*/std": 1, "layer:*/mean": 1},
    check=check,
    why="ReLU removes half of the signal's power, and the weights must compensate for it (He). Tanh does not, and larger weights only saturate it (Xavier). What is measured is the signal, not the name of the initializer.",
    how=f"The size of each hidden layer's output over its input in the first sample: {XAVIER_UNDER_RELU[0]:g}–{XAVIER_UNDER_RELU[1]:g} after ReLU, if the signal falls by a factor of {rough(from_powers(-MAX_TREND), 1)} over the network (a warning from a factor of {from_powers(-WARNING_TREND):g} on, unless training corrects it); {HE_UNDER_TANH[0]:g}–{HE_UNDER_TANH[1]:g} after tanh, if the first layers start saturated (information). Networks with normalization layers are left out.",
    sources=(
        Reference("He et al., Delving Deep into Rectifiers, 2015", "https://arxiv.org/abs/1502.01852"),
        Reference(
            "Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    remedies=("he-initialization", "batch-normalization", "shortcuts"),
    sick=(
        Run.drawn(
            facts=PLAIN,
            layers={f"fc{k}/std": f"{0.7**k:.3g}*3" for k in range(8)}
            | {f"fc{k}/mean": "0*3" for k in range(9)}
            | {f"fc{k}.relu/std": f"{0.58 * 0.7**k:.3g}*3" for k in range(8)}
            | {f"fc{k}.relu/mean": f"{0.4 * 0.7**k:.3g}*3" for k in range(8)}
            | {"fc8/std": "0.05*3"},
        ),
    ),
    healthy=(
        Run.drawn(
            facts=PLAIN,
            layers={f"fc{k}/std": "1.41*3" for k in range(9)}
            | {f"fc{k}/mean": "0*3" for k in range(9)}
            | {f"fc{k}.relu/std": "0.82*3" for k in range(8)}
            | {f"fc{k}.relu/mean": "0.56*3" for k in range(8)},
        ),
    ),
    suppressed_by=("nan-in-layer", "symmetric-initialization"),
)

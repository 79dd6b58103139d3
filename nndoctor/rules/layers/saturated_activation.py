"""Sigmoid or tanh units that sit at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import confidence_between
from nndoctor.analysis.layers import Layers, early, late, learned
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent, plural, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_SATURATED = 0.5  # share of a layer's outputs; well-trained tanh networks saturate in a third
MIN_AT_START = 0.3  # share of the outputs in the first samples; a layer with fewer began well
EQUALLY_SATURATED = 0.1  # shares within which two layers are equally saturated: the first is named
REACHED = 0.9  # share of the final level at which the layer is saturated
DOUBTFUL, CERTAIN = 0.35, 0.7  # shares between which the confidence grows
LARGE_INPUT = 10.0  # standard deviation of the first layer's pre-activations that only large inputs explain


def check(run: Run) -> Iterator[Symptom]:
    """Look at hidden layers; gates that learn to open or close in a run that learns are as they should be."""
    layers = Layers(run)
    found = [path for path in filter(layers.is_hidden, layers.paths) if _is_saturated(run, layers, path)]
    if not found:
        return
    shares = {path: late(run.series[f"layer:{path}/saturated_fraction"]) for path in found}
    worst = next(path for path in found if shares[path] >= max(shares.values()) - EQUALLY_SATURATED)
    series, share = run.series[f"layer:{worst}/saturated_fraction"], shares[worst]
    since = series.step_where(series.y >= min(MIN_SATURATED, REACHED * share))
    others = f", and {plural(len(found) - 1, 'other layer')}" if len(found) > 1 else ""
    kind = layers.activation(worst) or "activation"
    causes = _causes(layers, worst, since)
    yield Symptom(
        f"{percent(share)} of the {kind} outputs of {layers.named(worst)} have been saturated since step {step(since)}{others}",
        confidence_between(share, DOUBTFUL, CERTAIN),
        {"saturated_share": round(share, 3), "since": since, "layers": len(found), "cause": causes[0].name},
        series=series.name,
        step=since,
        span=(since, series.last_step),
        layer=worst,
        causes=causes,
    )


def _is_saturated(run: Run, layers: Layers, path: str) -> bool:
    series = layers.series(path, "saturated_fraction")
    if series is None or late(series) < MIN_SATURATED:
        return False
    return early(series) >= MIN_SATURATED or not learned(run)


def _causes(layers: Layers, path: str, since: float) -> tuple[Cause, ...]:
    at_start = layers.run.series[f"layer:{path}/saturated_fraction"].initial >= MIN_AT_START
    size = _size_of_input(layers, path)
    inputs = at_start and size > LARGE_INPUT and _only_first(layers, path)
    size_of_inputs = (
        f"its inputs have a standard deviation of {number(size)}; saturation begins near 2" if size else "as measured"
    )
    initial = "the layer was not saturated at first"
    return ranked(
        Cause(
            "the inputs",
            0.7 if inputs else 0.1,
            f"only the first layer saturates: {size_of_inputs}" if inputs else "layers after the first saturate, too",
            "train once with inputs of mean 0 and standard deviation 1",
        ),
        Cause(
            "the initialization",
            0.7 if at_start and not inputs else 0.2,
            f"it was saturated in the first sample: {size_of_inputs}" if at_start else initial,
            "train once with Xavier initialization",
        ),
        Cause(
            "the learning rate",
            0.1 if at_start else 0.8,
            "present before the first step" if at_start else f"{initial} and was by step {step(since)}",
            "train once with a tenth of the learning rate",
        ),
    )


def _size_of_input(layers: Layers, path: str) -> float:
    """The standard deviation of what the layer before gives, at the start; 0 where it is not known."""
    source = layers.before(path)
    wide = layers.series(source, "std") if source is not None else None
    return early(wide) if wide is not None else 0.0


def _only_first(layers: Layers, path: str) -> bool:
    """Whether a layer is the first hidden one, and no later one starts saturated."""
    shares = {p: layers.series(p, "saturated_fraction") for p in layers.paths if layers.is_hidden(p)}
    first, *others = (p for p, share in shares.items() if share is not None)
    return path == first and all(
        share is not None and share.initial < MIN_AT_START for share in map(shares.get, others)
    )


RULE = Rule(
    code="NN402",
    name="saturated-activation",
    severity=Severity.WARNING,
    title="sigmoid or tanh units are saturated",
    needs={"layer:*/saturated_fraction": 1},
    check=check,
    why="Where a sigmoid or tanh is saturated its slope is almost zero: no gradient passes, and the layers before it stop learning.",
    how=f"{percent(MIN_SATURATED)} of a hidden layer's outputs are near the ends of their range, from the first samples on or in a run that does not learn. The last activation, and gates that saturate while the loss falls, are not reported.",
    sources=(
        Reference("CS231n: 'sigmoids saturate and kill gradients'", "https://cs231n.github.io/neural-networks-1/"),
        Reference(
            "Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    remedies=("xavier-initialization", "normalize-inputs", "lower-learning-rate", "batch-normalization", "relu"),
    sick=(
        Run.drawn(
            facts={"roles:fc2": "weight"},
            layers={"fc1/std": "8*4", "fc1.tanh/saturated_fraction": "0.8*4", "fc2/std": "1*4"},
        ),
    ),
    healthy=(
        Run.drawn(
            facts={"roles:fc2": "weight"},
            layers={"fc1.tanh/saturated_fraction": "0.03 0.2 0.3", "fc2/std": "1*3"},
            train_loss="2.3 1.2 0.5",
        ),
        Run.drawn(
            facts={"roles:fc2": "weight"},
            layers={"gate.sigmoid/saturated_fraction": "0..0.95*9", "fc2/std": "1*9"},
            train_loss="2.3..0.1*9",
        ),
    ),
    suppressed_by=("nan-in-layer",),
)

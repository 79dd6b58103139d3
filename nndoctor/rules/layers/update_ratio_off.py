"""The weights' steps are far too small or far too large for their size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nndoctor.analysis.convergence import confidence_between, learns
from nndoctor.analysis.layers import ZERO_WEIGHTS, Layers, first, learned
from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, rough, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY

USUAL = 1e-3  # share of the weights' size by which a step changes them
DOUBTFUL, CERTAIN = -0.5, 1.0  # powers of ten beyond a limit between which the confidence grows
DOUBTFUL_GROWTH = -0.3  # the same for the growth of the weights
MIN_RATIO = 3e-6  # share of the weights' size; fine-tuning at a rate of 1e-6 still moves weights by 5e-5 of their size
LARGE_FIRST_STEP = 0.3  # share of the weights' size in the first step
MIN_GROWTH = 3.0  # times their first size
SHORT_RUN = 30  # steps
MAX_RATIO_OF_SHORT = 0.3  # limit of so short a run; RMSprop's first steps are ten times its later ones
HARMLESS_FALL = 0.25  # share of the first loss by which it falls where large steps do no harm
MIN_RATES = 3  # learning rates that show a rise
WARMING_UP = 0.1  # share of the peak of the learning rate below which it has only begun to rise
MAX_RATIO = 0.1  # the same; healthy recurrent networks at a high Adam learning rate reach 0.05
MOST_CLIPPED = 1000.0  # times the norm that clipping leaves; common limits are a tenth to a hundredth of early norms
PLAIN = ("SGD", "ASGD")  # optimizers whose steps grow with the gradients
FIRST_HALF = 0.5  # share of the run that is judged; later a decayed rate, or a solved task, makes steps small


def check(run: Run) -> Iterator[Symptom]:
    """Take the median over the first half of the run of each layer, then over the layers."""
    found = _clipped(run)
    if found is not None:
        yield found
        return
    layers = Layers(run)
    moved = tuple(p for p in layers.weighted if (s := layers.series(p, "update_ratio")) is not None and s.y.any())
    if not moved:
        return
    paths, ratios = _ratios(layers, moved)
    usual = float(np.median(ratios))
    if usual < MIN_RATIO:
        if not _warming_up(run) and not learned(run):  # else it has arrived: a second-order method, or a solved task
            yield _too_small(layers, paths, ratios)
    elif usual <= (MAX_RATIO_OF_SHORT if _is_short(run, paths) else MAX_RATIO):
        yield from _overshot(layers, moved)
    elif len(paths) > 1:  # a single layer has none after it to disturb, and soon finds the right size of its weights
        yield _too_large(layers, paths, ratios)


def _clipped(run: Run) -> Symptom | None:
    """Gradients of which clipping leaves next to nothing; an optimizer that divides by their size does not mind."""
    limit, norm = run.known("clipped_to"), run.known("norm_before_clipping")
    if limit is None or norm is None or norm < MOST_CLIPPED * limit or run.fact("optimizer") not in PLAIN:
        return None
    text = f"gradients are clipped to a norm of {number(limit)}, and theirs is {number(float(f'{norm:.2g}'))}: steps are a thousandth of what they would be, or less"
    return Symptom(
        text, DIRECT, {"clipped_to": limit, "gradient_norm": norm}, place="train_step", remedies=("check-the-step",)
    )


def _ratios(layers: Layers, moved: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The usual step of each layer; of the largest size of its weights, where it is large only for those that begin at zero."""
    paths, ratios = layers.levels(moved, "update_ratio", lambda s: s.level(0.0, FIRST_HALF))
    if float(np.median(ratios)) > MAX_RATIO:
        ratios = np.array([_of_the_largest(layers, p) for p in paths])
    return paths, ratios


def _is_short(run: Run, paths: tuple[str, ...]) -> bool:
    return max(run.series[f"layer:{p}/update_ratio"].last_step for p in paths) < SHORT_RUN


def _too_small(layers: Layers, paths: Sequence[str], ratios: NDArray[np.float64]) -> Symptom:
    remark = Severity.INFO if learns(layers.run) else None
    return replace(
        _symptom(layers, paths, ratios, low=True),
        severity=remark,
        remedies=("raise-learning-rate", "learning-rate-range-test"),
    )


def _too_large(layers: Layers, paths: Sequence[str], ratios: NDArray[np.float64]) -> Symptom:
    found = _symptom(layers, paths, ratios, low=False)
    if learned(layers.run, HARMLESS_FALL):
        return replace(found, message=f"{found.message}; the loss still falls", severity=Severity.INFO)
    return replace(found, severity=Severity.INFO if learns(layers.run) else None)


def _symptom(layers: Layers, paths: Sequence[str], ratios: NDArray[np.float64], *, low: bool) -> Symptom:
    """The finding, for the layer that is furthest beyond the limit."""
    usual = float(np.median(ratios))
    worst = int(np.argmin(ratios) if low else np.argmax(ratios))
    series = layers.run.series[f"layer:{paths[worst]}/update_ratio"]
    middle = series.step_at(FIRST_HALF)
    return Symptom(
        f"a step changes the weights by {rough(usual)} of their size (typical: about 1e-3): "
        f"the learning rate is too {'low' if low else 'high'}, most of all for {layers.named(paths[worst])}",
        confidence_between(abs(math.log10(max(usual, TINY) / (MIN_RATIO if low else MAX_RATIO))), DOUBTFUL, CERTAIN),
        {
            "update_ratio": usual,
            "healthy": USUAL,
            "worst_ratio": float(ratios[worst]),
            "until_step": float(step(middle)),
        },
        series=series.name,
        step=series.first_step,
        span=(series.first_step, middle),
        layer=paths[worst],
    )


def _overshot(layers: Layers, moved: tuple[str, ...]) -> Iterator[Symptom]:
    """Weights that the first steps make several times as large, after which steps look small next to them."""
    paths, steps = layers.levels(moved, "update_ratio", first)
    _, begins = layers.levels(moved, "weight_norm", first)
    _, ends = layers.levels(moved, "weight_norm", lambda s: float(s.y.max()))
    if len(begins) != len(paths) or len(ends) != len(paths) or learned(layers.run):
        return
    sized = begins > ZERO_WEIGHTS
    if sized.sum() < 2:
        return
    steps, begins, ends = steps[sized], begins[sized], ends[sized]
    paths = tuple(p for p, kept in zip(paths, sized, strict=True) if kept)
    step_size, grown = float(np.median(steps)), float(np.median(ends / begins))
    if step_size < LARGE_FIRST_STEP or grown < MIN_GROWTH or not math.isfinite(grown):
        return
    k = int(np.argmax(steps))
    series = layers.run.series[f"layer:{paths[k]}/update_ratio"]
    yield Symptom(
        f"the first steps change the weights by {rough(step_size)} of their size (typical: about 1e-3) and "
        f"make them {rough(grown)} times as large: the learning rate is too high, most of all for "
        f"{layers.named(paths[k])}",
        confidence_between(math.log10(grown / MIN_GROWTH), DOUBTFUL_GROWTH, CERTAIN),
        {"first_update_ratio": step_size, "healthy": USUAL, "weights_grown": round(grown, 2)},
        series=series.name,
        step=series.first_step,
        span=series.span,
        layer=paths[k],
    )


def _of_the_largest(layers: Layers, path: str) -> float:
    """The median step of the first half of the run, as a share of the largest size that the weights have in it."""
    ratio, norm = layers.series(path, "update_ratio"), layers.series(path, "weight_norm")
    if ratio is None or norm is None:
        return float("nan") if ratio is None else ratio.level(0.0, FIRST_HALF)
    sizes = np.interp(ratio.x, norm.x, norm.y)
    return Series.of("", ratio.y * sizes / max(float(norm.y.max()), TINY)).level(0.0, FIRST_HALF)


def _warming_up(run: Run) -> bool:
    """Whether the rate has only just begun to rise to its peak."""
    rate = run.series_of("lr", MIN_RATES)
    return rate is not None and rate.level(0.0, FIRST_HALF) < WARMING_UP * float(rate.y.max())


RULE = Rule(
    code="NN406",
    name="update-ratio-off",
    severity=Severity.WARNING,
    title="updates are too large or too small for the weights",
    needs={"fact:norm_before_clipping|layer:*/update_ratio": 2},
    check=check,
    why="What matters about a learning rate is how far it moves the weights. An update of about a thousandth of their size is neither too small nor too large, whatever the optimizer.",
    how=f"The ratio of update to weight norms in the first half of the run, as the median over time and layers, is below {MIN_RATIO:g} or, in networks of several layers, above {MAX_RATIO:g}. Also reported: first updates of {LARGE_FIRST_STEP:g} times the size of the weights that make them {MIN_GROWTH:g} times as large in a run that does not learn. Large updates under which the loss falls are information only. Healthy runs of all kinds stay far from both limits. In a check-up, also a plain gradient descent whose Trainer clips gradients to a norm more than {MOST_CLIPPED:g} times smaller than theirs.",
    sources=(
        Reference(
            "CS231n: 'the ratio of the update magnitudes to the value magnitudes should be somewhere around 1e-3'",
            "https://cs231n.github.io/neural-networks-3/",
        ),
    ),
    remedies=("lower-learning-rate", "learning-rate-range-test", "warm-up"),
    sick=(
        Run.drawn({"clipped_to": 1e-6, "norm_before_clipping": 1.7, "optimizer": "SGD"}),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "1e-8*6"}),
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:fc2": "weight"},
            layers={"fc1/update_ratio": "0.6*6", "fc2/update_ratio": "0.5*6"},
        ),
    ),
    healthy=(
        Run.drawn(
            facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "0.05 1e-3 1e-9*6"}, train_loss="2.3..0.1*8"
        ),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "0.02 1e-3*4 1e-5"}),
        Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/update_ratio": "3e-3*4 1e-7*3"}),
    ),
    suppressed_by=(
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

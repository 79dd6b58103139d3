"""ReLU units that are silent for every example."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import confidence_between, learns
from nndoctor.analysis.layers import Layers, early, first, late, powers
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import percent, plural, rough, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import TINY

MIN_DEAD = 0.5  # share of a layer's units; trained networks that do well have a third silent at most
# The same where they are silent from the start; torch's own initialization leaves over half in narrow layers.
MIN_DEAD_AT_START = 0.65
NEARLY_ALL = 0.9  # share of the units from which it is an error
DOUBTFUL, CERTAIN = 0.3, 0.7  # shares between which the confidence grows
EQUALLY_DEAD = 0.05  # shares within which two layers are equally dead: the first is named, as those after it starve
REACHED = 0.9  # share of the final level at which units have died
MAX_AT_START = 0.8  # share of the final level above which no unit died in training
DEAD_AT_START = 0.6  # share of the final level from which the units were dead before training
MIN_NAMED = 0.5  # weight of a cause that the message names
MIN_SAME = 0.99  # share of the units before them that are the same for all examples
# Powers of ten that the signal loses from the first layer to the last: dead units are then a symptom of that.
MAX_TREND = -1.0
MIN_ALWAYS_ON = 0.3  # share of the units that are on for every example: the examples look alike, the units did not die
LARGE_STEP = 0.1  # share of a weight's size in one step, a hundred times the usual thousandth
LOW_BIAS = -0.3  # mean bias, in standard deviations of the signal, that keeps units at zero
KILLED, NOT_KILLED = 3.0, 0.2  # weights of a large step where units died of one, and where they were silent before
MIN_SIGNAL = 0.1  # share of the bias: the least standard deviation that it is compared with

LIKELY = {
    "the learning rate": "the learning rate is too high",
    "the bias": "the bias is too low",
    "the initialization": "the initialization",
}
"""The causes as the message names them."""

FIRST = {
    "the learning rate": ("lower-learning-rate", "warm-up", "leaky-relu", "he-initialization"),
    "the bias": ("zero-biases", "leaky-relu", "he-initialization", "lower-learning-rate"),
    "the initialization": ("he-initialization", "zero-biases", "leaky-relu", "lower-learning-rate"),
}
"""The remedies in the order that the likeliest cause asks for."""


def check(run: Run) -> Iterator[Symptom]:
    """Name the layer with most dead units, the step since when, and what killed them."""
    layers = Layers(run)
    shares = _dead(layers)
    if not shares:
        return
    most = max(shares.values())
    worst = next(p for p in layers.paths if shares.get(p, 0.0) >= most - EQUALLY_DEAD)
    dead = run.series[f"layer:{worst}/dead_fraction"]
    since = dead.step_where(dead.y >= min(MIN_DEAD, REACHED * shares[worst]))
    causes = _causes(layers, worst, dead, since)
    others = f", and at least half in {plural(len(shares) - 1, 'other layer')}" if len(shares) > 1 else ""
    begun = "are dead from the start" if since <= dead.first_step else f"have been dead since step {step(since)}"
    likely = f". Likely cause: {LIKELY[causes[0].name]}" if causes[0].weight >= MIN_NAMED else ""
    yield Symptom(
        f"{percent(shares[worst])} of the units in {layers.named(worst)} {begun}{others}{likely}",
        confidence_between(shares[worst], DOUBTFUL, CERTAIN),
        {"dead_share": round(shares[worst], 3), "since": since, "layers": len(shares), "cause": causes[0].name},
        series=f"layer:{worst}/dead_fraction",
        step=since,
        span=(since, dead.last_step),
        layer=worst,
        causes=causes,
        remedies=FIRST[causes[0].name],
        severity=Severity.ERROR if shares[worst] >= NEARLY_ALL else Severity.INFO if learns(run) else None,
    )


def _dead(layers: Layers) -> dict[str, float]:
    """The layers in which many units are dead that other rules do not explain, each with their share."""
    paths, ends = layers.levels(layers.paths, "dead_fraction", late)
    many = {p: float(v) for p, v in zip(paths, ends, strict=True) if v >= MIN_DEAD}
    return {
        path: share
        for path, share in many.items()
        if _enough(layers, path) and not _alike(layers, path, share) and not _starved(layers, path, share)
    }


def _enough(layers: Layers, path: str) -> bool:
    """Whether units have died since the first sample, or very many were silent in it."""
    dead = layers.run.series[f"layer:{path}/dead_fraction"]
    return late(dead) >= MIN_DEAD_AT_START or first(dead) < MAX_AT_START * late(dead)


def _starved(layers: Layers, path: str, share: float) -> bool:
    """Whether other rules explain it: nothing that varies reaches the layer, or the signal shrinks all the way to it."""
    source = layers.before(path)
    same = layers.series(source, "same_examples") if source is not None else None
    if same is not None and first(same) >= MIN_SAME:
        return True
    _, sizes = layers.levels([p for p in layers.seen if layers.is_hidden(p)], "std", first)
    return share < NEARLY_ALL and powers(sizes) < MAX_TREND


def _alike(layers: Layers, path: str, share: float) -> bool:
    """Whether about as many units are on for every example as are off: a deep plain network's inputs look alike."""
    source = layers.before(path)
    signs = layers.series(source, "one_sign") if source is not None else None
    return signs is not None and late(signs) - share > MIN_ALWAYS_ON


def _causes(layers: Layers, path: str, dead: Series, since: float) -> tuple[Cause, ...]:
    source = layers.before(path) or path
    from_start = since <= dead.first_step and dead.initial >= DEAD_AT_START * late(dead)
    pull = _pull(layers, source)
    fastest, unseen = _steps_before(layers, dead, since)
    killed = not from_start or (fastest > LARGE_STEP and unseen)
    first = "dead" if from_start else "alive"
    side = "below" if pull < 0 else "above"
    return ranked(
        _large_step(fastest, KILLED if killed else NOT_KILLED),
        Cause(
            "the bias",
            4.0 if pull < LOW_BIAS and not killed else 0.3,
            f"the layer's bias starts {rough(abs(pull), 1)} times the size of its signal {side} zero",
            "train once with zero biases",
        ),
        Cause(
            "the initialization",
            0.2 if killed else 2.0,
            f"the units were {first} in the first sample",
            "train once with He initialization",
        ),
    )


def _large_step(fastest: float, weight: float) -> Cause:
    """The learning rate by the largest relative update before the units were dead."""
    largest = f"one step before it changed the weights by up to {percent(fastest)} of their size"
    return Cause(
        "the learning rate",
        weight + (2.0 if fastest > LARGE_STEP else 0.0),
        largest if fastest > 0 else "no weight changed before it",
        "train once with a tenth of the learning rate",
    )


def _steps_before(layers: Layers, dead: Series, since: float) -> tuple[float, bool]:
    """The largest relative update up to a step, and whether some were made before the units were first seen."""
    steps = [s for p in layers.weighted if (s := layers.series(p, "update_ratio")) is not None]
    fastest = max((float(s.y[s.x <= since].max()) for s in steps if (s.x <= since).any()), default=0.0)
    return fastest, bool(steps) and dead.first_step > steps[0].first_step


def _pull(layers: Layers, source: str) -> float:
    """The mean bias of a layer at the start, in units of its output's deviation or its input's size."""
    bias = layers.series(source, "bias_mean")
    std = layers.series(source, "std")
    if bias is None or std is None:
        return 0.0
    return first(bias) / max(early(std), MIN_SIGNAL * abs(first(bias)), TINY)


RULE = Rule(
    code="NN401",
    name="dead-relu",
    severity=Severity.WARNING,
    title="ReLU units are dead",
    needs={"layer:*/dead_fraction": 1},
    check=check,
    why="A ReLU that outputs zero for every example passes no gradient and never recovers: only the other units of the layer are left.",
    how=f"{percent(MIN_DEAD)} of a layer's units output zero for all sampled examples at the end of the run ({percent(MIN_DEAD_AT_START)} if they did so from the start); an error from {percent(NEARLY_ALL)} on. The causes are ranked by when the units died: during training, with a low bias, or at the start. Layers whose other units are active for every example are left out.",
    sources=(
        Reference(
            "CS231n: 'a ReLU unit can irreversibly die; as much as 40% of your network can be dead'",
            "https://cs231n.github.io/neural-networks-1/",
        ),
        Reference("Lu et al., Dying ReLU and Initialization, 2019", "https://arxiv.org/abs/1903.06733"),
    ),
    remedies=("lower-learning-rate", "zero-biases", "he-initialization", "leaky-relu", "warm-up"),
    sick=(
        Run.drawn(layers={"fc1/update_ratio": "0.9 0.4 0.01 0.01", "fc1.relu/dead_fraction": "0.02 0.3 0.95 0.97"}),
        Run.drawn(layers={"fc1/bias_mean": "-4*4", "fc1/std": "1*4", "fc1.relu/dead_fraction": "0.98*4"}),
    ),
    healthy=(
        Run.drawn(layers={"fc1.relu/dead_fraction": "0.02 0.1 0.2 0.25"}),
        Run.drawn(layers={"fc1/one_sign": "0.98*4", "fc1.relu/dead_fraction": "0.52*4"}),
    ),
    suppressed_by=("nan-in-layer", "nan-loss", "symmetric-initialization"),
)

"""The network gives the same output for every input."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile

from nndoctor.analysis.layers import WEIGHTED, Layers, first, late
from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_SAME = 0.95  # share of the output's units
ADAPTER = "lora_"  # in the path of a layer that begins at zero next to the one that it adapts
MIN_ZEROS = 0.999  # share of a ReLU's outputs that are zero in a dead layer

FIRST = {
    "the inputs do not vary": ("check-inputs", "overfit-tiny-subset"),
    "dead or zero weights": ("he-initialization", "lower-learning-rate", "overfit-tiny-subset"),
    "learning rate too high": ("lower-learning-rate", "warm-up", "clip-gradients", "he-initialization"),
}
"""The remedies in the order that the likeliest cause asks for."""


def check(run: Run) -> Iterator[Symptom]:
    """Look at the last layer with weights at the end of the run, and name the first from which nothing varies."""
    layers = Layers(run)
    chain = [p for p in layers.paths if layers.series(p, "same_examples") is not None]
    judged = [p for p in chain if layers.role(p) in WEIGHTED and ADAPTER not in p.lower()]
    if not judged:
        return
    same = run.series[f"layer:{judged[-1]}/same_examples"]
    if late(same) < MIN_SAME or len(same.y) < 2:
        return
    origin = _origin(run, chain, judged[-1])
    varies = run.series[f"layer:{origin}/same_examples"]
    since = varies.step_where(varies.y >= MIN_SAME)
    causes = _causes(layers, origin, chain[0] == origin, first(varies) >= MIN_SAME)
    yield Symptom(
        f"the model gives the same output for every example: nothing varies from {layers.named(origin)} on"
        + (", where every unit is zero" if _is_dead(layers, origin) else ""),
        DIRECT,
        {"units_constant": percent(late(same)), "since": since, "origin": layers.named(origin)},
        series=varies.name,
        step=since,
        span=(since, varies.last_step),
        layer=origin,
        causes=causes,
        remedies=FIRST[causes[0].name],
    )


def _is_dead(layers: Layers, path: str) -> bool:
    zeros = layers.series(path, "zero_fraction")
    return zeros is not None and layers.activation(path) == "relu" and late(zeros) >= MIN_ZEROS


def _origin(run: Run, chain: Sequence[str], last: str) -> str:
    """The first layer from which on, up to the end, no output varies; `last` where the end itself has none such."""
    constant = takewhile(lambda path: late(run.series[f"layer:{path}/same_examples"]) >= MIN_SAME, reversed(chain))
    return next(iter(deque(constant, maxlen=1)), last)


def _causes(layers: Layers, origin: str, inputs: bool, at_start: bool) -> tuple[Cause, ...]:
    std = layers.series(origin, "std")
    size = f"the standard deviation of its outputs is {number(late(std))}" if std is not None else "as measured"
    return ranked(
        Cause(
            "the inputs do not vary",
            0.8 if inputs else 0.1,
            "the output of the first layer is already the same for all examples" if inputs else "layers before it vary",
            "print a batch just before the network",
        ),
        Cause(
            "dead or zero weights",
            0.6 if at_start and not inputs else 0.2,
            f"{size} from the first sample on" if at_start else "it varied in the first sample",
            "train once with another initialization",
        ),
        Cause(
            "learning rate too high",
            0.1 if at_start else 0.7,
            "present before the first step" if at_start else "it varied at the start and collapsed in training",
            "train once with a tenth of the learning rate",
        ),
    )


RULE = Rule(
    code="NN409",
    name="constant-output",
    severity=Severity.ERROR,
    title="the output does not depend on the input",
    needs={"layer:*/same_examples": 2},
    check=check,
    why="A network with the same output for every input has at best learned the mean of its targets.",
    how=f"{percent(MIN_SAME)} of the last layer's units differ by less than rounding between all sampled examples, at the end of the run. A last layer that starts at zero and then learns is not reported.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("check-inputs", "overfit-tiny-subset", "he-initialization", "lower-learning-rate"),
    sick=(
        Run.drawn(
            facts={"roles:fc1": "weight", "roles:fc2": "weight"},
            layers={"fc1/same_examples": "0*4", "fc2/same_examples": "0 0.2 1 1"},
        ),
    ),
    healthy=(Run.drawn(facts={"roles:fc1": "weight"}, layers={"fc1/same_examples": "1 0 0 0"}),),
    suppressed_by=(
        "nan-in-layer",
        "dead-relu",
        "symmetric-initialization",
        "vanishing-gradient",
        "signal-shrinks",
        "initialization-unfit-for-activation",
    ),
)

"""The signal grows from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.layers import Layers, from_powers
from nndoctor.analysis.signal_propagation import signal_symptom
from nndoctor.core.confidence import PLAUSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_POWERS = 1.5  # powers of ten; healthy plain networks of fifty layers change by a factor of three
# Times the deviation of torch's default weights, in the median layer: He's are 2.4 times as large. A trial decides.
MAX_OVER_DEFAULT = 15.0
DOUBTFUL = 1.2  # powers of ten at which the confidence begins to grow


def check(run: Run) -> Iterator[Symptom]:
    """Follow the deviation of the hidden weight layers' outputs through the network as it begins, and as it ends; then look at the weights."""
    found = signal_symptom(Layers(run), 1, MIN_POWERS, DOUBTFUL)
    over = run.number("weights_over_default")
    if found is not None:
        yield found
    elif over > MAX_OVER_DEFAULT:
        text = f"the weights begin with a standard deviation {rough(over, 2)}× that of torch's default initialization: a step of the optimizer hardly changes them"
        yield Symptom(text, PLAUSIBLE, {"times_default": over}, place="model")


RULE = Rule(
    code="NN503",
    name="signal-grows",
    severity=Severity.WARNING,
    title="the signal grows with depth",
    needs={"layer:*/std": 1},
    check=check,
    why="Weights too large for their fan-in make every layer's output larger than its input; in the end outputs, loss and gradients are huge.",
    how=f"The standard deviation of hidden outputs grows by a factor of {rough(from_powers(MIN_POWERS), 1)} or more over the network in the first sample, measured by its trend over the layers; or, where a model is examined, weights begin more than {MAX_OVER_DEFAULT:g} times as large as by default, as normalization may hide, and the default initialization learns better. Information only if training has corrected it.",
    sources=(Reference("He et al., Delving Deep into Rectifiers, 2015", "https://arxiv.org/abs/1502.01852"),),
    remedies=("he-initialization", "xavier-initialization", "batch-normalization"),
    sick=(
        Run.drawn(facts={"weights_over_default": 240.0}, layers={"fc1/std": "1*4"}),
        Run.drawn(
            facts={f"roles:fc{k}": "weight" for k in range(1, 6)},
            layers={"fc1/std": "5*4", "fc2/std": "50*4", "fc3/std": "600*4", "fc4/std": "7e3*4", "fc5/std": "0.05*4"},
        ),
    ),
    healthy=(
        Run.drawn(facts={"weights_over_default": 2.45}, layers={"fc1/std": "1*4"}),
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
    suppressed_by=("symmetric-initialization",),
)

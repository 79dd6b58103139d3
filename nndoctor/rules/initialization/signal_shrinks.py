"""The signal shrinks from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from nndoctor.analysis.layers import Layers
from nndoctor.analysis.signal_propagation import signal_symptom
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

POWERS = 1.7  # fifty-fold: torch's own initialization loses ten-fold at most, its biases hold it up
RANGE = 1.0  # what a sigmoid or tanh passes on of a deviation
DOUBTFUL = 1.4  # powers that would be a guess


def check(run: Run) -> Iterator[Symptom]:
    """Follow the deviation of the hidden weight layers' outputs through the network as it begins, and as it ends."""
    layers = Layers(run)

    def passed(path: str) -> float:
        """A sigmoid or tanh that comes next cuts off whatever is larger, which is no loss of signal on the way."""
        behind = layers.after(path)
        return RANGE if behind and layers.activation(behind[0]) in ("sigmoid", "tanh") else inf

    found = signal_symptom(layers, -1, POWERS, DOUBTFUL, passed)
    if found is not None:
        yield found


RULE = Rule(
    code="NN502",
    name="signal-shrinks",
    severity=Severity.WARNING,
    title="the signal shrinks with depth",
    needs={"layer:*/std": 1},
    check=check,
    why="Weights too small for their fan-in make every layer's output smaller than its input; in the last layers all examples look the same, and the gradients shrink, too.",
    how="The standard deviation of hidden outputs falls by a factor of 50 or more over the network in the first sample, measured by its trend over the layers, so that a single small layer does not count. Information only if training has corrected it.",
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
    suppressed_by=("nan-in-layer", "dead-relu", "symmetric-initialization", "initialization-unfit-for-activation"),
)

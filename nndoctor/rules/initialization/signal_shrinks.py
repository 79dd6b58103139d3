"""The signal shrinks from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from nndoctor.analysis.layers import Layers, from_powers
from nndoctor.analysis.signal_propagation import signal_symptom
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

# Powers of ten; torch's own initialization loses a factor of ten at most, because its biases keep the signal up.
MIN_POWERS = 1.7
MAX_PASSED = 1.0  # largest standard deviation that a sigmoid or tanh passes on
DOUBTFUL = 1.4  # powers of ten at which the confidence begins to grow


def check(run: Run) -> Iterator[Symptom]:
    """Follow the deviation of the hidden weight layers' outputs through the network as it begins, and as it ends."""
    layers = Layers(run)

    def passed(path: str) -> float:
        """A sigmoid or tanh that comes next cuts off whatever is larger, which is no loss of signal on the way."""
        behind = layers.after(path)
        return MAX_PASSED if behind and layers.activation(behind[0]) in ("sigmoid", "tanh") else inf

    found = signal_symptom(layers, -1, MIN_POWERS, DOUBTFUL, passed)
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
    how=f"The standard deviation of hidden outputs falls by a factor of {rough(from_powers(MIN_POWERS), 1)} or more over the network in the first sample, measured by its trend over the layers, so that a single small layer does not count. Information only if training has corrected it.",
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

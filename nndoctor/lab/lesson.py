"""What a lesson is: a network with one fault, the same network with the fault fixed, and what must be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from torch import Tensor, nn

from nndoctor.lab.data import Data
from nndoctor.training.options import OptimizerName, TrainingOptions


class Measure(StrEnum):
    """What is compared; losses and errors are better low, accuracies high."""

    train_loss = "training loss"
    train_accuracy = "training accuracy"
    validation_loss = "validation loss"
    validation_accuracy = "validation accuracy"
    gap = "accuracy gap"
    peak = "highest training loss"

    @property
    def higher(self) -> bool:
        """Whether a higher value is better."""
        return self.name.endswith("accuracy")


@dataclass(frozen=True, slots=True)
class Setup:
    """One network to train. `augment` changes a batch of inputs, differently each time; `members` > 1 is an ensemble.

    `snapshots` averages the predictions of the network at that many points of one cyclic run.
    """

    label: str
    model: Callable[[], nn.Module]
    data: Callable[[], Data]
    options: TrainingOptions = field(
        default_factory=lambda: TrainingOptions(epochs=20, optimizer=OptimizerName.momentum, lr=0.05)
    )
    augment: Callable[[Tensor], Tensor] | None = None
    members: int = 1
    snapshots: int = 1


@dataclass(frozen=True, slots=True)
class Loop:
    """A training with a loop of its own: `rows` takes a seed and gives the lines of its log; `columns` names what is kept."""

    label: str
    rows: Callable[[int], Sequence[Mapping[str, float]]]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The healthy twin ends better in a column of its log, by at least a margin in the column's unit; `words` say what it is."""

    column: str
    words: str
    margin: float
    higher: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """The healthy twin is better in a measure, by at least a margin: points of accuracy, or a factor of a loss."""

    measure: Measure
    margin: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """One phenomenon. `findings` are what the broken network must be diagnosed with (one of them; none: only claims count).

    `source` is a reference; `moral` the takeaway in one sentence.
    """

    name: str
    title: str
    moral: str
    source: str
    sick: Setup | Loop
    healthy: Setup | Loop
    claims: Sequence[Claim | Outcome]
    findings: Sequence[str] = ()

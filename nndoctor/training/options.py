"""How to train: everything that the command line can set, checked before anything is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from nndoctor.core.errors import UsageError


class OptimizerName(StrEnum):
    """What --optimizer takes; `file` is the model file's own."""

    file = "file"
    sgd = "sgd"
    momentum = "momentum"
    nesterov = "nesterov"
    adagrad = "adagrad"
    adadelta = "adadelta"
    rmsprop = "rmsprop"
    adam = "adam"
    adamw = "adamw"


class ScheduleName(StrEnum):
    """What --schedule takes."""

    constant = "constant"
    step = "step"
    cosine = "cosine"
    linear = "linear"
    inverse_sqrt = "inverse-sqrt"


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Lengths in epochs or, where `steps` is given, in optimizer steps; `warmup` is a share of the run.

    `l1` and `l2` are penalties on the weights' absolute values and squares, added to the loss (both: elastic net);
    `patience` is the number of evaluations without a better validation loss after which training stops.
    """

    epochs: int = 10
    steps: int | None = None
    optimizer: OptimizerName | None = None
    lr: float | None = None
    momentum: float = 0.9
    weight_decay: float | None = None
    schedule: ScheduleName = ScheduleName.constant
    warmup: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    clip: float | None = None
    patience: int | None = None
    seed: int = 0
    device: str = "auto"
    amp: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError for what makes no sense."""
        _wanted(self.epochs >= 1, "--epochs", self.epochs, "1 or more")
        _wanted(self.steps is None or self.steps >= 1, "--steps", self.steps, "1 or more")
        _wanted(self.lr is None or self.lr >= 0, "--lr", self.lr, "0 or more")
        _wanted(0 <= self.momentum < 1, "--momentum", self.momentum, "at least 0 and under 1")
        _wanted(0 <= self.warmup < 1, "--warmup", self.warmup, "a share of the run, at least 0 and under 1")
        _wanted(min(self.l1, self.l2) >= 0, "--l1 and --l2", min(self.l1, self.l2), "0 or more")
        _wanted(self.clip is None or self.clip > 0, "--clip", self.clip, "a norm above 0")
        _wanted(self.patience is None or self.patience >= 1, "--patience", self.patience, "1 or more")

    def facts(self) -> dict[str, object]:
        """The options for run.json, without those that were not set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def _wanted(fine: bool, option: str, found: object, wanted: str) -> None:
    if not fine:
        raise UsageError(f"{option} is {found}; expected {wanted}")

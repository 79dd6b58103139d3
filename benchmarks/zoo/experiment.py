"""One training experiment as a value: everything that decides what its run looks like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LogStyle:
    """What the run's user writes down: how often, which columns, and how they are spelled."""

    per: str = "epoch"  # a row an epoch, or a row every `every` steps
    every: int = 1
    validate_every: int = 1  # rows between two validations
    spelling: str = "keras"
    train: str = (
        "running"  # the running mean of the batches in training mode, or "clean": in evaluation mode, or "none"
    )
    validation: bool = True
    accuracy: bool = True
    lr: bool = False
    grad_norm: bool = False
    percent: bool = False
    digits: int = 5
    scale: float = 1.0  # the unit of the target: losses of a regression are logged times its square
    stops_at_nan: bool = False
    resumed_at: float = 0.0  # where the run was taken up again from an earlier checkpoint, as a share of the rows


@dataclass(frozen=True, slots=True)
class Experiment:
    """A configuration to train; an intervention is a copy with one thing changed."""

    id: str
    split: str
    planted: str
    workload: str
    task: int = 0  # which of the family's tasks: its dimensions, its teacher, its text
    variant: int = -1  # which draw of the task's data; the id decides where it is negative
    net: str = "mlp"
    width: int = 32
    depth: int = 2
    activation: str = "relu"
    init: str = "default"
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    decoupled: bool = False  # weight decay apart from the gradient, as in AdamW
    dropout: float = 0.0
    input_noise: float = 0.0
    label_smoothing: float = 0.0
    mixup: bool = False
    clip: float = 0.0
    schedule: str = "constant"
    steps: int = 300
    batch_size: int = 32
    train_size: int = 256
    data_noise: float = 0.0  # in training and validation alike: the irreducible floor
    label_noise: float = 0.0  # the share of wrong training labels; 1 shuffles them all
    trainable: str = "all"  # or "head", or "none"
    shuffle: bool = True
    reset_gradients: bool = True
    spikes: tuple[float, ...] = ()  # where in the run a batch goes wrong, as shares of the budget
    spike_kind: str = "data"  # or "lr"
    spike_size: float = 20.0
    validation_set: str = "full"  # or "tiny", "resampled" (another tiny one each time), "train"
    patience: int = 0  # evaluations without a new best after which the run was stopped
    evaluations: int = 0  # over the run; 0 leaves it to the log
    seed: int = 0
    log: LogStyle = field(default_factory=LogStyle)

    @property
    def epoch_steps(self) -> int:
        """Steps in one pass over the training data."""
        return max(1, round(self.train_size / self.batch_size))

    @property
    def row_steps(self) -> int:
        """Steps between two rows of the log."""
        return self.epoch_steps if self.log.per == "epoch" else self.log.every


def seed_of(*words: object) -> int:
    """A seed that is the same on every machine and in every process.

    >>> seed_of("digits", 1) == seed_of("digits", 1) != seed_of("digits", 2)
    True
    """
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:6], "big")

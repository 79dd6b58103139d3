"""What a file says of its training beside the step: its rates, its length, how gradients are clipped, and how it evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nndoctor.experiment.best_kept import Kept, wrong_best
from nndoctor.experiment.captured import Captured
from nndoctor.experiment.data import Batches
from nndoctor.experiment.lengths import named_epochs
from nndoctor.experiment.lightning import is_trainer
from nndoctor.experiment.model_file import user_code
from nndoctor.experiment.transformers_trainer import planned_rates, steps_of, trainer_in


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a training, as far as it is known.

    `rates` are the learning rates of its steps as a Trainer or a line of a script has them, `steps` is the length of the
    training, `clip` the norm to which a Trainer clips gradients, `wrong_mode` a line of a script that evaluates in training mode, or after which it
    trains in evaluation mode, and which of both, `wrong_best` what keeps the worst state of the training for the best.
    """

    rates: tuple[float, ...] = ()
    steps: int | None = None
    clip: float | None = None
    wrong_mode: tuple[str, int] | None = None
    wrong_best: Kept | None = None

    @classmethod
    def of(cls, path: str, names: Mapping[str, object], script: Captured | None, train: Batches) -> Plan:
        """The plan in a file, or in what its script has made."""
        mode = None if script is None else script.wrong_mode
        rates = _rates(path, names) or (() if script is None else script.rates)
        return cls(rates, _steps(script, names, train), _largest_norm(names), mode, wrong_best(names))


def _rates(path: str, names: Mapping[str, object]) -> tuple[float, ...]:
    trainer = trainer_in(names)
    with user_code(path, "making the schedule of its Trainer"):
        return () if trainer is None else planned_rates(trainer)


def _steps(script: Captured | None, names: Mapping[str, object], train: Batches) -> int | None:
    """The number of steps of the training: what the loops of a script count, else what a Trainer is set up for, else the epochs that the file names."""
    if script is not None and script.planned is not None:
        return script.planned
    epochs, steps = _of_trainer(names)
    epochs = epochs or named_epochs(names)
    return steps or (epochs * train.number if epochs and train.number else None)


def _of_trainer(names: Mapping[str, object]) -> tuple[int | None, int | None]:
    """The epochs and the steps for which a Trainer among these was made."""
    trainer: Any = trainer_in(names)
    if trainer is not None:
        return None, steps_of(trainer) if hasattr(trainer, "args") else None
    trainer = next((value for value in names.values() if is_trainer(value)), None)
    epochs, steps = (getattr(trainer, name, None) or 0 for name in ("max_epochs", "max_steps"))
    return max(epochs, 0), max(steps, 0)  # -1 stands for no limit


def _largest_norm(names: Mapping[str, object]) -> float | None:
    """The largest norm of the gradients that a Trainer among these lets pass; None where none clips by norm."""
    trainer = trainer_in(names)
    if trainer is not None:
        return getattr(getattr(trainer, "args", None), "max_grad_norm", None) or None
    return next((norm for value in names.values() if (norm := _of_lightning(value))), None)


def _of_lightning(trainer: Any) -> float | None:  # noqa: ANN401
    if not is_trainer(trainer) or trainer.gradient_clip_algorithm not in (None, "norm"):
        return None
    norm: float | None = trainer.gradient_clip_val
    return norm

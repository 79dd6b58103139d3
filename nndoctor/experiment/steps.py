"""From a batch to a loss: by the user's step, by a model that returns its own loss, or by output and target."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nndoctor.core.errors import UsageError
from nndoctor.core.formatting import type_of
from nndoctor.experiment.keras_model import called, is_keras

if TYPE_CHECKING:
    from nndoctor.experiment.experiment import Experiment

TrainStep = Callable[[nn.Module, Any, torch.optim.Optimizer], object]
IGNORED = -100  # the target that torch's losses leave out, unless they are given another one
TARGETS = (
    "labels",
    "label",
    "targets",
    "target",
    "y",
    "future_values",
)  # the names under which a batch of names keeps its targets


@dataclass(frozen=True, slots=True)
class StepResult:
    """One batch's loss, a scalar; output, target and the number of examples where they are known."""

    loss: Tensor
    output: Tensor | None = None
    target: Tensor | None = None
    examples: int = 1


def step_result(experiment: Experiment, batch: object) -> StepResult:
    """The loss of a batch. Raises UsageError for a loss that is not a scalar and for a batch that the model cannot take."""
    model = experiment.model
    if experiment.step is not None:
        return StepResult(_scalar(loss_in(experiment.step(model, batch))), examples=size(batch))
    if isinstance(batch, Mapping):
        return _of_dict(experiment, batch)
    if isinstance(batch, Tensor) and experiment.loss is not None:  # an autoencoder: the batch is its own target
        output = called(model, batch)
        return StepResult(_scalar(experiment.loss(output, batch)), _tensor(output), batch, size(batch))
    if not isinstance(batch, (tuple, list)) or not batch:
        raise UsageError(
            f"a batch of train_data is {type_of(batch)}; expected (input, target) or a dict; "
            "for anything else add `def step(model, batch): return the_loss`"
        )
    if experiment.loss is None:
        return StepResult(_scalar(own_loss(model, batch)), examples=size(batch))
    output = called(model, *inputs_of(model, batch))
    return StepResult(_scalar(experiment.loss(output, batch[-1])), _tensor(output), _tensor(batch[-1]), size(batch))


def inputs_of(model: nn.Module, batch: Sequence[Any]) -> tuple[Any, ...]:
    """What the model takes by position of a batch that ends with the target: a tuple of inputs as one or as several."""
    if len(batch) == 1:
        return (batch[0],)
    if len(batch) != 2 or not isinstance(batch[0], (tuple, list)):
        return tuple(batch[:-1])
    if is_keras(model):
        return (batch[0],)
    kinds = inspect.signature(model.forward).parameters.values()
    places = [p for p in kinds if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    several = len(places) != 1 or any(p.kind is p.VAR_POSITIONAL for p in kinds)
    return tuple(batch[0]) if several else (batch[0],)


def own_loss(model: Any, batch: object) -> object:  # noqa: ANN401 - any module
    """What a model that returns its own loss returns as the loss of a batch; whatever it returns where it does not."""
    if isinstance(batch, Mapping):
        return loss_in(model(**{str(key): value for key, value in batch.items()}))
    return loss_in(model(*batch) if isinstance(batch, (tuple, list)) else model(batch))


def loss_in(value: Any) -> Any:  # noqa: ANN401
    """The loss in what a step or a model returned: itself, `.loss`, under `loss`, first or only number of a tuple, or a sum of named losses."""
    if isinstance(value, Mapping):
        if "loss" in value:
            return value["loss"]
        parts = _named_losses(value)
        return torch.stack(parts).sum() if parts else value
    if isinstance(getattr(value, "loss", None), Tensor):
        return value.loss
    numbers = [part for part in value if _is_scalar(part)] if isinstance(value, tuple) else []
    return numbers[0] if numbers and (len(numbers) == 1 or numbers[0] is value[0]) else value


def _named_losses(parts: Mapping[Any, Any]) -> list[Tensor]:
    return [part.reshape(()) for name, part in parts.items() if "loss" in str(name).lower() and _is_scalar(part)]


def size(batch: object) -> int:
    """The number of examples of a batch: the length of its first tensor, 1 if it has none."""
    if isinstance(batch, Tensor):
        return len(batch) if batch.dim() else 1
    parts: Iterable[object] = (
        batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (tuple, list)) else ()
    )
    return next((size(part) for part in parts if isinstance(part, (Tensor, Mapping, tuple, list))), 1)


def correct_targets(found: StepResult) -> tuple[Tensor, int] | None:
    """How many targets of a classification were met (a tensor on the device), of how many; None for other tasks.

    Classes by the largest of the outputs, shape (N, C, …) against (N, …); two classes by the sign of one logit.
    """
    output, target = found.output, found.target
    if output is None or target is None or target.numel() == 0:
        return None
    if output.dim() == target.dim() + 1 and not target.is_floating_point() and output.shape[2:] == target.shape[1:]:
        return (output.detach().argmax(1) == target).sum(), target.numel()
    return None


def _of_dict(experiment: Experiment, batch: Mapping[Any, Any]) -> StepResult:
    """A model that takes a dict returns its loss next to its output, as those of transformers do."""
    target = next((batch[name] for name in TARGETS if name in batch), None)
    if experiment.loss is None:
        output = experiment.model(**{str(key): value for key, value in batch.items()})
        loss = loss_in(output)
        if not isinstance(loss, Tensor):
            raise UsageError(
                "the model was given a dict and its output has no loss; add a loss or `def step(model, batch)`"
            )
        return StepResult(_scalar(loss), _tensor(_part(output, "logits")), _tensor(target), size(batch))
    output = experiment.model(**{str(key): value for key, value in batch.items() if key not in TARGETS})
    logits = _part(output, "logits")
    whole = output if logits is None else logits
    return StepResult(_scalar(experiment.loss(whole, target)), _tensor(whole), _tensor(target), size(batch))


def _part(output: object, name: str) -> object:
    return output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)


def _tensor(value: object) -> Tensor | None:
    return value if isinstance(value, Tensor) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point()


def _scalar(loss: object) -> Tensor:
    if not isinstance(loss, Tensor):
        raise UsageError(f"the loss is {type_of(loss)}; expected a tensor with one value")
    if loss.numel() != 1:
        shape = "x".join(map(str, loss.shape))
        raise UsageError(f"the loss has shape {shape}; expected one value: take its mean, or use reduction='mean'")
    return loss.reshape(())

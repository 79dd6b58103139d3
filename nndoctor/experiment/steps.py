"""From a batch to a loss: by the user's step, by a model that knows its own loss, or by output and target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nndoctor.core.errors import UsageError

if TYPE_CHECKING:
    from nndoctor.experiment.experiment import Experiment


@dataclass(frozen=True, slots=True)
class Outcome:
    """One batch's loss, a scalar; output, target and the number of examples where they can be told."""

    loss: Tensor
    output: Tensor | None = None
    target: Tensor | None = None
    examples: int = 1


def outcome(experiment: Experiment, batch: object) -> Outcome:
    """The loss of a batch. Raises UsageError, in words, for a loss that is no scalar or a batch that fits nothing."""
    model = experiment.model
    if experiment.step is not None:
        return Outcome(_scalar(experiment.step(model, batch)), examples=size(batch))
    if isinstance(batch, Mapping):
        return _of_dict(experiment, batch)
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise UsageError(
            f"a batch of train_data is a {type(batch).__name__}; expected (input, target) or a dict; "
            "for anything else add `def step(model, batch): return the_loss`"
        )
    *inputs, target = batch
    output = model(*inputs)
    if experiment.loss is None:
        raise UsageError("there is no loss; add `loss = nn.CrossEntropyLoss()` or `def step(model, batch)`")
    return Outcome(_scalar(experiment.loss(output, target)), _tensor(output), _tensor(target), size(batch))


def size(batch: object) -> int:
    """The number of examples of a batch: the length of its first tensor, 1 where there is none."""
    if isinstance(batch, Tensor):
        return len(batch) if batch.dim() else 1
    parts: Iterable[object] = (
        batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (tuple, list)) else ()
    )
    return next((size(part) for part in parts if isinstance(part, (Tensor, Mapping, tuple, list))), 1)


def hits(found: Outcome) -> tuple[Tensor, int] | None:
    """How many targets of a classification were met (a tensor on the device), of how many; None for other tasks.

    Classes by the largest of the outputs, shape (N, C, …) against (N, …); two classes by the sign of one logit.
    """
    output, target = found.output, found.target
    if output is None or target is None or target.numel() == 0:
        return None
    if output.dim() == target.dim() + 1 and not target.is_floating_point() and output.shape[2:] == target.shape[1:]:
        return (output.detach().argmax(1) == target).sum(), target.numel()
    return None


def _of_dict(experiment: Experiment, batch: Mapping[Any, Any]) -> Outcome:
    """A model that takes a dict gives its loss beside its output, as those of transformers do."""
    output = experiment.model(**{str(key): value for key, value in batch.items()})
    target = next((batch[name] for name in ("labels", "label", "target", "targets") if name in batch), None)
    logits = _part(output, "logits")
    if experiment.loss is not None:
        whole = output if logits is None else logits
        return Outcome(_scalar(experiment.loss(whole, target)), _tensor(whole), _tensor(target), size(batch))
    loss = _part(output, "loss")
    if loss is None:
        raise UsageError(
            "the model was given a dict and its output has no loss; add a loss or `def step(model, batch)`"
        )
    return Outcome(_scalar(loss), _tensor(logits), _tensor(target), size(batch))


def _part(output: object, name: str) -> object:
    return output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)


def _tensor(value: object) -> Tensor | None:
    return value if isinstance(value, Tensor) else None


def _scalar(loss: object) -> Tensor:
    if not isinstance(loss, Tensor):
        raise UsageError(
            f"the loss is a {type(loss).__name__}; expected a tensor with one value: return the loss itself"
        )
    if loss.numel() != 1:
        shape = "x".join(map(str, loss.shape))
        raise UsageError(f"the loss has shape {shape}; expected one value: take its mean, or reduction='mean'")
    return loss.reshape(())

"""The model under examination with its loss, data and optimizer, whatever form the user gave them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from nndoctor.experiment.keras_model import called
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.experiment.plan import Plan
from nndoctor.experiment.steps import TARGETS, inputs_of, loss_in
from nndoctor.sanity.batches import Batch, copied, mapped, split, tensors
from nndoctor.sanity.failures import failing, is_machine, unusable
from nndoctor.sanity.observe import LossCall, Observer, standing_for


@dataclass(slots=True)
class ForwardResult:
    """One forward pass: a loss of one number, and what the model returned (None where it was never called)."""

    loss: Tensor
    output: Any


@dataclass(slots=True)
class Subject:
    """What is examined. `loss` takes (output, target); `step` takes (model, batch); a model that returns its own loss needs neither.

    Where there is a `train_step`, `step` is its loss; `blind` says that it has no single loss, as in a GAN.
    `file_loss` is the file's loss where its step is used instead. `time_first` says that the step hands the model
    sequences by time and example, although batches have the examples first. `plan` is what
    is known of the training beside its step.
    `train` and `validation` can be iterated again. `optimizer` is None where the user gave none; `standin` says that the
    data are made up. `notes` lists what was found and what was assumed.
    """

    path: str
    model: nn.Module
    loss: Callable[..., Any] | None
    step: Callable[..., Any] | None
    train: Iterable[Batch]
    validation: Iterable[Batch] | None = None
    optimizer: torch.optim.Optimizer | None = None
    train_step: Callable[..., Any] | None = None
    standin: bool = False
    notes: list[str] = field(default_factory=list)
    accepts: frozenset[str] | None = None
    blind: bool = False
    file_loss: Callable[..., Any] | None = None
    time_first: bool = False
    plan: Plan = field(default_factory=Plan)

    @property
    def device(self) -> torch.device:
        """The device of the model's parameters."""
        found = next(iter(self.model.parameters()), None)
        return torch.device("cpu") if found is None else found.device

    def batches(self) -> Iterator[Batch]:
        """The training batches, once through, on the model's device."""
        return self.read("train_data", self.train)

    def read(self, name: str, data: Iterable[Batch]) -> Iterator[Batch]:
        """Batches, once through, on the model's device. Raises ModelFileError where reading them fails."""
        try:
            for batch in data:
                yield self.moved(batch)
        except Exception as error:
            if is_machine(error):
                raise
            raise unusable(f"reading {name} fails", error, self.path) from error

    def moved(self, batch: Batch) -> Batch:
        """A batch on the model's device."""
        device = self.device
        return mapped(batch, lambda t: t.to(device))

    def run(self, batch: Batch) -> ForwardResult:
        """Forward and loss. Raises ModelFileError naming the layer that failed, or what is wrong with the loss."""
        try:
            return self._once(batch)
        except Exception as error:
            if torch.is_grad_enabled() or "does not require grad" not in str(error):
                raise
        with torch.enable_grad():  # a model or loss that takes derivatives itself
            found = self._once(batch)
        return ForwardResult(found.loss.detach(), mapped(found.output, torch.Tensor.detach))

    def _once(self, batch: Batch) -> ForwardResult:
        if self.step is not None:
            return self._stepped(batch)
        try:
            output, loss = self._forward(batch)
        except Exception as error:
            raise self._failed("the forward pass fails", error, batch) from error
        if loss is None:
            try:
                loss = self._loss(output, batch)
            except Exception as error:
                raise self._failed(self._loss_words(output, batch), error, None) from error
        return ForwardResult(self._single(loss), output)

    def _stepped(self, batch: Batch) -> ForwardResult:
        """As the user's own step does it; the output is what the model gave within it, or the last of its parts where these are called one by one."""
        seen: list[tuple[nn.Module, Any]] = []
        called_parts = [self.model, *(() if self.blind else self.model.children())]
        handles = [m.register_forward_hook(lambda m, _a, output: seen.append((m, output))) for m in called_parts]
        try:
            loss = self._forward(batch)[1]
        except Exception as error:
            raise self._failed("the step fails", error, batch) from error
        finally:
            for handle in handles:
                handle.remove()
        own = [output for module, output in seen if module is self.model]
        last = [output for module, output in seen if module is seen[-1][0]]
        given = own or last
        return ForwardResult(self._single(loss), given[0] if len(given) == 1 else None)

    def observed(self, batch: Batch) -> tuple[Observer, LossCall | None]:
        """One pass under an observer, and the call of one of torch's losses that is the whole loss, if there is one."""
        observer = Observer()
        with torch.enable_grad(), observer:
            loss = self.run(batch).loss
        return observer, standing_for(observer.calls, loss)

    def _failed(self, what: str, error: Exception, batch: Batch | None) -> Exception:
        """The user's error in one line; with a batch the pass is made again to see which layer it is."""
        if isinstance(error, ModelFileError) or is_machine(error):
            return error
        layer = "" if batch is None else failing(self.model, lambda: self._forward(batch))
        return unusable(f"{what}: {layer}" if layer else what, error, self.path)

    def output(self, batch: Batch) -> Any:  # noqa: ANN401 - whatever the model returns
        """The model's output on a batch; through the step function where there is one. Raises ModelFileError."""
        if self.step is not None:
            return self.run(batch).output
        try:
            return self._forward(batch)[0]
        except Exception as error:
            raise self._failed("the forward pass fails", error, batch) from error

    def loss_of(self, output: Any, target: Batch) -> Tensor:  # noqa: ANN401
        """The loss of an output that need not be the model's. Raises whatever the loss raises."""
        if self.loss is None:
            raise ModelFileError(f"{self.path}: the loss cannot be called apart from the model")
        return self._single(self.loss(output, target))

    def _forward(self, batch: Batch) -> tuple[Any, Any]:
        batch = copied(batch)
        if self.step is not None:
            return None, loss_in(self.step(self.model, batch))
        places, names, _ = split(batch)
        if self.loss is None and not names and isinstance(batch, (tuple, list)):
            places = tuple(batch)  # a model that returns its own loss takes the targets, too
        elif isinstance(batch, (tuple, list)) and batch:
            places = inputs_of(self.model, batch)
        if names:
            names = self._wanted(names)
        output = called(self.model, *places, **names)
        return output, None if self.loss is not None else loss_in(output)

    def _wanted(self, names: dict[str, Any]) -> dict[str, Any]:
        """Of a batch of names those that the model's forward takes; the targets only where it takes no others."""
        if self.accepts is None:
            kinds = inspect.signature(self.model.forward).parameters.values()
            every = any(p.kind is p.VAR_KEYWORD for p in kinds)
            self.accepts = frozenset() if every else frozenset(p.name for p in kinds)
        kept = {k: v for k, v in names.items() if not self.accepts or k in self.accepts}
        return {k: v for k, v in kept.items() if k not in TARGETS} if self.loss is not None else kept

    def _loss(self, output: Any, batch: Batch) -> Any:  # noqa: ANN401
        if self.loss is None:
            return output
        target = split(batch)[2]
        if target is None:  # an autoencoder's batch is its own target
            target = next(iter(tensors(batch)), None)
        return self.loss(plain(output), target)

    def _loss_words(self, output: Any, batch: Batch) -> str:  # noqa: ANN401
        found = tensors(output)
        target = split(batch)[2]
        wanted = tensors(target) if target is not None else []
        shapes = " and ".join(f"{what} {_shape(t[0])}" for what, t in (("output", found), ("target", wanted)) if t)
        return f"the loss fails on {shapes}" if shapes else "the loss fails"

    def _single(self, loss: object) -> Tensor:
        if not isinstance(loss, Tensor):
            what = "nothing" if loss is None else f"a {type(loss).__name__}"
            raise ModelFileError(
                f"{self.path}: the loss gives {what}; expected a tensor of one number, with its gradient"
            )
        if loss.numel() != 1:
            raise ModelFileError(
                f"{self.path}: the loss gives {loss.numel()} numbers, shape {tuple(loss.shape)}; expected one: "
                "end it with .mean(), or leave out reduction='none'"
            )
        return loss.reshape(())


def plain(output: Any) -> Any:  # noqa: ANN401
    """The logits of an output that names them, else the output."""
    logits = getattr(output, "logits", None)
    return logits if isinstance(logits, Tensor) else output


def main_output(output: Any) -> Tensor | None:  # noqa: ANN401
    """The tensor that an output is judged by: its logits, itself, or the only floating one among several."""
    output = plain(output)
    if isinstance(output, Tensor):
        return output
    found = [t for t in tensors(output) if t.is_floating_point() and t.ndim]
    return found[0] if len(found) == 1 else None


def _shape(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} of {str(tensor.dtype).removeprefix('torch.')}"

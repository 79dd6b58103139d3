"""One sampled step from arming to numbers: the forward side, the gradients, the update."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import torch
from torch import nn

from nndoctor.recorder import facts
from nndoctor.recorder.analysis import Analysis
from nndoctor.recorder.capture import Capture
from nndoctor.recorder.optimizers import Optimizers, held_by
from nndoctor.recorder.plan import ModelPlan, fingerprint, plan
from nndoctor.recorder.raw import Raw
from nndoctor.recorder.slots import Slots
from nndoctor.recorder.weights import Weights
from nndoctor.recorder.window import local

PIECE = 256  # values of a parameter that tell whether it moves


class Probe:
    """Holds the plan of the model and its watchers; makes a new plan when a module was replaced."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizers, rng: random.Random, failed: Callable[[BaseException], None]
    ) -> None:
        self.replaced = 0
        """How often a module was replaced."""
        self.setups = 0
        """How often the model was looked through."""
        self.optimizer = optimizer
        self._model, self._rng, self._failed = model, rng, failed
        self._set_up()

    def _set_up(self) -> None:
        self.plan: ModelPlan = plan(self._model)
        self.setups += 1
        self._slots = Slots(self._rng)
        self._slots.room = len(self.plan.modules) + 16
        self.capture = Capture(self.plan, self._slots, self._failed)
        self.weights = Weights(self.plan, self._rng)
        self._begun: dict[int, torch.Tensor] = {}
        self._analysis = Analysis(self._slots, self.weights, self.plan.paths)

    def arm(self) -> None:
        """Set all hooks for the coming step; a pass in another thread is not the training's."""
        replaced = fingerprint(self._model) != self.plan.ids
        if replaced or self.plan.lazy:
            self.disarm()
            self.replaced += replaced
            self._set_up()
        parallel = any(type(m).__name__ == "DataParallel" for m in (self._model, *self._model.children()))
        self.capture.arm(None if parallel else threading.get_ident())
        self.weights.hold(self.optimizer.held)
        self.weights.arm(self._failed, self.capture.stop_seeing)

    def disarm(self) -> None:
        """Remove all hooks."""
        self.capture.disarm()
        self.weights.disarm()

    @property
    def seconds(self) -> float:
        """What the hooks of the latest sampled step took."""
        return self.capture.seconds + self.weights.seconds

    def before(self, optimizer: torch.optim.Optimizer, *, first: bool) -> None:
        """The update comes now: forward and backward are over, but of an optimizer that evaluates a closure itself.

        `first` is True if no other optimizer has made its update in this step.
        """
        if not self.optimizer.single:
            self.weights.settle(held_by(optimizer))
        elif self.weights.passes or self.capture.seen:
            self.disarm()
        if first:
            self.weights.before()

    def finish(self, loss_scale: torch.Tensor | float) -> tuple[Analysis, Raw]:
        """The sampled step, after its update, and what computes its numbers."""
        self.disarm()
        self.weights.after()
        return self._analysis, self._analysis.take(loss_scale)

    def facts(self) -> dict[str, object]:
        """What model and optimizer show by themselves."""
        owned = self._owned()
        device = next((w.parameter.device for w in self.plan.weights), None)
        self._remember(owned)
        return {
            **facts.of_model(self.plan),
            **facts.of_optimizer(self.optimizer),
            **facts.of_system(device),
            **facts.of_layers(self.plan, owned, self.optimizer),
        }

    def _owned(self) -> dict[str, list[nn.Parameter]]:
        owned: dict[str, list[nn.Parameter]] = {}
        for weight in self.plan.weights:
            owned.setdefault(weight.layer, []).append(weight.parameter)
        return owned

    def _remember(self, owned: dict[str, list[nn.Parameter]]) -> None:
        """Keep some values of the layers that the optimizer does not hold, to see whether another one moves them."""
        for layer in facts.missed(owned, self.optimizer):
            for parameter in owned[layer]:
                self._begun.setdefault(id(parameter), _piece(parameter).clone())

    def missed(self) -> list[str]:
        """The layers that should train, that the optimizer does not hold, and that have not moved so far."""
        owned = self._owned()
        return [
            layer
            for layer in facts.missed(owned, self.optimizer)
            if all(torch.equal(_piece(p), self._begun.get(id(p), _piece(p))) for p in owned[layer])
        ]


def _piece(parameter: nn.Parameter) -> torch.Tensor:
    """The first values of a parameter."""
    return local(parameter.detach()).reshape(-1)[:PIECE]

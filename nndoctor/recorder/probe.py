"""One sampled step from arming to numbers: the forward side, the gradients, the update."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from torch import nn

from nndoctor.recorder import facts
from nndoctor.recorder.analysis import Analysis
from nndoctor.recorder.capture import Capture
from nndoctor.recorder.optimizers import Optimizers
from nndoctor.recorder.plan import Plan, fingerprint, plan
from nndoctor.recorder.raw import Raw
from nndoctor.recorder.slots import Slots
from nndoctor.recorder.weights import Weights


class Probe:
    """Holds the plan of the model and whatever watches it; plans anew when a module was replaced."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizers,
        rng: random.Random,
        failed: Callable[[BaseException], None],
    ) -> None:
        self.replaced = 0
        """How often a module was replaced."""
        self.laid = 0
        """How often the model was looked through."""
        self.optimizer = optimizer
        self._model, self._rng, self._failed = model, rng, failed
        self._lay()

    def _lay(self) -> None:
        self.plan: Plan = plan(self._model)
        self.laid += 1
        self._slots = Slots(self._rng)
        self._slots.room = len(self.plan.modules) + 16
        self.capture = Capture(self.plan, self._slots, self._failed)
        self.weights = Weights(self.plan, self._rng)
        self._analysis = Analysis(self._slots, self.weights, self.plan.paths)

    def arm(self) -> None:
        """Set all hooks for the coming step; a pass in another thread is not the training's."""
        replaced = fingerprint(self._model) != self.plan.ids
        if replaced or self.plan.lazy:
            self.disarm()
            self.replaced += replaced
            self._lay()
        parallel = any(type(m).__name__ == "DataParallel" for m in (self._model, *self._model.children()))
        self.capture.arm(None if parallel else threading.get_ident())
        self.weights.arm(self._failed, self.capture.shut)

    def disarm(self) -> None:
        """Take all hooks away."""
        self.capture.disarm()
        self.weights.disarm()

    @property
    def seconds(self) -> float:
        """What the hooks of the latest sampled step took."""
        return self.capture.seconds + self.weights.seconds

    def forget(self) -> None:
        """The step was skipped: begin again with the next one."""
        self.arm()

    def before(self) -> None:
        """The update comes now: forward and backward are over, but of an optimizer that evaluates a closure itself."""
        if self.optimizer.single and (self.weights.passes or self.capture.seen):
            self.disarm()
        self.weights.before()

    def finish(self) -> tuple[Analysis, Raw]:
        """The sampled step, after its update, and who reckons its numbers."""
        self.disarm()
        self.weights.after()
        return self._analysis, self._analysis.take()

    def facts(self) -> dict[str, object]:
        """What model and optimizer show by themselves."""
        owned: dict[str, list[nn.Parameter]] = {}
        for weight in self.plan.weights:
            owned.setdefault(weight.layer, []).append(weight.parameter)
        device = next((w.parameter.device for w in self.plan.weights), None)
        return {
            **facts.of_model(self.plan),
            **facts.of_optimizer(self.optimizer),
            **facts.of_system(device),
            **facts.of_layers(self.plan, owned, self.optimizer),
        }

"""PyTorch Ignite: `nndoctor.integrations.ignite.Doctor(model, optimizer).attach(trainer, evaluator)`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.core.report import Report
from nndoctor.integrations.live import LiveTraining
from nndoctor.integrations.options import CallbackOptions

try:
    from ignite.engine import Events
except ImportError as error:
    raise UsageError("Ignite is not installed; pip install 'nndoctor[torch]' pytorch-ignite") from error


class Doctor:
    """Records a model's layers, losses and learning rates, judges the run, prints the verdict at the end.

    `loss_of` takes the loss from what the trainer's step returns (default: that itself, or its `loss`). `stop_on`
    ("error", "warning") calls `trainer.terminate()` once such a finding persists. `folder`, `every`, `select`, `ignore`
    and `config` as in the other callbacks; `report` holds the latest report.
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        folder: str | os.PathLike[str] | None = None,
        *,
        loss_of: Callable[[Any], Any] | None = None,
        every: int | str = "auto",
        stop_on: str | None = None,
        show: bool = True,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        self._model, self._optimizer, self._loss_of = model, optimizer, loss_of or _loss
        self._live = LiveTraining(
            CallbackOptions.of(folder, every, stop_on, show=show, select=select, ignore=ignore, config=config)
        )

    @property
    def report(self) -> Report | None:
        """The latest report on the run."""
        return self._live.report

    def attach(self, trainer: Any, evaluator: Any = None) -> None:
        """Follow a trainer, and the metrics of an evaluator as those of validation."""
        trainer.add_event_handler(Events.STARTED, lambda: self._live.start(self._model, self._optimizer, "."))
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._step)
        trainer.add_event_handler(Events.COMPLETED | Events.TERMINATE, self._live.finish)
        trainer.add_event_handler(Events.EXCEPTION_RAISED, self._raised)
        if evaluator is not None:
            evaluator.add_event_handler(Events.COMPLETED, self._evaluated)

    def _step(self, engine: Any) -> None:
        with self._live.guarded():
            self._live.step(float(self._loss_of(engine.state.output)))
        if self._live.should_stop():
            engine.terminate()

    def _evaluated(self, engine: Any) -> None:
        self._live.log({f"val_{name}": value for name, value in engine.state.metrics.items()})

    def _raised(self, error: BaseException) -> None:
        self._live.finish()
        raise error


def _loss(output: Any) -> Any:
    """The loss in what a step returns: a number, a mapping with a loss, or a sequence that ends in it."""
    if isinstance(output, Mapping):
        return output["loss"]
    return output[-1] if isinstance(output, (tuple, list)) else output

"""Keras 3: `model.fit(..., callbacks=[nndoctor.integrations.keras.Doctor()])`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nndoctor.core.errors import UsageError
from nndoctor.integrations.callback import JudgedCallback
from nndoctor.integrations.curves import CurveRecorder
from nndoctor.integrations.live import LiveTraining

try:
    import keras
except ImportError as error:
    raise UsageError("Keras is not installed; pip install 'nndoctor[keras]'") from error


class Doctor(JudgedCallback, keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Records a model's losses, metrics and learning rates, judges the run, prints the verdict at the end.

    With PyTorch as the backend its layers are recorded, too. `folder` is the run folder (default: `nndoctor` in the
    current folder); `every` is "auto" or a number of steps between two samples. `stop_on` ("error", "warning") sets
    `model.stop_training` once such a finding persists. `select`, `ignore` and `config` are those of `nndoctor diagnose`.
    `report` holds the latest report. The training is never changed.
    """

    _updates: Any = None
    _mean = 0.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """The model is compiled, and built unless it waits for its first batch."""
        self._live, self._updates = LiveTraining(self._choices), None

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """The weights before the update are those of now."""
        if self._live is None:
            return
        with self._live.guarded():
            if self._live.recorder is None and self.model.built:
                self._start(self._live)
            if self._updates is not None:
                self._updates.begin()

    def _start(self, live: LiveTraining) -> None:
        if keras.backend.backend() != "torch":
            live.follow(CurveRecorder(live.place(".")))
            return
        from nndoctor.integrations.keras_torch import updates_of, view_of

        self._updates = updates_of(self.model)
        facts = {"batch_size": self.params.get("batch_size"), "loss": getattr(self.model.loss, "name", None)}
        live.start(view_of(self.model), self._updates, ".", facts=facts)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """One step is done; Keras reports the mean of the epoch so far, from which the batch's own loss follows."""
        if self._live is None or self._live.recorder is None:
            return
        with self._live.guarded():
            mean = float((logs or {}).get("loss", float("nan")))
            loss = mean if batch == 0 else mean * (batch + 1) - self._mean * batch
            self._mean = mean
            if self._updates is not None:
                self._updates.end()
                self._live.step(loss)
            else:
                self._live.step(loss, lr=float(self.model.optimizer.learning_rate))
        if self._live.should_stop():
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Validation, and the training's metrics over the epoch; its loss has been recorded for each step."""
        if self._live is not None:
            known = (logs or {}).items()
            self._live.log({name: v for name, v in known if name not in ("loss", "learning_rate", "lr")})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Write everything and print the verdict."""
        if self._live is not None:
            self._live.finish()
